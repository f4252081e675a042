"""Whole months of the overnight and conflicting-versions examples, against sums that are written out here.

The prices are eu-west-1's, in USD, as AWS's price list of 2026-10-01 has them; a month has 730 hours.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

from lastmile_sls.estimate.document import Estimate, Traffic
from lastmile_sls.estimate.estimate import estimate
from lastmile_sls.policy.resource import UNKNOWN, Resource
from tests.examples.projects import FOLDER, plan_for
from tests.lastmile_sls.estimate.aws.months import D, book

NIGHTS = 730 / 24
GB = 1024 * 1024
"""In KB."""


def _estimate(example: str, **traffic: Any) -> Estimate:
    golden = FOLDER.parent / "tests" / "examples" / "golden" / f"{example}-aws.json"
    resources = [
        Resource(made["type"], made["name"], f"urn::{made['name']}", _known(made["inputs"]))
        for made in json.loads(golden.read_text(encoding="utf-8"))
    ]
    plan = plan_for(example, "aws")
    numbers: dict[str, Any] = {
        name: value if isinstance(value, dict) else D(value) for name, value in traffic.items()
    }
    return estimate(plan, resources, Traffic(**numbers), book())


def _known(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _known(each) for name, each in found.items()}
    if isinstance(found, list):
        return [_known(each) for each in found]
    return UNKNOWN if found == "[unknown]" else found


def _says(found: Decimal, expected: float) -> None:
    """Check that two sums agree to a millionth of a dollar."""
    assert abs(float(found) - expected) < 1e-6, (found, expected)


def test_an_idle_month() -> None:
    """Nobody calls; each night the clock strikes and the function looks for files, with one message of the queue."""
    found = _estimate("overnight", requests=0, duration_ms={"v1": D(20)})
    function = NIGHTS * 0.0000002 + NIGHTS * 0.1 * 0.5 * 0.0000133334
    queue = (5 * 730 * 3600 / 20) * 0.0000004 + NIGHTS * 3 * 0.0000004
    bucket = NIGHTS * 2 * 0.000005 + NIGHTS * 3 * 0.0000004
    logs = NIGHTS / GB * 0.57 + NIGHTS / GB * (30 / NIGHTS) * 0.03
    metrics = 3 * (1 - math.exp(-NIGHTS / 730)) * 0.30
    clock, secret = NIGHTS * 0.000001, 0.40
    _says(found.monthly, function + queue + bucket + logs + metrics + clock + secret)
    _says(found.baseline, 657_000 * 0.0000004 + clock + secret)
    assert (found.region, found.currency, found.per_1000) == ("eu-west-1", "USD", None)
    assert all(line.status in ("priced", "free") for line in found.lines)


def test_a_steady_month() -> None:
    """A million calls of 20 ms, evenly: none is cold and none comes later; 2 KB of log and answers of 5 KB."""
    found = _estimate("overnight", requests=1_000_000, duration_ms={"v1": D(20)}, response_kb=5, log_kb=2)
    calls = 1_000_000 + NIGHTS
    function = calls * 0.0000002 + (1_000_000 * 0.020 + NIGHTS * 0.1) * 0.5 * 0.0000133334
    api = 1_000_000 * 0.00000111 + 5_000_000 / GB * 0.09
    queue = 657_000 * 0.0000004 + NIGHTS * 3 * 0.0000004
    bucket = NIGHTS * 2 * 0.000005 + NIGHTS * 3 * 0.0000004
    logs = calls * 2 / GB * 0.57 + calls * 2 / GB * (30 / NIGHTS) * 0.03
    metrics = (4 + 3 * (1 - math.exp(-NIGHTS / 730))) * 0.30
    total = function + api + queue + bucket + logs + metrics + NIGHTS * 0.000001 + 0.40
    _says(found.monthly, total)
    assert found.per_1000 is not None
    _says(found.per_1000, total / 1000)
    (one,) = found.by_version()
    _says(one.monthly, total)


def test_a_bursty_month() -> None:
    """A hundred thousand calls of 600 KB in bursts of fifty: a fifth is cold, half comes later; 50 000 rows at night."""
    found = _estimate(
        "overnight",
        requests=100_000,
        duration_ms={"v1": D("19.5")},
        init_ms={"predict": D(800)},
        request_kb=600,
        response_kb=40,
        log_kb=3,
        peak_concurrency=50,
        cold_share="0.2",
        later_share="0.5",
        rows=50_000,
        row_ms={"v1": D(20)},
    )
    pieces = 50_000 * 600 / 2048
    piece_s = math.ceil(50_000 / pieces * 20 + 500) / 1000
    batches = NIGHTS + NIGHTS + pieces
    calls = 50_000 + 50_000 + 50_000 + 50_000 + batches
    busy_s = (
        50_000 * 0.020  # answered at once
        + 50_000 * 0.100  # accepted
        + 50_000 * 0.100  # fetched
        + 50_000 * 0.320  # worked on: 319.5 ms
        + NIGHTS * 0.100
        + NIGHTS * 0.300
        + pieces * piece_s
    )
    starts_s = calls * 0.2 * 0.800
    function = calls * 0.0000002 + (busy_s + starts_s) * 0.5 * 0.0000133334
    api = 150_000 * 2 * 0.00000111 + 100_000 * 40 / GB * 0.09
    queue = 657_000 * 0.0000004 + (50_000 + batches) * 3 * 0.0000004
    work = 50_000 + batches
    kept = 50_000 * 640 * 4 / 3 / GB * (60 / NIGHTS) + 50_000 * 40 / GB
    bucket = kept * 0.023 + work * 2 * 0.000005 + work * 3 * 0.0000004
    logs = calls * 3 / GB * 0.57 + calls * 3 / GB * (30 / NIGHTS) * 0.03
    metrics = (2 + 2 + 2 + 2 + 3 + 2) * 0.30  # of calls and cold ones, twice; of messages and cold ones
    _says(found.monthly, function + api + queue + bucket + logs + metrics + NIGHTS * 0.000001 + 0.40)
    _says(found.baseline, 657_000 * 0.0000004 + NIGHTS * 0.000001 + 0.40)


def test_two_versions_apart() -> None:
    """The router's function waits for v2's: both are billed, and both are v2's own."""
    found = _estimate("conflicting-versions", requests=2_000_000, duration_ms={"v1": D(10), "v2": D(40)})
    per_request = 0.00000111 + 1 / GB * 0.09 + 0.0000002 + 1 / GB * (0.57 + 30 / NIGHTS * 0.03)
    waits = 0.0000002 + 0.040 * 0.5 * 0.0000133334 + 1 / GB * (0.57 + 30 / NIGHTS * 0.03)
    v1 = 1_000_000 * (per_request + 0.010 * 0.5 * 0.0000133334) + 0.60
    v2 = 1_000_000 * (per_request + 0.040 * 0.5 * 0.0000133334 + waits) + 0.60 + 0.60
    routing = 730 * 3600 / 5 * 0.0000004
    shared = 0.40 + 0.60 + 0.60 + routing
    parts = {one.version: one for one in found.by_version()}
    _says(parts["v1"].own, v1)
    _says(parts["v2"].own, v2)
    _says(found.monthly, v1 + v2 + shared)
