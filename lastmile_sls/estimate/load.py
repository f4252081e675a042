"""What each function works in a month: the traffic, split by the routing between versions and functions. Pure.

Who works on what is the runtime's doing (`lastmile_runtime.service`, `.shadows`, `.jobs`, `.batch`): the router's function
works on every request, job, shadow and file; a version with a function of its own is asked by it, which waits and is billed
for the wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.clock import runs_in_a_month
from lastmile_sls.estimate.document import NOTHING, SECONDS, WHOLE, FunctionLoad, Kind, Traffic, Work
from lastmile_sls.plan.document import FunctionPlan, Plan

Shares = Mapping[str, Decimal]
"""By version, 0 to 1."""
STORE_MS = Decimal(100)
"""What reading or writing an object takes a function: the least of what S3's page says of small objects, 100 to 200 ms
(docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html, read in a public copy 2026-11-30). No page says
it of the other clouds' stores: it is taken to be the same."""
_ACCEPT, _FETCH, _JOB, _LOOK, _BEGIN, _PIECE = 1, 1, 3, 1, 3, 5
"""How often each uses the store: a job's record and result, a folder's list, a file's plan, a piece's rows and part."""
_MOST_PIECE_KB = Decimal(2048)
_PIECE_SHARE = Decimal("0.125")
"""A piece of a file is no larger, and takes no more of the function's time (`lastmile_runtime.batch.one_file`)."""
_WHOLE_WEIGHT = Decimal(10_000)
_NO_TRAFFIC = Decimal("1e-9")


def shares_of(plan: Plan, live: Mapping[str, Any] | None = None) -> Shares:
    """Return each version's share of the requests: by the live routing document, else by the one that the plan has."""
    weights: Mapping[str, int] = (live or _routing(plan))["weights"]
    return {version: weight / _WHOLE_WEIGHT for version, weight in weights.items()}


def shadows_of(plan: Plan, live: Mapping[str, Any] | None = None) -> Shares:
    """Return the share of the requests that each shadow sees, by the same document."""
    shadows = (live or _routing(plan)).get("shadows") or ()
    return {shadow["version"]: shadow["percent"] / _WHOLE_WEIGHT for shadow in shadows}


def shadows_through(plan: Plan) -> Literal["queue", "process", "nothing"]:
    """Return how shadows see a request: by a message of the queue, in the process after the answer, or not at all.

    A process that may be frozen after its answer sends them to the queue (`lastmile_runtime.startup`).
    """
    router = plan["functions"][0]
    runs_on = (
        plan["target"] in ("azure", "local") or router["environment"].get("LASTMILE_KEEPS_RUNNING") == "1"
    )
    return "process" if runs_on else ("queue" if plan["queue"] else "nothing")


def loads(
    plan: Plan, traffic: Traffic, shares: Shares | None = None, shadows: Shares | None = None
) -> dict[str, FunctionLoad]:
    """Return what each function works in a month, by its name in the deployment.

    Args:
        plan: What is deployed.
        traffic: The month.
        shares: Each version's share of the requests; by default the plan's.
        shadows: The share that each shadow sees; by default the plan's.

    Raises LastmileError for a version without a duration, and for what needs a queue or a schedule that is not there.
    """
    _check(plan, traffic)
    shares = shares_of(plan) if shares is None else shares
    shadows = shadows_of(plan) if shadows is None else shadows
    month = _Month(plan, traffic)
    for version, share in shares.items():
        if share:
            month.ask(version, traffic.requests * share)
    if shadows_through(plan) != "nothing":
        for version, share in shadows.items():
            month.answer(version, "shadow", traffic.requests * share * (1 - shares.get(version, NOTHING)))
    month.score(max(shares, key=lambda version: shares[version]))
    return {function["name"]: _load(plan, function, month) for function in plan["functions"]}


def effective_concurrency(in_flight: Decimal, places: Decimal) -> Decimal:
    """Return how many requests share an instance's time on average.

    With Poisson arrivals the requests in flight are Poisson's as well, with the mean L (M/G/infinity; W. Whitt, "The physics
    of the Mt/G/infinity queue", Operations Research 41, 1993), so that at least one instance is active for 1 - e^-L of the
    time, and there are never fewer than L / C. The greater of the two is the least number of active instances on average,
    and L divided by it the most that can share one: what a cloud makes of it may be less.

    Args:
        in_flight: L, requests on average.
        places: C, the most that an instance takes at once.
    """
    if in_flight < _NO_TRAFFIC:
        return WHOLE
    busy = 1 - (-in_flight).exp()
    return max(WHOLE, in_flight / max(busy, in_flight / places))


