"""`lastmile budget` on a played cloud: a bill in FOCUS, the requests since, a store, and what is printed."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from lastmile_runtime.stores import open_store
from lastmile_sls.control.usage import Counted
from lastmile_sls.estimate.as_json import to_json
from lastmile_sls.estimate.document import Component, Estimate, Line, Traffic
from lastmile_sls.prices.book import Price, Tier
from lastmile_sls.traffic.live import LiveTraffic
from tests.lastmile_sls.budget.months import START, VERSIONS, Month
from tests.lastmile_sls.cli.clouds import OUTPUTS, Played
from tests.lastmile_sls.control.commands import Ran, Typist

pytest.importorskip("duckdb")
ACTIONS = {
    "stop_shadows_percent": 80,
    "throttle": {"percent": 90, "requests_per_s": 5},
    "drop_warm_percent": 95,
}
BUDGET = {"monthly_limit": 250, "alerts_percent": [100], "notify": ["a@example.com"], "actions": ACTIONS}
SPEC: dict[str, Any] = {
    "name": "churn",
    "owner": "ann",
    "cost_center": "cc-1",
    "versions": [
        {"id": id_, "artifact": "model.py", "framework": "python", "entry": "Model"} for id_ in VERSIONS
    ],
    "traffic": {"champion": "v1"},
    "resources": {"min_instances": 2},
    "targets": {"aws": {"region": "eu-west-1"}},
}


class World:
    """A deployment whose bucket is a folder, with a bill of November."""

    def __init__(self, typist: Typist, played: Played) -> None:
        self.typist = typist
        self.folder = typist.outputs_file.parent
        self.store = open_store((self.folder / "bucket").as_uri())
        Month(self.store)
        self.spec(BUDGET)
        self.typist.write_outputs(
            {**OUTPUTS, "versions": VERSIONS, "routing": f"{(self.folder / 'bucket').as_uri()}/routing.json"}
        )
        played.counts = (
            Counted(date(2026, 11, 15), "v1", 999_999, Decimal(20)),
            Counted(date(2026, 11, 16), "v1", 150_000, Decimal(20)),
        )
        write_estimate(self.folder / "estimate.json")

    def spec(self, budget: Any) -> None:
        (self.folder / "lastmile.yaml").write_text(yaml.safe_dump({**SPEC, "budget": budget}))

    def bill(self, total: str, **changes: str) -> None:
        write_bill(self.folder / "focus.csv", Decimal(total) / 15, 15, changes)

    def enforce(self, *words: str) -> Ran:
        asked = ["--costs", "focus.csv", "--estimate", "estimate.json", "--at", "2026-11-16T12:00Z", *words]
        return self.typist.ask("budget enforce", *asked)

    def routing(self) -> dict[str, Any]:
        return LiveTraffic(self.store, "routing.json", VERSIONS).read()


@pytest.fixture
def world(typist: Typist, played: Played) -> World:
    return World(typist, played)


def write_estimate(path: Path, currency: str = "USD") -> None:
    """A request costs 0.00002, and a month without any 73."""
    day = date(2026, 11, 1)
    tiers = (Tier(Decimal(0), Decimal(1)),)
    price = Price("aws.x", "X", "eu-west-1", "1", currency, tiers, Decimal(0), "https://x", day, True)
    components = (
        Component("requests", Decimal(20), price, Decimal(20), usage_based=True),
        Component("warm", Decimal(73), price, Decimal(73), usage_based=False),
    )
    line = Line("aws:lambda/function:Function", "churn-dev-predict", "priced", components)
    traffic = Traffic(Decimal(1_000_000), {"v1": Decimal(20)})
    estimate = Estimate(
        *("churn-dev", "aws", "eu-west-1", currency, traffic, {"v1": Decimal(1)}, (line,)), free_tier=False
    )
    path.write_text(json.dumps(to_json({"": estimate})))


def write_bill(path: Path, each: Decimal, days: int, changes: dict[str, str]) -> None:
    """Write FOCUS 1.0, a row a day."""
    tags = json.dumps({"model": "churn", "environment": "dev"})
    row = {
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), f"{each:f}"),
        "BillingAccountId": "1",
        "BillingAccountName": "a",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-11-01T00:00:00Z",
        "BillingPeriodEnd": "2026-12-01T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": "x",
        "InvoiceIssuerName": "AWS",
        "PricingQuantity": "1",
        "PricingUnit": "1",
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "ServiceCategory": "Compute",
        "ServiceName": "AWS Lambda",
        "ResourceId": "arn:x",
        "Tags": tags,
        **changes,
    }
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*row, "ChargePeriodStart", "ChargePeriodEnd"])
        writer.writeheader()
        for day in range(1, days + 1):
            period = {
                "ChargePeriodStart": f"2026-11-{day:02d}T00:00:00Z",
                "ChargePeriodEnd": f"2026-11-{day + 1:02d}T00:00:00Z",
            }
            writer.writerow({**row, **period})


def test_a_dry_run_says_what_would_be_done_and_does_nothing(world: World) -> None:
    world.bill("198")
    told = world.enforce()
    assert (told.code, told.out.splitlines()) == (
        3,
        [
            "churn-dev (aws), 2026-11",
            "  billed           198.00 USD  up to 2026-11-15",
            "  estimated          4.20 USD  since: 150\u00a0000 requests 3.00, standing 1.20",
            "  spent            202.20 USD  80.9 % of 250",
            "  would do       80 %  stop shadows: shadows v2 100 %, v3 25.5 % -> no shadows",
        ],
    )
    assert told.err == "dry run: nothing was done; --apply does it\n"
    assert world.routing() == START
    assert world.store.list("budget/") == []


def test_a_month_by_its_commands(world: World) -> None:
    world.bill("198")
    told = world.enforce("--apply")
    assert (told.code, told.out.splitlines()[-1]) == (
        3,
        "  done           80 %  stop shadows: shadows v2 100 %, v3 25.5 % -> no shadows, revision 1",
    )
    again = world.enforce("--apply")
    assert (again.code, again.out.splitlines()[-1]) == (0, "  nothing is due")
    world.bill("240")
    document = world.enforce("--apply", "--json").json
    steps = document.pop("steps")
    assert document == {
        "deployment": "churn-dev",
        "target": "aws",
        "period": "2026-11",
        "currency": "USD",
        "limit": "250",
        "billed": "240",
        "billed_through": "2026-11-15",
        "estimated": {"requests": 150_000, "usage": "3", "baseline": "1.2", "total": "4.2"},
        "spent": "244.2",
        "spent_percent": "97.7",
        "warnings": [],
        "applied": True,
        "done": [
            {
                "id": "2026-11/throttle",
                "stage": "done",
                "note": "no throttle -> throttled to 5 requests/s of each instance, revision 2",
            },
            {
                "id": "2026-11/drop-warm",
                "stage": "done",
                "note": "min_instances 2 -> 0 with the next `lastmile up`",
            },
        ],
    }
    assert [(step["action"], step["note"]) for step in steps] == [
        ("throttle", "no throttle -> throttled to 5 requests/s of each instance"),
        ("drop_warm", "min_instances 2 -> 0"),
    ]
    shown = world.typist.ask("budget status")
    assert shown.out.splitlines()[:7] == [
        "churn-dev (aws)",
        "  limit      250 USD a month",
        "       80 %  stop shadows  done 2026-11-16T12:00:00Z",
        "       90 %  throttle to 5 requests/s  done 2026-11-16T12:00:00Z",
        "       95 %  drop warm instances  done 2026-11-16T12:00:00Z",
        "      100 %  alert",
        "  override   min_instances is 0 instead of 2: budget override since 2026-11-16T12:00:00Z (97.7 % spent)",
    ]
    assert len(shown.out.splitlines()) == 10
    asked = world.typist.ask("budget release")
    assert asked.err == "dry run: nothing was done; --apply does it\n"
    world.spec(None)  # whoever takes the budget away can still undo what it did
    released = world.typist.ask("budget release", "--apply", "-m", "more money")
    world.spec(BUDGET)
    assert released.err == (
        "warm instances change with the next `lastmile up --target aws`: see it with `lastmile preview`\n"
    )
    assert released.out.splitlines() == [
        "  undone         95 %  drop warm instances: min_instances 0 -> 2 with the next `lastmile up`",
        "  undone         90 %  throttle: throttled to 5 requests/s of each instance -> no throttle, revision 3",
        "  undone         80 %  stop shadows: no shadows -> shadows v2 100 %, v3 25.5 %, revision 4",
    ]
    assert world.enforce("--apply").code == 0
    assert world.typist.ask("budget release").err == "nothing stands that could be undone\n"
    after = world.routing()
    assert {name: after.get(name) for name in START} == START
    assert after["changed"]["reason"] == "more money"
    last = world.typist.ask("budget status", "--json").json["history"][-1]
    assert (last["event"], last["key"], last["undone_why"]) == ("undone", "drop-warm", "more money")


@pytest.mark.parametrize(
    ("changes", "words", "message"),
    [
        (
            {"BillingCurrency": "EUR"},
            (),
            "error: the files bill churn (dev) in EUR, but budget.currency is USD.",
        ),
        ({}, ("--usage", "usage.csv"), "error: usage.csv has no row of churn in dev."),
        (
            {},
            ("--estimate", "other.json"),
            "error: other.json cannot be read: No such file or directory.",
        ),
        (
            {},
            ("--at", "soon"),
            "error: --at is 'soon', but must be a time such as 2026-11-20 or 2026-11-20T06:00Z.",
        ),
        (
            {},
            ("--environment", "prod"),
            "error: the outputs are of churn-dev, but the spec is of churn-prod.",
        ),
    ],
)
def test_refusals(world: World, changes: dict[str, str], words: tuple[str, ...], message: str) -> None:
    world.bill("1", **changes)
    (world.folder / "usage.csv").write_text(
        "day,model,environment,version,requests,duration_ms\n2026-11-16,other,dev,v1,1,1\n"
    )
    told = world.enforce(*words)
    assert (told.code, told.err.splitlines()[0]) == (1, message)


def test_rows_without_tags_are_warned_about_and_the_month_is_an_estimate(world: World) -> None:
    world.bill("240", Tags="{}")
    told = world.enforce("--apply")
    assert told.code == 0
    assert told.err.startswith(
        "  warning: no row of 2026-11 in the files is of churn (dev): none of their rows names a model. Are the tags"
    )
    assert told.out.splitlines()[1:4] == [
        "  billed             0.00 USD",
        "  estimated         60.20 USD  since: 1\u00a0149\u00a0999 requests 23.00, standing 37.20",
        "  spent             60.20 USD  24.1 % of 250",
    ]


def test_what_is_not_there_is_said(world: World) -> None:
    world.bill("240")
    world.typist.write_outputs({**OUTPUTS, "versions": ["v1"]})
    told = world.enforce("--apply")
    assert told.code == 3
    assert told.err.splitlines()[-1] == (
        "  nothing can be done before `lastmile up --target aws` has made the routing document"
    )
    world.spec({name: value for name, value in BUDGET.items() if name != "actions"})
    told = world.enforce("--apply")
    assert (told.code, told.out.splitlines()[-1]) == (0, "  nothing is due")
    world.spec(None)
    told = world.enforce()
    assert (told.code, told.err.splitlines()[0]) == (1, "error: churn has no budget.")
    told = world.typist.run("budget", "enforce")
    assert told.err.splitlines()[0] == "error: churn has no budget."
    world.spec(BUDGET)
    told = world.typist.run("budget", "status")
    assert told.err.splitlines() == [
        "error: churn-dev is not deployed on this machine.",
        "hint: Deploy it: lastmile up",
    ]


def test_a_throttle_is_set_and_lifted_by_hand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveTraffic(world.store, "routing.json", VERSIONS)
    monkeypatch.setattr("lastmile_sls.cli.traffic.Where.find", lambda where: live)
    told = world.typist.run("traffic", "throttle", "2.5", "-m", "the bill")
    assert told.code == 0
    assert "throttled to 2.5 requests/s of each instance" in told.out.splitlines()
    changed = world.routing()["changed"]
    assert (changed["action"], changed["reason"]) == ("throttle 2.5", "the bill")
    world.typist.run("traffic", "throttle", "off")
    assert "throttle" not in world.routing()
    again = world.typist.run("traffic", "throttle", "off")
    assert again.err == "error: nothing would change: the traffic is so already.\n"
    wrong = world.typist.run("traffic", "throttle", "fast")
    assert "'fast' is neither a number of requests a second nor off." in wrong.err
    low = world.typist.run("traffic", "throttle", "0")
    assert low.err.startswith("error: functions would not take the document: routing.throttle is")
