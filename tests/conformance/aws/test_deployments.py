"""Every kind of deployment to AWS is carried out on moto: it holds together, changes nothing twice, and goes again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.aws.account import Account, moto_account
from tests.conformance.aws.deployments import NAMES, deployment, make_users_own
from tests.conformance.aws.judge import findings
from tests.conformance.aws.judge_work import work_findings
from tests.conformance.aws.moto_provider import Record

pytestmark = pytest.mark.conformance
USERS_OWN = ["iam caller", "s3 theirs", "secretsmanager hook", "secretsmanager token"]


@pytest.fixture(scope="module")
def server() -> Iterator[Account]:
    with moto_account() as account:
        yield account


@pytest.fixture
def account(server: Account) -> Account:
    server.empty()
    make_users_own(server)
    return server


@pytest.mark.parametrize("name", NAMES)
def test_a_deployment_is_made_as_planned_and_removed(name: str, account: Account, tmp_path: Path) -> None:
    world, plan = deployment(account, name, tmp_path)
    outputs = world.up().outputs
    assert [*findings(world.record), *work_findings(world.record)] == []
    assert outputs["url"].startswith("https://")
    functions = {made.outputs["name"] for made in world.record.of_type("aws:lambda/function:Function")}
    assert functions == {function["resource"] for function in plan["functions"]}

    world.up()
    assert world.done() == []

    world.destroy()
    kept = [f"s3 {made.outputs['bucket']}" for made in world.record.of_type("aws:s3/bucket:Bucket")]
    assert account.inventory() == sorted([*USERS_OWN, *kept])
    routing = plan["routing"]
    for line in kept:
        assert routing is not None  # nothing is in a bucket but that, as long as nobody asks for anything
        found = account.call("s3", "get_object", Bucket=line.partition(" ")[2], Key=routing["path"])
        assert json.loads(found["Body"].read()) == routing["content"]


def with_permissions(record: Record, account: Account, **changed: Any) -> list[str]:
    """Make a deployment again with its first permission changed; return what is wrong with it."""
    first = record.of_type("aws:lambda/permission:Permission")[0].name
    account.empty()
    make_users_own(account)

    def spoil(type_token: str, name: str, inputs: dict[str, Any]) -> None:
        if type_token == "aws:lambda/permission:Permission" and name == first:
            for key, value in changed.items():
                inputs[key] = value(inputs[key]) if callable(value) else value

    return findings(record.replayed(spoil, {}))


def test_who_else_could_call_the_function_is_found(account: Account, tmp_path: Path) -> None:
    world, _ = deployment(account, "public-url", tmp_path)
    world.up()
    record = world.record
    (url,) = record.of_type("aws:lambda/functionUrl:FunctionUrl")
    names = {made.inputs["action"]: made.name for made in record.of_type("aws:lambda/permission:Permission")}
    first, *_ = (made.inputs["action"] for made in record.of_type("aws:lambda/permission:Permission"))
    assert with_permissions(record, account) == []
    assert with_permissions(record, account, functionUrlAuthType=None, invokedViaFunctionUrl=None) == [
        f"Permission {names[first]} lets everybody {first}, and not through the URL alone."
    ]
    elsewhere = with_permissions(record, account, qualifier=None)
    function = url.inputs["functionName"]
    assert elsewhere == [
        f"FunctionUrl {url.name} is public, but not everybody may {first}.",
        f"everybody may {first} of {function}, which has no public URL.",
    ]


def test_a_way_past_the_authorizer_is_found(account: Account, tmp_path: Path) -> None:
    world, _ = deployment(account, "jwt-cors", tmp_path)
    world.up()
    (told,) = with_permissions(
        world.record, account, sourceArn=lambda arn: arn.replace("/$default/$default", "/*/*")
    )
    assert (
        "route OPTIONS /{proxy+}: the gateway answers browsers itself, so it need not call arn:aws:lambda:"
        in told
    )


WRONG = [
    (
        *("EventSourceMapping", "jobs-worker", "functionName", lambda arn: arn.removesuffix(":live")),
        "calls churn-dev-predict without an alias, so never a published version.",
    ),
    (
        *("EventSourceMapping", "jobs-worker", "functionResponseTypes", lambda _: []),
        ": a message that failed would count as done.",
    ),
    (
        *("Queue", "jobs", "visibilityTimeoutSeconds", lambda _: 29),
        ": a message is given to another before the function's 30 s are over.",
    ),
    (
        *(
            "RedriveAllowPolicy",
            "jobs-dead-redrive",
            "redriveAllowPolicy",
            lambda text: text.replace("jobs", "other"),
        ),
        "may set nothing aside: ",
    ),
    (
        *("QueuePolicy", "jobs-policy", "policy", lambda text: text.replace("Deny", "Allow")),
        "Queue churn-dev-jobs is reached without TLS.",
    ),
    (
        *("Schedule", "schedule", "target", lambda target: {**target, "arn": f"{target['arn']}2"}),
        "Schedule churn-dev-schedule: there is no queue ",
    ),
    (
        *("MetricAlarm", "latency", "alarmActions", lambda arns: [f"{arns[0]}2"]),
        "MetricAlarm churn-dev-latency tells ",
    ),
    (
        *(
            "TopicPolicy",
            "alarms-policy",
            "policy",
            lambda text: text.replace("alarm:churn-dev-latency", "alarm:x"),
        ),
        "MetricAlarm churn-dev-latency may not publish to ",
    ),
]


def test_work_that_does_not_hold_together_is_found(account: Account, tmp_path: Path) -> None:
    world, _ = deployment(account, "work", tmp_path)
    world.up()
    for kind, name, key, change, told in WRONG:
        account.empty()
        make_users_own(account)

        def spoil(
            type_token: str,
            called: str,
            inputs: dict[str, Any],
            which: tuple[str, str] = (f":{kind}", f"churn-dev-{name}"),
            key: str = key,
            change: Any = change,
        ) -> None:
            if type_token.endswith(which[0]) and called == which[1]:
                inputs[key] = change(inputs[key])

        found = work_findings(world.record.replayed(spoil, {}))
        assert [line for line in found if told in line], (kind, name, found)
