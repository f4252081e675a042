"""An idle, a steady and a bursty month, counted twice: by the formulas, and as a spreadsheet would, from raw numbers alone.

The prices are those of europe-west1, a tier-1 region, as the pages of the list of prices have them.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from lastmile_sls.estimate.document import Estimate, Traffic
from tests.lastmile_sls.estimate.gcp.months import estimate_of, traffic

_IDLE = traffic(0, {})
_STEADY = traffic(
    *(2_628_000, {"v1": 180}),
    request_kb=Decimal(2),
    response_kb=Decimal(4),
    log_kb=Decimal(2),
    effective_concurrency=Decimal(1),
)
_BURSTY = traffic(
    *(500_000, {"v1": 730}),
    init_ms={"predict": Decimal(2300)},
    cold_share=Decimal("0.02"),
    effective_concurrency=Decimal("2.5"),
)
_GIB = 1_048_576
"""In KiB."""


def rows_of(found: Estimate) -> dict[str, float]:
    """Return what each component costs that costs anything."""
    rows: dict[str, float] = {}
    for one in found.components:
        if one.cost:
            rows[one.name] = rows.get(one.name, 0) + float(one.cost)
    return rows


def check(name: str, month: Traffic, rows: dict[str, float]) -> None:
    found = estimate_of(name, month)
    assert rows_of(found) == pytest.approx(rows, rel=1e-9)
    assert float(found.monthly) == pytest.approx(sum(rows.values()), rel=1e-9)


def test_a_service_with_its_own_log_and_metrics() -> None:
    """watched: 1 vCPU, 512 MiB, 4 requests at once, lent a second processor while it starts; its log kept for 90 days."""
    idle = {"Images, 0.2 GiB each (assumed)": 0.2 * 0.10, "Version": 0.06}
    check("watched", _IDLE, idle)
    check(
        "watched",
        _STEADY,
        idle
        | {
            "CPU": 2_628_000 * 0.2 * 0.000024,
            "Memory": 2_628_000 * 0.2 * 0.5 * 0.0000025,
            "Requests": 2_628_000 * 0.40 / 1_000_000,
            "Data to the internet": 2_628_000 * 4 / _GIB * 0.105,
            "Log": 2_628_000 * 2 / _GIB * 0.50,
            "Log, after 30 days": 2_628_000 * 2 / _GIB * 60 / (730 / 24) * 0.01,
            "Points": 730 * 60 * (80 + 8) / 1_048_576 * 0.258,
        },
    )


def test_bursts_of_which_a_fifth_is_answered_later() -> None:
    """watched again: 400 000 answers at once; 100 000 are accepted, worked on and fetched, with 100 ms for each object."""
    month = Traffic(**{**vars(_BURSTY), "later_share": Decimal("0.2")})
    worked_s = (400_000 * 0.8 + 100_000 * 0.1 + 100_000 * 0.1 + 100_000 * 1.1) / 2.5
    starts = (400_000 + 3 * 100_000) * 0.02
    check(
        "watched",
        month,
        {
            "Images, 0.2 GiB each (assumed)": 0.2 * 0.10,
            "Version": 0.06,
            "CPU": (worked_s + starts * 2.3 * 2) * 0.000024,
            "Memory": (worked_s + starts * 2.3) * 0.5 * 0.0000025,
            "Requests": 700_000 * 0.40 / 1_000_000,
            "Data to the internet": 500_000 * 1 / _GIB * 0.105,
            "Log": 700_000 * 1 / _GIB * 0.50,
            "Log, after 30 days": 700_000 * 1 / _GIB * 60 / (730 / 24) * 0.01,
            "Points": 730 * 60 * (80 + 8) / 1_048_576 * 0.258,
            "Published": 100_000 * 1000 / 1024**4 * 40,
            "Delivered": 100_000 * 1000 / 1024**4 * 40,
            # Of 30 days, 30 more as a former version, and 7 as a deleted one; in base64.
            "Stored": 100_000 * (1 + 1) * 4 / 3 / _GIB * 67 / (730 / 24) * 0.02,
            "Writes": 200_000 * 0.05 / 10_000,
            "Reads": 300_000 * 0.004 / 10_000,
        },
    )


def test_a_service_behind_a_load_balancer() -> None:
    """web-app: a forwarding rule, and a policy with a rule of its own and the one that each policy has."""
    idle = {
        "Images, 0.2 GiB each (assumed)": 0.2 * 0.10,
        "Forwarding rule": 730 * 0.025,
        "Policy": 5.0,
        "Rules": 2 * 1.0,
    }
    check("web-app", _IDLE, idle)
    check(
        "web-app",
        _STEADY,
        idle
        | {
            "CPU": 2_628_000 * 0.2 * 0.000024,
            "Memory": 2_628_000 * 0.2 * 0.5 * 0.0000025,
            "Log": 2_628_000 * 2 / _GIB * 0.50,
            "Data from callers": 2_628_000 * 2 / _GIB * 0.008,
            "Data to callers": 2_628_000 * 4 / _GIB * 0.008,
            "Data to the internet": 2_628_000 * 4 / _GIB * 0.12,
            # Cloud Run's and Cloud Armor's.
            "Requests": 2.628 * 0.40 + 2.628 * 0.75,
        },
    )
    check(
        "web-app",
        _BURSTY,
        idle
        | {
            "CPU": (500_000 * 0.8 / 2.5 + 10_000 * 2.3 * 2) * 0.000024,
            "Memory": (500_000 * 0.8 / 2.5 + 10_000 * 2.3) * 0.5 * 0.0000025,
            "Log": 500_000 / _GIB * 0.50,
            "Data from callers": 500_000 / _GIB * 0.008,
            "Data to callers": 500_000 / _GIB * 0.008,
            "Data to the internet": 500_000 / _GIB * 0.12,
            "Requests": 0.5 * 0.40 + 0.5 * 0.75,
        },
    )
