"""boto3 against moto: `lastmile tags check` of a deployment with a tag missing, one wrong and a resource gone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import pytest
import yaml

from lastmile_sls.control.aws.tags import TYPES
from lastmile_sls.policy.rules.tags import taggable
from lastmile_sls.tags.deployed import stack_outputs
from tests.clouds.stacks import GOLDEN, read_golden
from tests.conformance.aws.account import ACCOUNT, REGION, Account, moto_account
from tests.conformance.aws.deployments import WORK, deployment, make_users_own
from tests.lastmile_infra.plans import spec_of, two_versions
from tests.lastmile_sls.control.commands import Typist
from tests.lastmile_sls.costs.exports import row, write_csv

pytestmark = pytest.mark.conformance
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:churn-dev-predict"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:churn-dev-jobs"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:churn-dev-alarms"
TAGS = {
    "model": "churn",
    "environment": "dev",
    "owner": "growth-team",
    "cost-center": "cc-1",
    "managed-by": "lastmile",
}
PLACE = f"churn-dev ({REGION}, account {ACCOUNT})"
BUDGET = f"AWS does not let you see the tags of Budget churn-dev-budget of {PLACE}: no, because (AccessDeniedException)."


class Aside(BaseHTTPRequestHandler):
    """The services that moto has nothing of: budgets' tags, which are refused, and the bill's keys."""

    active: ClassVar[list[str]] = []
    refusals: ClassVar[dict[str, str]] = {}
    """By operation, the code of an error in place of an answer."""
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        operation = self.headers["x-amz-target"].rpartition(".")[2]
        self.asked.append(operation)
        code = self.refusals.get(operation)
        tags = [{"TagKey": key, "Type": "UserDefined", "Status": "Active"} for key in self.active]
        document = {"__type": code, "message": "no, because"} if code else {"CostAllocationTags": tags}
        body = json.dumps(document).encode()
        self.send_response(400 if code else 200)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@dataclass(frozen=True)
class World:
    """A deployment on moto, and the state of its stack."""

    account: Account
    state: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("work")
    with moto_account() as account:
        make_users_own(account)
        made, plan = deployment(account, "work", folder)
        assert plan["tags"] == TAGS
        made.up()
        yield World(account, made.state(), folder)


@pytest.fixture
def typist(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Typist]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Aside)
    Thread(target=server.serve_forever, daemon=True).start()
    aside = f"http://127.0.0.1:{server.server_port}"
    for name, value in world.account.environment().items():
        monkeypatch.setenv(name, value)
    for service in ("BUDGETS", "COST_EXPLORER"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", aside)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    monkeypatch.setenv("COLUMNS", "100")
    Aside.active, Aside.asked = list(TAGS), []
    Aside.refusals = {"ListTagsForResource": "AccessDeniedException"}
    made = Typist(tmp_path, monkeypatch, capsys)
    spec = spec_of(**{**two_versions(apart=True), **WORK})
    content = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    (tmp_path / "lastmile.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "state.json").write_text(json.dumps(world.state))
    yield made
    server.shutdown()
    server.server_close()


CHECK = ("tags", "check", "--state", "state.json")


def test_each_type_of_our_programs_is_known() -> None:
    paths = sorted(GOLDEN.parents[1].glob("*/golden/*.json"))
    types = {record.type for path in paths for record in read_golden(path) if record.type in taggable()}
    assert {type_ for type_ in types if type_.startswith("aws:")} - TYPES == set()


def test_everything_is_well_but_what_nobody_may_look_at(world: World, typist: Typist) -> None:
    Aside.active = ["model", "environment", "managed-by"]
    told = typist.run(*CHECK)
    assert (told.code, told.out.splitlines()) == (
        0,
        [
            f"churn-dev on aws, {REGION}, account {ACCOUNT}",
            "  Budget churn-dev-budget",
            f"    not looked at: {BUDGET}",
            "  22 resources take tags: 21 well, 1 not looked at",
        ],
    )
    assert told.err.splitlines()[-1] == (
        "note: the bill does not have owner and cost-center: no active cost allocation tags of this account. "
        f"Activate: lastmile bootstrap --target aws --account {ACCOUNT} --activate-tags"
    )


def bill(path: Path) -> None:
    """Write rows of two days: without owner, without any tag, of another's, and of what is well."""
    without = json.dumps({key: value for key, value in TAGS.items() if key != "owner"})
    rows = [
        row(ResourceId=f"{FUNCTION}:live", EffectiveCost="12.30", Tags=without),
        row(
            ResourceId=FUNCTION, EffectiveCost="0.07", Tags=None, ChargePeriodStart="2026-10-30T00:00:00.000Z"
        ),
        row(ResourceId=FUNCTION, EffectiveCost="2.5", Tags=without, BillingCurrency="EUR"),
        row(ResourceId=FUNCTION, EffectiveCost="99", Tags=json.dumps(TAGS)),
        row(ResourceId=f"{FUNCTION}-v2", EffectiveCost="50", Tags=json.dumps(TAGS)),
        row(ResourceId=QUEUE, EffectiveCost="1.01", Tags=json.dumps({**TAGS, "cost-center": "cc-9"})),
        row(ResourceId=TOPIC, EffectiveCost="0.4", Tags=None),
        row(ResourceId=f"{TOPIC}-of-another", EffectiveCost="7", Tags=None),
    ]
    write_csv(path, rows)


def spoil(account: Account) -> None:
    """Take a tag off, set one wrong and one more, and delete a function."""
    account.call("lambda", "untag_resource", Resource=FUNCTION, TagKeys=["owner"])
    url = account.call("sqs", "get_queue_url", QueueName="churn-dev-jobs")["QueueUrl"]
    account.call("sqs", "tag_queue", QueueUrl=url, Tags={"cost-center": "cc-9", "team": "x"})
    account.call("lambda", "delete_function", FunctionName="churn-dev-predict-v2")


