"""A check of tags for programs: one document, and JUnit's cases for CI. Pure."""

from __future__ import annotations

from typing import Any

from lastmile_sls.check.checked import Check
from lastmile_sls.estimate.as_json import text
from lastmile_sls.tags.as_text import said, told
from lastmile_sls.tags.document import Checked, Finding, Judged, Money
from lastmile_sls.tags.money import by_key

FORMAT = "lastmile.tags/1"


def to_json(checked: Checked) -> dict[str, Any]:
    """Return everything that is known; amounts are decimals as text, by currency."""
    basis = checked.basis
    return {
        "format": FORMAT,
        "passed": not checked.wrong,
        "complete": not checked.not_looked_at,
        "deployment": checked.deployment,
        "target": checked.target,
        "region": checked.region,
        "account": checked.account,
        "wanted": dict(checked.wanted),
        "basis": {
            "source": basis.source,
            "told": basis.told,
            "first": str(basis.first) if basis.first else None,
            "last": str(basis.last) if basis.last else None,
        },
        "cost": _money(checked.cost),
        "by_tag": {key: _money(cost) for key, cost in sorted(by_key(checked.judged).items())},
        "resources": [_resource(one) for one in checked.judged],
        "notes": list(checked.notes),
    }


def checks_of(checked: Checked) -> list[Check]:
    """Return a case for each resource: failed with what is wrong, skipped where nobody looked."""
    return [_check(one) for one in checked.judged]


def _resource(one: Judged) -> dict[str, Any]:
    return {
        "type": one.resource.type,
        "name": one.resource.name,
        "id": one.resource.key,
        "presence": one.presence,
        "why": one.why or None,
        "findings": [_finding(finding) for finding in one.findings],
        "extra": dict(one.extra),
        "cost": _money(one.cost),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "key": finding.key or None,
        "part": finding.part or None,
        "wanted": finding.wanted or None,
        "found": finding.found if finding.kind == "wrong" else None,
        "advice": finding.advice,
        "cost": _money(finding.cost),
    }


def _check(one: Judged) -> Check:
    name = str(one.resource)
    if one.presence == "not looked at":
        return Check(name, "skipped", f"not looked at: {one.why}")
    if not one.findings:
        return Check(name, "passed", "has every tag")
    lines = [
        f"{finding.kind} {said(finding)}{f' ({told(finding.cost)})' if finding.cost else ''}"
        for finding in one.findings
    ]
    advice = "\n".join(dict.fromkeys(finding.advice for finding in one.findings))
    return Check(name, "failed", lines[0], advice=advice, detail="\n".join(lines[1:]))


def _money(money: Money) -> dict[str, str]:
    return {currency: text(value) for currency, value in money.items()}