@dataclass
class _Month:
    """The work of a month, as it is found."""

    plan: Plan
    traffic: Traffic
    work: dict[str, list[Work]] = field(default_factory=dict)

    def ask(self, version: str, count: Decimal) -> None:
        """Note requests: those answered at once, and those accepted, worked on by the queue and fetched later."""
        later = count * self.traffic.later_share
        self.answer(version, "request", count - later)
        if later:
            self._note(version, "request", later, _ACCEPT * STORE_MS)
            self._note(version, "request", later, _FETCH * STORE_MS)
            self.answer(version, "job", later, _JOB * STORE_MS)

    def answer(self, version: str, kind: Kind, count: Decimal, besides_ms: Decimal = NOTHING) -> None:
        """Note that a version answers: in the router's function, which waits where another one has the version."""
        if not count:
            return
        duration = _duration(self.traffic, version)
        self._note(version, kind, count, duration + besides_ms)
        callee = self.plan["functions"][0]["calls"].get(version)
        if callee is not None:
            self.work.setdefault(callee, []).append(Work(version, "call", count, duration))

    def score(self, champion: str) -> None:
        """Note what the schedule does: it looks, and where there are rows it begins a file and scores its pieces."""
        schedule, rows = self.plan["schedule"], self.traffic.rows
        if schedule is None:
            return
        runs = runs_in_a_month(schedule["cron"])
        self._note(champion, "batch", runs, _LOOK * STORE_MS)
        if rows:
            self._note(champion, "batch", runs, _BEGIN * STORE_MS)
            row_ms = self.traffic.row_ms.get(champion) or _duration(self.traffic, champion)
            count = max(runs, rows / self._rows_of_a_piece(row_ms))
            self.answer_rows(champion, count, rows / count * row_ms)

    def answer_rows(self, version: str, count: Decimal, duration_ms: Decimal) -> None:
        """Note pieces of files."""
        self._note(version, "batch", count, duration_ms + _PIECE * STORE_MS)
        callee = self.plan["functions"][0]["calls"].get(version)
        if callee is not None:
            self.work.setdefault(callee, []).append(Work(version, "call", count, duration_ms))

    def _rows_of_a_piece(self, row_ms: Decimal) -> Decimal:
        by_size = _MOST_PIECE_KB / max(self.traffic.request_kb, _NO_TRAFFIC)
        in_time = self.plan["functions"][0]["timeout_s"] * 1000 * _PIECE_SHARE / max(row_ms, _NO_TRAFFIC)
        return max(WHOLE, min(by_size, in_time))

    def _note(self, version: str, kind: Kind, count: Decimal, duration_ms: Decimal) -> None:
        router = self.plan["functions"][0]["name"]
        self.work.setdefault(router, []).append(Work(version, kind, count, duration_ms))


def _load(plan: Plan, function: FunctionPlan, month: _Month) -> FunctionLoad:
    traffic, work = month.traffic, tuple(month.work.get(function["name"], ()))
    apart = shadows_through(plan) == "queue"
    invocations = sum((one.count for one in work if one.kind != "shadow" or apart), NOTHING)
    return FunctionLoad(
        function=function,
        work=work,
        cold_starts=invocations * traffic.cold_share,
        init_ms=traffic.init_ms.get(function["name"], NOTHING),
        effective_concurrency=_concurrency(plan, function, traffic, work),
    )


def _concurrency(plan: Plan, function: FunctionPlan, traffic: Traffic, work: tuple[Work, ...]) -> Decimal:
    """Return how many requests share an instance; a Lambda instance works on one at a time."""
    if plan["target"] == "aws":
        return WHOLE
    places = Decimal(function["concurrency"])
    if traffic.at_once is not None and traffic.effective_concurrency is None:
        places = min(places, traffic.at_once)
    if traffic.effective_concurrency is not None:
        return min(traffic.effective_concurrency, places)
    busy_ms = sum((one.count * one.duration_ms for one in work), NOTHING)
    return effective_concurrency(busy_ms / 1000 / SECONDS, places)


def _duration(traffic: Traffic, version: str) -> Decimal:
    found = traffic.duration_ms.get(version)
    if found is None:
        raise LastmileError(
            f"nothing says how long {version} takes, but it has traffic.",
            f"Add --duration {version}=MILLISECONDS.",
        )
    return found


def _check(plan: Plan, traffic: Traffic) -> None:
    """Raise LastmileError for traffic that the plan has no way for."""
    if traffic.later_share and plan["functions"][0]["jobs"] is None:
        raise LastmileError(
            f"later_share is {traffic.later_share}, but {plan['deployment']} has no queue for answers that come later.",
            "Add queue: {} to the spec, or leave --later-share out.",
        )
    if traffic.rows and plan["schedule"] is None:
        raise LastmileError(
            f"rows is {traffic.rows}, but {plan['deployment']} has no schedule that scores files.",
            "Add schedule to the spec, or leave --rows out.",
        )


def _routing(plan: Plan) -> Mapping[str, Any]:
    """Return what the deployment begins with."""
    return plan["routing"]["content"] if plan["routing"] else plan["functions"][0]["routing"]
