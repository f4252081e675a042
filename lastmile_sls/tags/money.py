"""What missing tags cost: the bill's rows that nobody can attribute, or what a month of a resource is estimated at. Pure.

A bill writes ids in ways of its own, so both sides are made into keys (`lastmile_sls.costs.resources`), from the most to the
least particular; the first that a resource of the stack has counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from lastmile_sls.costs.resources import keys_of
from lastmile_sls.costs.tags import KEYS
from lastmile_sls.plan.document import Target
from lastmile_sls.tags.document import Basis, Deployed, Finding, Judged, Money, added

if TYPE_CHECKING:
    import duckdb

    from lastmile_sls.estimate.document import Estimate

_GOOGLE = re.compile(r"(//[a-z]+\.googleapis\.com/)?projects/(?P<project>[^/]+)/(?P<rest>.+)")


@dataclass(frozen=True)
class Row:
    """What of a resource's bill lacks the same tags."""

    resource_id: str
    missing: frozenset[str]
    currency: str
    effective: Decimal


def unattributed(connection: duckdb.DuckDBPyConnection, cloud: Target) -> list[Row]:
    """Return what a cloud billed for resources that lack tags, from a reading of FOCUS exports."""
    found = connection.execute(
        "SELECT resource_id, missing, currency, sum(effective) FROM untagged "
        "WHERE cloud = ? AND resource_id IS NOT NULL GROUP BY ALL ORDER BY ALL",
        [cloud],
    ).fetchall()
    return [
        Row(id_, frozenset(missing.split(", ")), currency, amount) for id_, missing, currency, amount in found
    ]


def days(connection: duckdb.DuckDBPyConnection, cloud: Target) -> tuple[date, date] | None:
    """Return the first and the last day on which a cloud billed anything; None where the exports have nothing of it."""
    found = connection.execute("SELECT min(day), max(day) FROM cube WHERE cloud = ?", [cloud]).fetchone()
    return (found[0], found[1]) if found and found[0] else None


def with_bill(judged: Sequence[Judged], rows: Iterable[Row]) -> tuple[tuple[Judged, ...], Money]:
    """Return each resource with what of it was billed without the tags that it lacks, and what was of resources that are
    well now.

    A row that lacks two tags counts for both, and once in the resource's own sum. A tag with a wrong value is on the bill,
    under that value, so it leaves nothing unattributed.
    """
    found = _by_resource([one.resource for one in judged], rows)
    priced = tuple(_billed(one, found.get(one.resource.key, [])) for one in judged)
    rest = added(_sum(found.get(one.resource.key, [])) for one in judged if one.is_well)
    return priced, rest


def with_estimate(judged: Sequence[Judged], estimate: Estimate) -> tuple[Judged, ...]:
    """Return each resource with its month by list prices, where it lacks a tag that costs are told apart by.

    What takes no tags and is made for it alone is in it.
    """
    lines = {(line.type, line.name): line.cost for line in estimate.lines}
    priced = []
    for one in judged:
        names = [(one.resource.type, one.resource.name), *one.resource.bearing]
        month = sum((lines.get(name, Decimal(0)) for name in names), Decimal(0))
        counts = month and any(_is_telling(finding) for finding in one.findings)
        cost = {estimate.currency: month} if counts else {}
        findings = tuple(
            replace(finding, cost=cost) if _is_telling(finding) else finding for finding in one.findings
        )
        priced.append(replace(one, findings=findings, cost=cost))
    return tuple(priced)


def basis_of_bill(found: tuple[date, date] | None, cloud: Target) -> Basis:
    """Return where amounts are from that exports have."""
    if found is None:
        return Basis(
            "unknown", f"the files have no cost of {cloud}, so nothing is known of what missing tags cost"
        )
    first, last = found
    return Basis("billed", f"billed from {first} to {last} without the tag, so nobody's", first, last)


def _is_telling(finding: Finding) -> bool:
    """Tell whether costs are told apart by the tag."""
    return finding.kind != "gone" and finding.key in KEYS


def _billed(one: Judged, rows: Sequence[Row]) -> Judged:
    lacks = {finding.key for finding in one.findings if finding.kind == "missing"}
    findings = tuple(
        replace(finding, cost=_sum([row for row in rows if finding.key in row.missing]))
        if finding.kind == "missing"
        else finding
        for finding in one.findings
    )
    return replace(one, findings=findings, cost=_sum([row for row in rows if row.missing & lacks]))


def _sum(rows: Sequence[Row]) -> dict[str, Decimal]:
    return added({row.currency: row.effective} for row in rows)


def _by_resource(resources: Sequence[Deployed], rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows of each resource, by its key."""
    keys: dict[str, str] = {}
    for resource in sorted(resources, key=lambda one: len(one.key)):  # an API before its stage
        for key in _own_keys(resource):
            keys.setdefault(key, resource.key)
    found: dict[str, list[Row]] = {}
    for row in rows:
        owner = next((keys[key] for key in _keys(row.resource_id) if key in keys), None)
        if owner is not None:
            found.setdefault(owner, []).append(row)
    return found


def _own_keys(resource: Deployed) -> Iterator[str]:
    """Yield the keys that a resource is found by: its own, and none of what it lies in."""
    yield resource.key.lower()
    yield from _google_keys(resource.key, is_bill=False)
    yield from list(keys_of(resource.key))[:1]


def _keys(resource_id: str) -> Iterator[str]:
    yield resource_id.strip().lower()
    yield from _google_keys(resource_id.strip(), is_bill=True)
    yield from keys_of(resource_id)


def _google_keys(id_: str, *, is_bill: bool) -> Iterator[str]:
    """Yield a name with its project; without it for a stack's, and for a bill's that has the project's number."""
    found = _GOOGLE.fullmatch(id_.lower())
    if found is None:
        return
    yield f"projects/{found['project']}/{found['rest']}"
    if not is_bill or found["project"].isdigit():
        yield f"projects/_/{found['rest']}"


def by_key(judged: Iterable[Judged]) -> Mapping[str, Money]:
    """Return what each missing or wrong tag costs over all resources."""
    found: dict[str, list[Money]] = {}
    for one in judged:
        once = {finding.key: finding.cost for finding in one.findings if finding.cost}
        for key, cost in once.items():
            found.setdefault(key, []).append(cost)
    return {key: added(costs) for key, costs in found.items()}