REFRESH = "cd PROJECT && pulumi up --refresh"
BY_HAND = f"Somebody set it by hand; this puts cc-1 back: {REFRESH}; if cc-9 is right, change cost_center in the spec"
TOLD = [
    f"churn-dev on aws, {REGION}, account {ACCOUNT}",
    "  Budget churn-dev-budget",
    f"    not looked at: {BUDGET}",
    "  Queue churn-dev-jobs",
    "    wrong    cost-center: is cc-9, should be cc-1",
    "  Function churn-dev-predict-v2",
    "    gone     the stack has it, the cloud does not",
    "  Function churn-dev-predict",
    "    missing  owner: should be growth-team                                     2.50 EUR and 12.37 USD",
    "  22 resources take tags: 18 well, 2 with missing or wrong ones, 1 gone, 1 not looked at",
    "  without owner: 2.50 EUR and 12.37 USD",
    "  in all: 2.50 EUR and 12.37 USD, billed from 2026-10-03 to 2026-10-30 without the tag, so nobody's",
    "",
    "what to do:",
    f"  {BY_HAND}",
    f"  It was deleted beside the stack; this makes it again: {REFRESH}",
    f"  It was taken off beside the stack; this puts it back: {REFRESH}",
]


def test_one_missing_one_wrong_one_gone(world: World, typist: Typist) -> None:
    spoil(world.account)
    bill(Path("bill.csv"))
    told = typist.run(*CHECK, "--costs", "bill.csv", "--junit", "tags.xml")
    assert (told.code, told.out.splitlines()) == (1, TOLD)
    notes = [line for line in told.err.splitlines() if line.startswith("note: ")]
    assert "note: Queue churn-dev-jobs has tags beside the spec's: team" in notes
    assert notes[-1] == (
        "note: the files have 0.40 USD without tags of the 18 resources that have them now: rows of before they were "
        "tagged, or tags that the bill does not have"
    )
    suite = ET.parse("tags.xml").getroot()[0]
    counts = {name: suite.get(name) for name in ("tests", "failures", "skipped")}
    assert counts == {"tests": "22", "failures": "3", "skipped": "1"}
    document = typist.run(*CHECK, "--costs", "bill.csv", "--json").json
    assert (document["passed"], document["complete"], document["cost"]) == (
        *(False, False),
        {"EUR": "2.5", "USD": "12.37"},
    )
    wrong = {one["name"]: one for one in document["resources"] if one["findings"]}
    assert wrong["churn-dev-jobs"]["findings"] == [
        {
            "kind": "wrong",
            "key": "cost-center",
            "part": None,
            "wanted": "cc-1",
            "found": "cc-9",
            "advice": BY_HAND,
            "cost": {},
        }
    ]
    assert wrong["churn-dev-predict-v2"]["presence"] == "gone"

    typist.write_outputs(stack_outputs(world.state))
    asked = ("tags", "check", "--outputs", str(typist.outputs_file), "--costs", "bill.csv", "--json")
    few = typist.run(*asked).json
    found = {one["name"]: [(f["kind"], f["key"]) for f in one["findings"]] for one in few["resources"]}
    assert {name: findings for name, findings in found.items() if findings} == {
        "churn-dev-predict": [("missing", "owner")],
        "churn-dev-jobs": [("wrong", "cost-center")],
        "churn-dev-predict-v2": [("gone", None)],
    }
    assert (len(found), few["cost"]) == (13, document["cost"])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "ExpiredTokenException",
            f"error: AWS does not take your credentials for {PLACE}: no, because (ExpiredTokenException).",
        ),
        (
            "ThrottlingException",
            (
                f"error: AWS was asked for the tags of Budget churn-dev-budget of {PLACE} again and again, and refused "
                "because there are too many requests: no, because (ThrottlingException)."
            ),
        ),
    ],
)
def test_refusals(code: str, message: str, typist: Typist) -> None:
    Aside.refusals = {"ListTagsForResource": code}
    told = typist.run(*CHECK)
    assert (told.code, told.out, told.err.splitlines()[-2]) == (1, "", message)


def test_the_account_of_others_and_a_bill_that_nobody_may_see(world: World, typist: Typist) -> None:
    Aside.refusals = {**Aside.refusals, "ListCostAllocationTags": "AccessDeniedException"}
    told = typist.run(*CHECK, "--json").json
    assert told["notes"][0] == (
        "whether the bill has these tags was not looked at; the account that pays says it: AWS does not let you see the "
        f"cost allocation tags of {PLACE}: no, because (AccessDeniedException)"
    )
    other = json.dumps(world.state).replace(f'"account": "{ACCOUNT}"', '"account": "999999999999"')
    Path("state.json").write_text(other)
    assert typist.run(*CHECK).err.splitlines()[-2:] == [
        (
            f"error: the stack of churn-dev ({REGION}, account 999999999999) is not there: your credentials are those of "
            f"the account {ACCOUNT}."
        ),
        "hint: Use the credentials of the account 999999999999: aws sts get-caller-identity",
    ]


def test_what_is_gone_each_service_says_in_its_own_way(world: World, typist: Typist) -> None:
    Aside.refusals = {"ListTagsForResource": "NotFoundException"}
    world.account.empty()
    document = typist.run(*CHECK, "--json").json
    there = {one["type"].rpartition(":")[2] for one in document["resources"] if one["presence"] != "gone"}
    # moto tells tags, none, of these where they are not there: botocore's models have ResourceNotFoundException.
    assert there == {"LogGroup", "MetricAlarm", "ScheduleGroup"}
