"""Writes a spec as YAML, as `lastmile init` does: short, and with the comments that a beginner wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from lastmile_sls.spec.model import Spec

_COMMENTS = {
    "environment": "dev, staging, prod: each is a deployment of its own",
    "owner": "who answers for it: a cost tag",
    "cost_center": "who pays for it: a cost tag",
    "versions": "add a second version here, and give it a share under traffic",
    "traffic": "percent by version; the champion answers by default",
    "endpoint": "key: callers send an API key (lastmile key prints it); public: anyone may call",
    "resources": "per process; an idle deployment costs nothing",
    "contract": "what goes in and comes out, with the ranges seen in the sample",
}
_SHOWN = (
    "name",
    "environment",
    "owner",
    "cost_center",
    "versions",
    "traffic",
    "endpoint",
    "resources",
    "contract",
)


def to_yaml(spec: Spec, schema: str) -> str:
    """Return the spec as YAML text; `load` reads it back to the same spec.

    Args:
        spec: The spec.
        schema: Where the JSON Schema is, as the editor line names it.
    """
    document = spec.model_dump(mode="json", exclude_defaults=True)
    document["environment"] = spec.environment
    document["endpoint"] = {"auth": spec.endpoint.auth, **document.get("endpoint", {})}
    document["resources"] = {
        "memory_mb": spec.resources.memory_mb,
        "timeout_s": spec.resources.timeout_s,
        **document.get("resources", {}),
    }
    names = [name for name in _SHOWN if name in document]
    names += [name for name in document if name not in names]
    parts = [_section(name, document[name]) for name in names]
    return f"# yaml-language-server: $schema={schema}\n" + "".join(parts)


def _section(name: str, value: Any) -> str:
    comment = _COMMENTS.get(name)
    before = f"\n# {comment}\n" if comment and isinstance(value, (Mapping, list)) else ""
    text = yaml.dump({name: value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    if comment and not before:
        text = f"{text.rstrip()}  # {comment}\n"
    return before + text


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes columns on one line each."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _mapping(dumper: yaml.SafeDumper, data: dict[str, Any]) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style="datatype" in data)


def _list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    plain = not any(isinstance(item, (dict, list)) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.Node:
    # YAML 1.1 reads these as line ends, and folds them away outside double quotes.
    style = '"' if set(data) & set("\x85\u2028\u2029\ufeff") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _list)
