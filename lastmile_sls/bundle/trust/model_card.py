"""The model card of a bundle, for people: what its models take and answer, are good for, and were made from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lastmile_runtime.manifest import Version
from lastmile_sls.bundle.trust.facts import (
    DIGEST,
    Considerations,
    Facts,
    Metric,
    VersionFacts,
    hexadecimal,
    number,
    shape_of,
    written,
)
from lastmile_sls.bundle.trust.markdown import escape, listed, table

_BUNDLE = re.compile(rf"^The bundle: `({DIGEST.pattern})`$", re.MULTILINE)
_NOT_GIVEN = "Not given.\n"


def render(facts: Facts) -> bytes:
    """Return the card as Markdown; the same facts are always the same bytes.

    Raises ValueError for a digest that is none, and a time without its zone.
    """
    return ("\n".join(_parts(facts)).rstrip("\n") + "\n").encode()


def bundle_digest_of(content: bytes) -> str:
    """Return the digest of the bundle that a card is of. Raises ValueError when it does not say."""
    found = _BUNDLE.findall(content.decode())
    if len(found) != 1:
        raise ValueError("it names no bundle")
    return str(found[0])


def _parts(facts: Facts) -> Iterator[str]:
    yield f"# Model card: {escape(facts.manifest.model)}\n"
    if facts.description:
        yield f"{escape(facts.description)}\n"
    yield f"The bundle: `sha256:{hexadecimal(facts.digest)}`\n"
    known = {"Owner": facts.owner, "Built with": f"lastmile-sls {facts.lastmile}", "Python": facts.python}
    if facts.made:
        known["Made"] = written(facts.made)
    yield table(("", ""), [(name, text) for name, text in known.items() if text])
    for version in facts.manifest.versions:
        yield from _version(facts, version)
    yield "## Packages\n"
    rows = [(each.name, each.version, each.licence, each.sha256) for each in facts.libraries]
    yield table(("name", "version", "licence", "SHA-256 of the wheel"), rows) if rows else "None named.\n"


def _version(facts: Facts, version: Version) -> Iterator[str]:
    known = facts.of(version)
    yield f"## Version {escape(version.id)}\n"
    if known.description:
        yield f"{escape(known.description)}\n"
    yield _served(version, known) + "\n"
    yield "### Inputs\n"
    yield from _inputs(facts, version)
    yield "### Outputs\n"
    yield _tensors(version.outputs)
    yield from _considered(known.considerations)
    yield "### Metrics\n"
    yield (
        table(("metric", "value", "of", "interval"), map(_metric, known.metrics))
        if known.metrics
        else _NOT_GIVEN
    )
    yield "### Training data\n"
    data = [(each.name, each.description, each.uri, each.digest) for each in known.data]
    yield table(("name", "description", "where", "digest"), data) if data else _NOT_GIVEN
    yield "### Files\n"
    files = [(name, facts.manifest.files[name]) for name in facts.files_of(version)]
    rows = [(name, str(entry["size"]), entry["sha256"]) for name, entry in files]
    yield table(("file", "bytes", "SHA-256"), rows) if rows else "None: another function has them.\n"


def _served(version: Version, known: VersionFacts) -> str:
    made = f" It was made with {escape(known.framework)}." if known.framework else ""
    task = f" Its task: {escape(known.task)}." if known.task else ""
    if version.remote is not None:
        return f"Served by the function {escape(version.remote['function'])}.{made}{task}"
    report = known.report
    if report is None:
        return f"Served by {escape(version.predictor)}, which was not compared with another.{made}{task}"
    outcome = "proved to answer as the original" if report.passed else "not the same as the original"
    numbers = f"{report.rows} rows, largest difference {number(report.largest_difference)}"
    return f"Served by {escape(version.predictor)}, {outcome}: {escape(numbers)}.{made}{task}"


def _inputs(facts: Facts, version: Version) -> Iterator[str]:
    yield _tensors(version.inputs)
    if version.columns:
        yield f"The columns, in this order: {escape(', '.join(version.columns))}\n"
    rules = (facts.manifest.contract or {}).get("inputs", [])
    if rules:
        yield table(("input", "lowest", "highest", "categories", "otherwise"), map(_rule, rules))


def _rule(rule: dict[str, Any]) -> tuple[str, ...]:
    categories = ", ".join(map(str, rule.get("categories") or []))
    limits = (str(rule[key]) if key in rule else "" for key in ("minimum", "maximum"))
    actions = ("missing", "out_of_range", "unknown", "impute")
    otherwise = ", ".join(f"{key}: {rule[key]}" for key in actions if key in rule)
    return (rule["name"], *limits, categories, otherwise)


def _tensors(tensors: list[Any]) -> str:
    rows = [(tensor.name, tensor.datatype, shape_of(tensor.shape)) for tensor in tensors]
    return table(("name", "datatype", "shape"), rows) if rows else _NOT_GIVEN


def _considered(considerations: Considerations) -> Iterator[str]:
    risks = [f"{name}: {strategy}" if strategy else name for name, strategy in considerations.risks]
    sections = {
        "Users": considerations.users,
        "Intended use": considerations.use_cases,
        "Limitations": considerations.limitations,
        "Trade-offs": considerations.trade_offs,
        "Ethical considerations": risks,
    }
    for title, texts in sections.items():
        yield f"### {title}\n"
        yield listed(texts) if texts else _NOT_GIVEN


def _metric(metric: Metric) -> tuple[str, str, str, str]:
    bounds = {"from": metric.lower, "to": metric.upper}
    interval = " ".join(f"{word} {number(bound)}" for word, bound in bounds.items() if bound is not None)
    return metric.name, number(metric.value), metric.slice or "all", interval
