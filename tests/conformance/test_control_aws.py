"""boto3 against moto: `lastmile status|logs|queue` of a deployment whose stack's outputs are all that is known."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from lastmile_runtime.forms import emf
from lastmile_runtime.http import Request, Response
from lastmile_runtime.telemetry import Log
from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.aws.client import Aws
from lastmile_sls.control.aws.control import ALIAS
from lastmile_sls.control.aws.queue import SqsView
from lastmile_sls.control.clock import CloudClock
from lastmile_sls.control.follow import follow
from lastmile_sls.control.open import open_control
from lastmile_sls.control.told import Query
from lastmile_sls.errors import LastmileError
from tests.conformance.aws.account import ACCOUNT, REGION, Account, moto_account
from tests.lastmile_sls.control.commands import Typist

pytestmark = pytest.mark.conformance
FUNCTION = "churn-dev-predict"
GROUP = f"/aws/lambda/{FUNCTION}"
DIGEST = "sha256:" + "ab" * 32
HOUR = timedelta(hours=1)


@pytest.fixture
def typist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typist:
    return Typist(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def moto() -> Iterator[Account]:
    with moto_account() as made:
        yield made


@pytest.fixture
def aws(moto: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    moto.empty()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    return moto


def deploy(aws: Account) -> dict[str, Any]:
    """Make what a deployment is made of; return the stack's outputs."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.call("iam", "create_role", RoleName="churn-dev", AssumeRolePolicyDocument=policy)["Role"][
        "Arn"
    ]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("handler.py", "")
    made = aws.call(
        "lambda",
        "create_function",
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role=role,
        Handler="handler.handle",
        Code={"ZipFile": code.getvalue()},
        MemorySize=512,
        Publish=True,
        Environment={"Variables": {"LASTMILE_MANIFEST_DIGEST": DIGEST}},
    )
    aws.call("lambda", "create_alias", FunctionName=FUNCTION, Name=ALIAS, FunctionVersion=made["Version"])
    aws.call("lambda", "put_function_concurrency", FunctionName=FUNCTION, ReservedConcurrentExecutions=10)
    aws.call("logs", "create_log_group", logGroupName=GROUP)
    aws.call("logs", "create_log_stream", logGroupName=GROUP, logStreamName="one")
    dead = aws.call("sqs", "create_queue", QueueName="churn-dev-jobs-dead")["QueueUrl"]
    jobs = aws.call("sqs", "create_queue", QueueName="churn-dev-jobs")["QueueUrl"]
    aws.call("scheduler", "create_schedule_group", Name="churn-dev-schedule")
    schedule = aws.call(
        "scheduler",
        "create_schedule",
        Name="churn-dev-schedule",
        GroupName="churn-dev-schedule",
        ScheduleExpression="cron(0 2 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:churn-dev-jobs", "RoleArn": role},
    )["ScheduleArn"]
    for signal in ("errors", "latency"):
        aws.call(
            "cloudwatch",
            "put_metric_alarm",
            AlarmName=f"churn-dev-{signal}",
            Namespace="lastmile",
            MetricName="faas.errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    return {
        "deployment": "churn-dev",
        "target": "aws",
        "region": REGION,
        "account": ACCOUNT,
        "versions": ["v1"],
        "url": "https://abc.execute-api.eu-west-1.amazonaws.com",
        "key": "the-key",
        "functions": {"predict": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"},
        "logs": {"predict": GROUP},
        "queue": {"jobs": jobs, "dead_letters": dead},
        "schedule": schedule,
        "alarms": {"errors": "churn-dev-errors", "latency": "churn-dev-latency"},
        "dashboard": "https://console.aws.amazon.com/cloudwatch/home#dashboards/dashboard/churn-dev",
    }


def stack_of(outputs: dict[str, Any]) -> CloudStack:
    return CloudStack(None, "aws", outputs, os.environ)


def events() -> list[str]:
    """What the runtime writes of two requests, and what Lambda does."""
    lines: list[str] = []
    log = Log(FUNCTION, lines.append, emf.form)
    answered = Request("POST", "/v2/models/churn/infer", {"x-request-id": "r-1"}, b"")
    log.request(answered, Response(200, {}, b"", {"version": "v1", "model": "churn"}), 0.0015)
    failed = Request("POST", "/v2/models/churn/infer", {"x-request-id": "r-2"}, b"")
    facts = {"version": "v2", "model": "churn", "error": "the model failed"}
    log.request(failed, Response(500, {}, b"", facts), 0.25)
    return [
        json.dumps({"time": "t", "type": "platform.start", "record": {"requestId": "a"}}),
        *(line.rstrip() for line in lines),
        "a line of nobody's",
        json.dumps({"time": "t", "type": "platform.report", "record": {"status": "success"}}),
        json.dumps({"time": "t", "type": "platform.report", "record": {"status": "timeout"}}),
    ]


def put(aws: Account, messages: list[str], at: datetime) -> None:
    start = int(at.timestamp() * 1000)
    told = [{"timestamp": start + number, "message": message} for number, message in enumerate(messages)]
    aws.call("logs", "put_log_events", logGroupName=GROUP, logStreamName="one", logEvents=told)


def publish(aws: Account, event: dict[str, Any]) -> None:
    """Do what CloudWatch does with a line in the embedded metric format, for the function's own metrics.

    moto counts those of the function's versions with them, which CloudWatch does not.
    """
    for directive in event.get("_aws", {}).get("CloudWatchMetrics", ()):
        assert ["function"] in directive["Dimensions"]
        data = [
            {
                "MetricName": metric["Name"],
                "Dimensions": [{"Name": "function", "Value": event["function"]}],
                "Value": event[metric["Name"]],
                "Timestamp": datetime.now(UTC) - timedelta(minutes=1),
            }
            for metric in directive["Metrics"]
        ]
        aws.call("cloudwatch", "put_metric_data", Namespace=directive["Namespace"], MetricData=data)


def test_status(aws: Account, typist: Typist) -> None:
    typist.write_outputs(deploy(aws))
    for line in events():
        publish(aws, json.loads(line) if line.startswith("{") else {})
    told = typist.ask("status", "--json")
    document = told.json
    changed, due = document["functions"][0].pop("changed_at"), document["schedule"].pop("next_at")
    assert datetime.now(UTC) < datetime.fromisoformat(due) < datetime.now(UTC) + timedelta(days=1)
    since = [alarm.pop("since") for alarm in document["alarms"]]
    assert all(datetime.fromisoformat(time).tzinfo for time in (changed, *since))
    id_ = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"
    assert (told.code, document) == (
        0,
        {
            "deployment": "churn-dev",
            "target": "aws",
            "ready": True,
            "url": "https://abc.execute-api.eu-west-1.amazonaws.com",
            "auth": "key",
            "region": REGION,
            "account": ACCOUNT,
            "traffic": None,
            "versions": ["v1"],
            "functions": [
                {
                    "name": "predict",
                    "id": id_,
                    "state": "ready",
                    "why": None,
                    "version": "1",
                    "bundle": DIGEST,
                    "memory_mb": 512,
                    "min_instances": 0,
                    "max_instances": 10,
                    "errors_last_hour": 1,
                }
            ],
            "queues": {"jobs": {"queue": "jobs", "waiting": 0, "in_flight": 0, "dead": 0, "oldest_s": None}},
            "schedule": {
                "id": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/churn-dev-schedule/churn-dev-schedule",
                "state": "on",
                "expression": "cron(0 2 * * ? *)",
                "last_at": None,
                "last_error": None,
            },
            "alarms": [
                {"signal": "errors", "id": "churn-dev-errors", "state": "ok", "why": None},
                {"signal": "latency", "id": "churn-dev-latency", "state": "ok", "why": None},
            ],
            "dashboard": "https://console.aws.amazon.com/cloudwatch/home#dashboards/dashboard/churn-dev",
        },
    )
    alarm = {"AlarmName": "churn-dev-errors", "StateValue": "ALARM", "StateReason": "3 errors in 5 minutes"}
    aws.call("cloudwatch", "set_alarm_state", **alarm)
    shown = typist.ask("status")
    lines = shown.out.splitlines()
    assert lines[:6] == [
        "churn-dev",
        "  target     aws, eu-west-1, account 123456789012",
        "  endpoint   https://abc.execute-api.eu-west-1.amazonaws.com  (API key: lastmile key --target aws)",
        "  versions   v1 100 %",
        "  function   predict: ready, 512 MB, bundle sha256:abababababab, version 1",
        f"             0 to 10 instances, changed {changed}, 1 error in the last hour",
    ]
    assert lines[6:8] == [
        "  queue      jobs: 0 waiting, 0 in flight, 0 dead",
        f"  schedule   on, cron(0 2 * * ? *), next {due}",
    ]
    assert lines[8].startswith("  alarm      errors: alarm since 2")
    assert lines[8].endswith("Z: 3 errors in 5 minutes")
    assert lines[9:] == [
        "  alarm      latency: ok",
        "  dashboard  https://console.aws.amazon.com/cloudwatch/home#dashboards/dashboard/churn-dev",
    ]
    assert "the-key" not in shown.out + shown.err + told.out


def test_what_is_gone_is_missing_and_exits_with_1(aws: Account, typist: Typist) -> None:
    typist.write_outputs({**deploy(aws), "routing": None})
    aws.call("lambda", "delete_function", FunctionName=FUNCTION)
    aws.call("cloudwatch", "delete_alarms", AlarmNames=["churn-dev-latency"])
    told = typist.ask("status", "--json")
    (function,) = told.json["functions"]
    assert (told.code, told.json["ready"], function["state"]) == (1, False, "missing")
    assert function["why"].startswith(
        f"the function predict of churn-dev ({REGION}, account {ACCOUNT}) is not there: Function not found: "
    )
    assert [alarm["state"] for alarm in told.json["alarms"]] == ["ok", "missing"]
    aws.call("logs", "delete_log_group", logGroupName=GROUP)
    gone = typist.ask("logs")
    assert (gone.code, gone.err.splitlines()) == (
        1,
        [
            (
                f"error: the log of predict of churn-dev ({REGION}, account {ACCOUNT}) is not there: "
                "The specified log group does not exist. (ResourceNotFoundException)."
            ),
            (
                "hint: The stack has it, so it was deleted beside it, or your credentials are another account's: "
                "aws sts get-caller-identity"
            ),
            "hint: Make it again: lastmile up --target aws",
        ],
    )


def test_the_credentials_of_another_account_are_told(aws: Account, typist: Typist) -> None:
    outputs = deploy(aws)
    aws.call("logs", "delete_log_group", logGroupName=GROUP)
    typist.write_outputs({**outputs, "account": "999999999999"})
    told = typist.ask("logs").err.splitlines()
    assert told == [
        (
            f"error: the log of predict of churn-dev ({REGION}, account 999999999999) is not there: "
            f"your credentials are those of the account {ACCOUNT}."
        ),
        "hint: Use the credentials of the account 999999999999: aws sts get-caller-identity",
    ]


def test_logs(aws: Account, typist: Typist) -> None:
    typist.write_outputs(deploy(aws))
    put(aws, events(), datetime.now(UTC) - timedelta(minutes=5))
    told = typist.ask("logs")
    assert [line[26:] for line in told.out.splitlines()] == [
        "info     predict  200  1.5 ms  v1  POST /v2/models/churn/infer  request_id=r-1",
        "error    predict  500  250 ms  v2  POST /v2/models/churn/infer  request_id=r-2  the model failed",
        "info     predict  a line of nobody's",
        "error    predict  platform.report timeout",
    ]
    assert [line[26:33] for line in typist.ask("logs", "--errors").out.splitlines()] == ["error  "] * 2
    (one,) = typist.ask("logs", "--request-id", "r-1").out.splitlines()
    assert "request_id=r-1" in one
    assert [line[26:] for line in typist.ask("logs", "--lines", "1").out.splitlines()] == [
        "error    predict  platform.report timeout"
    ]
    raw = [json.loads(line) for line in typist.ask("logs", "--json").out.splitlines()]
    assert [entry["level"] for entry in raw] == ["info", "info", "error", "info", "info", "error"]
    assert raw[1]["event"]["request_id"] == "r-1"
    assert raw[3]["event"] == "a line of nobody's"
    nothing = typist.ask("logs", "--since", "1m")
    assert (nothing.code, nothing.out) == (0, "")
    assert nothing.err == "churn-dev logged nothing for predict in this time: a longer one is --since 1d\n"


def test_following_goes_over_pages_and_tells_each_event_once(aws: Account) -> None:
    outputs = deploy(aws)
    log = open_control(stack_of(outputs)).log("predict")
    now = datetime.now(UTC)
    put(aws, [f"line {number}" for number in range(25)], now - timedelta(seconds=40))
    looks: list[Callable[[], None]] = [
        lambda: put(aws, ["late"], now - timedelta(seconds=45)),
        lambda: put(aws, ["line 25", "line 26"], now - timedelta(seconds=1)),
    ]

    def pause(_: float) -> None:
        if not looks:
            raise KeyboardInterrupt
        looks.pop(0)()

    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        told.extend(event.text for event in follow(log, Query(HOUR, 20), pause))
    assert told == [*(f"line {number}" for number in range(5, 25)), "late", "line 25", "line 26"]


def test_a_clock_that_is_wrong_is_mended_by_cloudwatchs(aws: Account) -> None:
    outputs = deploy(aws)
    put(aws, ["now"], datetime.now(UTC) - timedelta(seconds=5))
    control: Any = open_control(stack_of(outputs))
    control._clock = CloudClock(lambda: datetime.now(UTC) + timedelta(hours=3))
    log = control.log("predict")
    assert [event.text for event in log.read(Query(timedelta(minutes=10), 5))] == ["now"]


def jobs_of(aws: Account, outputs: dict[str, Any], name: str) -> list[str]:
    """Take all messages out of a queue; return their jobs."""
    found = []
    url = outputs["queue"][name]
    while messages := aws.call("sqs", "receive_message", QueueUrl=url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in messages:
            found.append(json.loads(message["Body"])["id"])
            aws.call("sqs", "delete_message", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(found)


def set_aside(aws: Account, outputs: dict[str, Any], count: int) -> list[str]:
    ids = [f"{number:02}" for number in range(count)]
    for id_ in ids:
        body = json.dumps({"kind": "job", "id": id_})
        aws.call("sqs", "send_message", QueueUrl=outputs["queue"]["dead_letters"], MessageBody=body)
    return ids


def test_queue(aws: Account, typist: Typist) -> None:
    outputs = deploy(aws)
    typist.write_outputs(outputs)
    ids = set_aside(aws, outputs, 12)
    aws.call("sqs", "send_message", QueueUrl=outputs["queue"]["jobs"], MessageBody='{"kind": "batch"}')
    assert typist.ask("queue status", "--json").json == {
        "queue": "jobs",
        "waiting": 1,
        "in_flight": 0,
        "dead": 12,
        "oldest_s": None,
    }
    peeked = typist.ask("queue peek", "--count", "11", "--json").json
    assert [message["job"] for message in peeked] == ids[:11]
    assert {message["attempts"] for message in peeked} == {None}
    assert all("body" not in message for message in peeked)
    (one,) = typist.ask("queue peek", "--count", "1", "--body", "--json").json  # the others were given back
    assert json.loads(one["body"])["kind"] == "job"
    refused = typist.ask("queue peek", "--waiting")
    assert (refused.code, refused.err.splitlines()[0]) == (
        1,
        (
            "error: SQS counts a look at a waiting message of "
            f"churn-dev ({REGION}, account {ACCOUNT}) as an attempt."
        ),
    )
    other = typist.run("queue", "status", "other", "--outputs", str(typist.outputs_file))
    assert other.err == "error: churn-dev has no queue 'other'; it has jobs.\n"


def test_redriving_by_hand_loses_nothing_when_it_is_killed(
    aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto has no task that moves messages, as other servers that speak SQS have none."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    outputs = deploy(aws)
    ids = set_aside(aws, outputs, 25)
    view: Any = open_control(stack_of(outputs)).queue()
    monkeypatch.setattr("lastmile_sls.control.aws.queue._HELD_S", 1)

    def killed(messages: Any) -> None:
        raise KeyboardInterrupt

    delete, view._delete = view._delete, killed
    with pytest.raises(KeyboardInterrupt):
        view.redrive(lambda count: None)
    assert view.status().waiting == 10
    assert view.status().dead == 25
    view._delete = delete
    told: list[int] = []
    moved = 0
    while moved < 25:  # what the killed one held comes back after its second
        moved += view.redrive(told.append)
    assert (moved, told[-1], view.status().dead) == (25, told[-1], 0)
    found = jobs_of(aws, outputs, "jobs")
    assert (sorted(set(found)), len(found)) == (ids, 35)


def test_sqs_own_task_is_started_followed_and_joined(aws: Account) -> None:
    """What moto has not, botocore's own models judge."""
    from botocore.stub import Stubber

    outputs = deploy(aws)
    asked = Aws(stack_of(outputs))
    pauses: list[float] = []
    view = SqsView(
        asked, outputs["queue"]["jobs"], outputs["queue"]["dead_letters"], CloudClock(), pauses.append
    )
    dead, jobs = (f"arn:aws:sqs:{REGION}:{ACCOUNT}:churn-dev-{name}" for name in ("jobs-dead", "jobs"))
    look = {"SourceArn": dead, "MaxResults": 1}

    def task(status: str, moved: int, at: int = 2, **more: str) -> dict[str, Any]:
        told = {"Status": status, "StartedTimestamp": at, "ApproximateNumberOfMessagesMoved": moved, **more}
        return {"Results": [told]}

    def told(answers: list[tuple[str, dict[str, Any], dict[str, Any]]]) -> list[int]:
        counts: list[int] = []
        with Stubber(asked.client("sqs")) as stub:
            for arn in (dead, jobs):
                stub.add_response("get_queue_attributes", {"Attributes": {"QueueArn": arn}})
            for operation, answer, expected in answers:
                stub.add_response(operation, answer, expected)
            view.redrive(counts.append)
            stub.assert_no_pending_responses()
        return counts

    start = {"SourceArn": dead, "DestinationArn": jobs}
    began = told(
        [
            ("list_message_move_tasks", task("COMPLETED", 3, at=1), look),
            ("start_message_move_task", {"TaskHandle": "t"}, start),
            ("list_message_move_tasks", task("COMPLETED", 3, at=1), look),  # the new one is not listed yet
            ("list_message_move_tasks", task("RUNNING", 40), look),
            ("list_message_move_tasks", task("COMPLETED", 57), look),
        ]
    )
    assert (began, pauses) == ([40, 57], [2.0, 2.0])
    joined = [("list_message_move_tasks", task(status, 9), look) for status in ("RUNNING", "COMPLETED")]
    assert told(joined) == [9]
    with pytest.raises(LastmileError) as caught:
        told(
            [
                ("list_message_move_tasks", task("RUNNING", 1), look),
                ("list_message_move_tasks", task("FAILED", 3, FailureReason="CannotReach"), look),
            ]
        )
    assert caught.value.message == (
        f"SQS moved 3 messages of churn-dev ({REGION}, account {ACCOUNT}), and stopped: CannotReach."
    )
    assert caught.value.hint == "What was not moved is still set aside. Mend the cause, then run it again."


class Refusing(BaseHTTPRequestHandler):
    """Lambda, which refuses everything in its own protocol."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = ""
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = json.dumps({"message": "no, because", "Message": "no, because"}).encode()
        self.send_response(self.status)
        self.send_header("x-amzn-errortype", self.code)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Refusing]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    Refusing.asked = []
    yield Refusing
    server.shutdown()
    server.server_close()


PLACE = f"churn-dev ({REGION}, account {ACCOUNT})"


@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (
            403,
            "ExpiredTokenException",
            f"AWS does not take your credentials for {PLACE}: no, because (ExpiredTokenException).",
            "Log in again: aws sso login. Or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
        ),
        (
            403,
            "AccessDeniedException",
            f"AWS does not let you see the function predict of {PLACE}: no, because (AccessDeniedException).",
            "Are these the right credentials? aws sts get-caller-identity",
        ),
        (
            429,
            "TooManyRequestsException",
            (
                f"AWS was asked for the function predict of {PLACE} again and again, and refused because there are too many "
                "requests: no, because (TooManyRequestsException)."
            ),
            "Wait a minute, then run it again; whoever else asks this account's API counts too.",
        ),
        (
            400,
            "InvalidParameterValueException",
            f"AWS did not tell the function predict of {PLACE}: no, because (InvalidParameterValueException).",
            "Run it again; if that stays, look at the cloud's own status page.",
        ),
    ],
)
def test_refusals(
    aws: Account, refusing: type[Refusing], typist: Typist, status: int, code: str, message: str, hint: str
) -> None:
    typist.write_outputs(deploy_outputs())
    refusing.status, refusing.code = status, code
    told = typist.ask("status")
    assert (told.code, told.out, told.err.splitlines()[:2]) == (1, "", [f"error: {message}", f"hint: {hint}"])
    assert len(refusing.asked) == (5 if status == 429 else 1)
    assert "testing" not in told.err


def test_nobody_logged_in_and_no_network(
    aws: Account, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    typist.write_outputs(deploy_outputs())
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    gone = typist.ask("status")
    assert gone.err.startswith(
        f"error: AWS cannot be reached for the function predict of {PLACE}: Could not connect"
    )
    assert gone.err.splitlines()[1] == (
        "hint: Is there a network? Behind a proxy, set HTTPS_PROXY. Is the region right?"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    nobody = typist.ask("status")
    assert nobody.err.splitlines() == [
        f"error: AWS does not take your credentials for {PLACE}: Unable to locate credentials.",
        "hint: Log in again: aws sso login. Or renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
    ]


def deploy_outputs() -> dict[str, Any]:
    """The outputs of a stack of which nothing else is asked than its function."""
    return {
        "deployment": "churn-dev",
        "target": "aws",
        "region": REGION,
        "account": ACCOUNT,
        "versions": ["v1"],
        "url": "https://x.example",
        "functions": {"predict": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"},
    }
