"""How AWS counts: a GB is 2^30 bytes, a function's time is whole milliseconds, a payload whole pieces. Pure.

aws.amazon.com/lambda/pricing (copy of 2026-09-20): duration is "rounded up to the nearest 1 ms", memory of 1024 MB is 1 GB.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from lastmile_sls.estimate.document import NOTHING, FunctionLoad, Work
from lastmile_sls.estimate.volume import ByVersion

MB = Decimal(1024)
"""Of a GB."""
KB = MB * MB
"""Of a GB."""


def whole(quantity: Decimal) -> Decimal:
    """Return the next whole number."""
    return quantity.to_integral_value(ROUND_CEILING)


def pieces(payload_kb: Decimal, piece_kb: int) -> Decimal:
    """Return as how many pieces a payload is billed: at least one."""
    return max(Decimal(1), whole(payload_kb / piece_kb))


def billed_s(duration_ms: Decimal) -> Decimal:
    """Return the seconds of a function that are billed."""
    return whole(duration_ms) / 1000


def seconds(work: Iterable[Work]) -> ByVersion:
    """Return each version's billed seconds."""
    found: dict[str, Decimal] = {}
    for one in work:
        found[one.version] = found.get(one.version, NOTHING) + one.count * billed_s(one.duration_ms)
    return found


def own(load: FunctionLoad, quantity: Decimal) -> ByVersion:
    """Return the quantity as its version's, where a function serves one alone; else it is everybody's."""
    versions = load.function["versions"]
    return {versions[0]: quantity} if len(versions) == 1 and not load.function["calls"] else {}
