"""Has what a queue set aside delivered once more, after its cause was mended."""

from __future__ import annotations

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import supervise
from lastmile_sls.local.home import Place, check_name


def redrive(place: Place, queue: str) -> int:
    """Return how many messages are delivered once more. Raises LastmileError without a running host, or such a queue."""
    check_name("queue", queue)
    answer = supervise.ask(place, f"redrive {queue}")
    if answer is None:
        raise LastmileError(
            f"{place.deployment} does not run, so nothing would work on what is delivered.",
            "Run `lastmile up`, then again.",
        )
    if answer.get("error"):
        raise LastmileError(answer["error"], answer.get("hint") or f"See {place.host_log}.")
    return int(answer["redriven"])
