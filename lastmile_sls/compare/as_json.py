"""A comparison as JSON, for programs: amounts are decimal text."""

from __future__ import annotations

from typing import Any

from lastmile_sls.certification.first_answer import FirstAnswer
from lastmile_sls.compare.document import Candidate, Column, Comparison
from lastmile_sls.estimate.as_json import text
from lastmile_sls.targets.compare import Row

FORMAT = "lastmile.comparison/1"


def document_of(found: Comparison) -> dict[str, Any]:
    """Return the whole document."""
    return {
        "format": FORMAT,
        "deployment": found.deployment,
        "currency": found.currency,
        "requests": text(found.requests),
        "recommended": {"target": found.best.size.target, "memory_mb": found.best.size.memory_mb}
        if found.best
        else None,
        "advice": list(found.advice),
        "targets": [_column(column, found.rows) for column in found.columns],
        "cheapest": [
            {"target": lead.target, "from_requests": lead.first, "to_requests": lead.last, "why": lead.reason}
            for lead in found.leads
        ],
        "crossings": [
            {
                "requests": one.requests,
                "monthly": text(one.monthly),
                "cheaper_below": one.before,
                "cheaper_from": one.after,
                "changes_the_cheapest": one.of_cheapest,
            }
            for one in found.crossings
        ],
        "curves": [
            {
                "target": curve.target,
                "points": [
                    {"requests": one.requests, "monthly": text(one.monthly), "memory_mb": one.memory_mb}
                    for one in curve.points
                ],
            }
            for curve in found.curves
        ],
        "first_answers": {
            "measured_on": found.here.machine,
            "versions": {id_: _answer(answer) for id_, answer in found.here.answers.items()},
        },
        "notes": list(found.notes),
    }


def _column(column: Column, rows: tuple[Row, ...]) -> dict[str, Any]:
    fit = column.offer.fit
    return {
        "target": column.target,
        "fits": fit.fits,
        "why_not": column.why or None,
        "sizes": [_candidate(candidate, column) for candidate in column.candidates],
        "refusals": [
            {"field": one.field, "value": one.value, "rule": one.rule, "change": one.change}
            for one in fit.refusals
        ],
        "notes": [{"field": note.field, "text": note.text} for note in fit.notes],
        "allows": [
            {"field": row.field, "allowed": cell.text, "fits": cell.fits, "source": cell.source}
            for row in rows
            if (cell := row.cells.get(column.target))
        ],
    }


def _candidate(candidate: Candidate, column: Column) -> dict[str, Any]:
    size, estimate = candidate.size, candidate.estimate
    return {
        "memory_mb": size.memory_mb,
        "processors": None if size.processors is None else text(size.processors),
        "is_the_specs": size.is_specs,
        "is_the_best_here": candidate is column.best,
        "duration_ms": None if candidate.duration_ms is None else text(candidate.duration_ms),
        "baseline": text(estimate.baseline) if estimate else None,
        "usage": text(estimate.usage) if estimate else None,
        "monthly": text(estimate.monthly) if estimate else None,
        "per_1000": text(estimate.per_1000) if estimate and estimate.per_1000 is not None else None,
        "region": estimate.region if estimate else None,
        "why_not": candidate.why or None,
    }


def _answer(answer: FirstAnswer | str) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"seconds": None, "memory_bytes": None, "why_not": answer}
    return {"seconds": answer.seconds, "memory_bytes": answer.memory_bytes, "why_not": None}
