"""A deployment's role may do what its functions do, and nothing else: their calls are recorded, moto answers them.

The deployment is made on moto by its own Pulumi program; its functions run under AWS's runtime client, from the settings
that the program gave them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.manifest import Version
from lastmile_sls.plan.document import Plan
from tests.conformance.aws.account import ACCOUNT, REGION, Account, moto_account
from tests.conformance.aws.carry_out import World
from tests.conformance.aws.deployments import deployment, make_users_own
from tests.conformance.aws.moto_provider import Made
from tests.conformance.iam.calls import (
    Recorder,
    UnreadableError,
    of_lambda,
    of_lambdas_pollers,
    read_aws,
    recording_aws,
)
from tests.conformance.iam.evaluator import Question, ask
from tests.conformance.iam.judge import Call, judge, judge_trust, refused
from tests.conformance.iam.work import Work, stop_pollers
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.adapters.process import copy_runtime
from tests.lastmile_runtime.adapters.runtime_api import MANAGED, running
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, matrix, python_version, write_bundle

pytestmark = pytest.mark.conformance
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:churn-dev-jobs"
BODY = json.dumps({"inputs": [matrix([[1, 2]])]})
# Says what the secret is, which it must have from the vault: nothing else has it.
TELLING = """
import os
class Model:
    def predict(self, inputs):
        return {"doubled": [[len(os.environ["TOKEN"]), 0] for _ in inputs["x"]]}
"""


@dataclass(frozen=True)
class Deployed:
    """A deployment on moto, and what its functions were seen to do."""

    world: World
    plan: Plan
    policy: dict[str, Any]
    trust: dict[str, Any]
    calls: list[Call]


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto_account() as account:
        make_users_own(account)
        yield account


@pytest.fixture(scope="module")
def deployed(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Deploy two versions apart, with a secret and work that waits; ask for both versions, and have the work done."""
    folder = tmp_path_factory.mktemp("two")
    world, plan = deployment(account, "work", folder)
    outputs = world.up().outputs
    key = outputs["key"].reveal()
    stop_pollers(account)
    # moto would ask Docker for an answer; it is the call that counts.
    account.configure({"lambda": {"use_docker": False}})
    role = account.call("iam", "get_role", RoleName=plan["identity"])["Role"]
    names = account.call("iam", "list_role_policies", RoleName=plan["identity"])["PolicyNames"]
    (policy,) = (
        account.call("iam", "get_role_policy", RoleName=plan["identity"], PolicyName=n) for n in names
    )
    made = {made.outputs["name"]: made for made in world.record.of_type("aws:lambda/function:Function")}
    with recording_aws(account) as recorder:
        platform = [
            call
            for f in plan["functions"]
            for call in run(made[f["resource"]], f["name"], key, account, recorder, folder, outputs)
        ]
        calls = [*recorder.once(), *platform]
    return Deployed(world, plan, policy["PolicyDocument"], role["AssumeRolePolicyDocument"], calls)


def bundle_of(function: str, folder: Path) -> str:
    """Write the bundle of a function into a folder; return its digest."""
    copy_runtime(folder)
    served = python_version("v1" if function == "predict" else "v2")
    versions = [served]
    if function == "predict":
        remote = {"function": "predict-v2", "digest": "sha256:ab"}
        versions.append(
            Version("v2", "remote", "", remote=remote, inputs=served.inputs, outputs=served.outputs)
        )
    source = TELLING if function == "predict" else DOUBLER
    return write_bundle(folder, versions, {served.artifact: source})


def run(
    made: Made,
    function: str,
    key: str,
    account: Account,
    recorder: Recorder,
    folder: Path,
    outputs: Mapping[str, Any],
) -> list[Call]:
    """Ask a function for each version, as the program set it up; return what Lambda does for it besides.

    The router's function does its work that waits as well.
    """
    bundle = folder / function
    digest = bundle_of(function, bundle)
    given = {**made.inputs["environment"]["variables"], **account.environment(recorder.url)}
    given["LASTMILE_MANIFEST_DIGEST"] = digest
    with running(MANAGED, bundle, digest, handler=made.inputs["handler"], environ=given) as process:
        for version in ("v1", "v2") if function == "predict" else ("v2",):
            path = f"/v2/models/{MODEL}/versions/{version}/infer"
            event = samples.http_api(
                path, body=BODY, headers={"x-api-key": key, "content-type": "application/json"}
            )
            answer = process.invoke(event)
            if version == "v1":
                assert json.loads(answer["body"])["outputs"][0]["data"] == [len("hush-hush"), 0], answer
        if function == "predict":
            bucket = outputs["bucket"].removeprefix("s3://")
            Work(process, account, bucket, outputs["queue"]["jobs"], key).do()
    logged = of_lambda(account.region, made.inputs["loggingConfig"]["logGroup"])
    return [*logged, *(of_lambdas_pollers(QUEUE) if function == "predict" else [])]


