"""A row's tags, in each of the shapes that the clouds' exports have: what they say of a model. Pure.

Read as JSON: an object (AWS's and Azure's CSV), one without its braces (Azure's older exports), a list of structs with
`key` and `value` in any case (Google's). DuckDB writes a Parquet map or list of structs as the first or the last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lastmile_sls.spec.tags import decode

KEYS = ("model", "environment", "owner", "cost-center")
"""What every resource of a deployment carries, and a row needs to be whole."""
_MANAGED = "managed-by"
_PREFIX = re.compile(r"^user[:_]")
"""AWS's prefix of tags that users make: `user:` in its cost tools, `user_` in column names."""


@dataclass(frozen=True)
class TagSet:
    """What a row's tags say; None where they do not."""

    model: str | None = None
    environment: str | None = None
    owner: str | None = None
    cost_center: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys that are not there."""
        values = (self.model, self.environment, self.owner, self.cost_center)
        return tuple(key for key, value in zip(KEYS, values, strict=True) if value is None)


def tag_set(texts: Iterable[str | None]) -> TagSet:
    """Return what tags say, of several columns the first that has a key.

    A value that `lastmile_sls.spec.tags` wrote is read back; one of a set that something else manages is left as it is.
    """
    found: dict[str, str] = {}
    for text in texts:
        for key, value in _plain(_entries(text)).items():
            found.setdefault(key, value)
    ours = found.get(_MANAGED, "lastmile") == "lastmile"
    model, environment, owner, cost_center = (
        _decoded(found[key]) if ours and key in found else found.get(key) for key in KEYS
    )
    return TagSet(model, environment, owner, cost_center)


def _entries(text: str | None) -> Mapping[str, Any]:
    """Return the tags of a text, none where it holds none or cannot be read."""
    text = (text or "").strip()
    if not text or text in {"NULL", "null", "{}", "[]"}:
        return {}
    if text.startswith('"'):
        text = "{" + text.rstrip().rstrip(",") + "}"
    try:
        read = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return {}
    if isinstance(read, list):
        return _of_structs(read)
    return read if isinstance(read, dict) else {}


def _of_structs(entries: list[Any]) -> dict[str, Any]:
    structs = [{str(k).lower(): v for k, v in entry.items()} for entry in entries if isinstance(entry, dict)]
    return {str(struct["key"]): struct.get("value") for struct in structs if struct.get("key") is not None}


def _plain(entries: Mapping[str, Any]) -> dict[str, str]:
    """Return keys as lastmile writes them and values as text; of two spellings of a key, the plain one's value."""
    found: dict[str, str] = {}
    for key in sorted(entries, key=lambda key: (bool(_PREFIX.match(key)), key != key.lower(), key)):
        value = _text(entries[key])
        if value:
            found.setdefault(_PREFIX.sub("", key.strip().lower(), count=1).replace("_", "-"), value)
    return found


def _text(value: Any) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return None if value.strip() in {"", "NULL"} else value.strip()
        case _:  # nested: FOCUS has none
            return None


def _decoded(value: str) -> str:
    try:
        return decode(value)
    except ValueError:
        return value
