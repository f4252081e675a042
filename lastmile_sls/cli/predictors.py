"""Says what serves each version: the predictor, why not a faster one, its size, its proof and its first answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from lastmile_sls.words import size

if TYPE_CHECKING:
    from lastmile_sls.bundle.served import Served
    from lastmile_sls.certification.first_answer import FirstAnswer


def show_predictors(
    predictors: Sequence[Served], answers: Mapping[str, FirstAnswer | str] | None = None
) -> None:
    """Print one line per version, and one per faster predictor that was not taken."""
    for served in predictors:
        parts = [f"{served.predictor}, {size(served.size_bytes)}"]
        if served.certified_rows is not None:
            parts.append(
                f"certified on {served.certified_rows} rows, largest difference {served.largest_difference:.2g}"
            )
        answer = (answers or {}).get(served.version)
        if isinstance(answer, str):
            parts.append(f"first answer not measured: {answer}")
        elif answer is not None:
            parts.append(
                f"first answer after {answer.seconds * 1000:.0f} ms with {size(answer.memory_bytes)} of memory"
            )
        click.echo(f"  {served.version}: {'; '.join(parts)}", err=True)
        for predictor, why in served.not_taken.items():
            click.echo(f"    not by {predictor}: {' '.join(why.split())}", err=True)


def predictors_of(
    predictors: Sequence[Served], answers: Mapping[str, FirstAnswer | str] | None = None
) -> list[dict[str, Any]]:
    """Return the same as JSON has it."""
    found = []
    for served in predictors:
        entry = {**vars(served)}
        answer = (answers or {}).get(served.version)
        if isinstance(answer, str):
            entry["first_answer_failure"] = answer
        elif answer is not None:
            entry |= {"first_answer_s": answer.seconds, "first_answer_memory_bytes": answer.memory_bytes}
        found.append(entry)
    return found