def test_the_functions_do_what_they_are_deployed_for(deployed: Deployed, account: Account) -> None:
    bucket = deployed.world.record.of_type("aws:s3/bucket:Bucket")[0].outputs["bucket"]
    secrets = [
        account.call("secretsmanager", "describe_secret", SecretId=name)["ARN"] for name in ("token", "hook")
    ]
    function = f"arn:aws:lambda:{account.region}:{ACCOUNT}:function:churn-dev-predict-v2:live"
    asked = {call for call in deployed.calls if call.by != "Lambda"}
    assert {str(call) for call in asked if not _is_of_work(call)} == {
        f"s3:GetObject on arn:aws:s3:::{bucket}/routing.json by the function",
        *(f"secretsmanager:GetSecretValue on {secret} by the function" for secret in secrets),
        f"lambda:InvokeFunction on {function} by the function",
    }
    written = ("DeleteObject", "GetObject", "PutObject")
    assert {f"{call.action} {_folder(call.resource)}" for call in asked if _is_of_work(call)} == {
        f"sqs:SendMessage {QUEUE}",
        *(f"s3:{verb} arn:aws:s3:::{bucket}/results" for verb in written),
        f"s3:GetObject arn:aws:s3:::{bucket}/batch",
        *(f"s3:{verb} arn:aws:s3:::theirs/out" for verb in written),
        f"s3:ListBucket arn:aws:s3:::{bucket}",
        "s3:ListBucket arn:aws:s3:::theirs",
    }


def _is_of_work(call: Call) -> bool:
    return call.action.startswith(("s3:", "sqs:")) and not call.resource.endswith("/routing.json")


def _folder(resource: str) -> str:
    """Return a bucket and the first folder in it; another ARN as it is."""
    return "/".join(resource.split("/")[:2])


def test_the_role_may_do_exactly_that(deployed: Deployed) -> None:
    assert judge([deployed.policy], deployed.calls) == []


def test_lambda_alone_takes_the_role_on(deployed: Deployed) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{deployed.plan['identity']}"
    assert judge_trust(deployed.trust, role, {"lambda.amazonaws.com"}) == []


SIDS = (
    *("WriteLogs", "ReadRouting", "ReadSecrets", "CallFunctions"),
    *("UseQueue", "UseAnswers", "UseInput", "UseOutput", "List1", "List2"),
)


def test_without_a_statement_something_is_not_allowed(deployed: Deployed) -> None:
    statements = deployed.policy["Statement"]
    assert sorted(statement["Sid"] for statement in statements) == sorted(SIDS)
    for sid in SIDS:
        rest = {**deployed.policy, "Statement": [s for s in statements if s["Sid"] != sid]}
        assert list(refused([rest], deployed.calls)), sid


def test_neighbours_are_not_allowed(deployed: Deployed) -> None:
    """Other queues, other folders of the same buckets, and lists of those."""
    bucket = deployed.world.record.of_type("aws:s3/bucket:Bucket")[0].outputs["bucket"]
    arn, tls = f"arn:aws:s3:::{bucket}", {"aws:SecureTransport": "true"}
    others = [
        ("sqs:SendMessage", f"{QUEUE}-dead", {}),
        ("sqs:ReceiveMessage", f"{QUEUE}-dead", {}),
        ("sqs:PurgeQueue", QUEUE, {}),
        ("s3:PutObject", f"{arn}/batch/in/rows.jsonl", {}),
        ("s3:PutObject", f"{arn}/routing.json", {}),
        ("s3:GetObject", f"{arn}/capture/one.json", {}),
        ("s3:GetObject", f"{arn}/results-of-others/one.json", {}),
        ("s3:GetObject", "arn:aws:s3:::theirs/in/one.csv", {}),
        ("s3:ListBucket", arn, {"s3:prefix": ""}),
        ("s3:ListBucket", arn, {"s3:prefix": "capture/"}),
        ("s3:ListBucket", "arn:aws:s3:::theirs", {"s3:prefix": "private/"}),
        ("s3:ListBucket", "arn:aws:s3:::others", {"s3:prefix": "out/"}),
    ]
    questions = [
        Question(action, resource, [deployed.policy], context={**tls, **context})
        for action, resource, context in others
    ]
    assert [q for q, allowed in zip(others, ask(questions), strict=True) if allowed] == []


def test_without_a_call_its_statement_is_too_much(deployed: Deployed) -> None:
    for action in {call.action for call in deployed.calls}:
        rest = [call for call in deployed.calls if call.action != action]
        found = judge([deployed.policy], rest)
        assert found
        assert all(line.startswith(f"no call needs {action} on ") for line in found), found


@pytest.mark.parametrize(
    ("method", "path", "headers", "message"),
    [
        ("GET", "/data/routing.json", {}, "GET /data/routing.json is not signed."),
        (
            "POST",
            "/data?delete",
            {"service": "s3"},
            "POST /data with ['delete'] is nothing that is known of S3.",
        ),
        (
            "GET",
            "/2015-03-31/functions/a",
            {"service": "lambda"},
            "GET /2015-03-31/functions/a is nothing that is known of Lambda.",
        ),
        ("POST", "/", {"service": "secretsmanager"}, " is nothing that is known of Secrets Manager."),
        ("POST", "/", {"service": "sqs"}, " is nothing that is known of SQS."),
        ("POST", "/", {"service": "sts"}, "POST / asks sts, of which nothing here knows what it needs."),
    ],
)
def test_a_request_that_nobody_can_judge_is_no_call(
    method: str, path: str, headers: dict[str, str], message: str, account: Account
) -> None:
    service = headers.get("service")
    scope = f"AWS4-HMAC-SHA256 Credential=KEY/20261129/eu-west-1/{service}/aws4_request, SignedHeaders=host"
    with pytest.raises(UnreadableError) as refused:
        read_aws(method, path, {"authorization": scope} if service else {}, b"{}", account)
    assert str(refused.value) == message
