"""Who may do what on AWS: the policies of identities, those of the endpoint, and the ARNs in them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lastmile_sls.plan.document import FunctionPlan, QueuePlan

ALIAS = "live"
"""What everybody calls a function by: SnapStart and provisioned concurrency are of published versions alone."""
Statement = dict[str, Any]
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}
"""How the regions of a partition begin (botocore/data/partitions.json, botocore 1.44, 2026-11-29); all others are aws'."""


@dataclass(frozen=True)
class Place:
    """Where ARNs point to."""

    region: str
    account: str
    """Twelve digits."""

    @property
    def partition(self) -> str:
        """AWS itself, or one of its partitions that know nothing of the others."""
        found = (partition for prefix, partition in _PARTITIONS.items() if self.region.startswith(prefix))
        return next(found, "aws")

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in this region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def log_group_name(function: str) -> str:
    """Return the log group of a function, as Lambda would call it."""
    return f"/aws/lambda/{function}"


def secret_arn(place: Place, name: str) -> str:
    """Return a secret's ARN but for the hyphen and the six characters that AWS adds to each name."""
    return place.arn("secretsmanager", f"secret:{name}")


def alias_arn(place: Place, function: str) -> str:
    """Return what a function is called by."""
    return place.arn("lambda", f"function:{function}:{ALIAS}")


def trust() -> str:
    """Return who may be the deployment's role: functions, which only this account can give it (iam:PassRole).

    There is no condition on the account: AWS does not document that Lambda tells it when it takes a role, and where a
    service does not, a role with that condition is nobody's.
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return document([statement])


def role_policy(
    place: Place, functions: Sequence[FunctionPlan], bucket: str | None, queue: QueuePlan | None = None
) -> str:
    """Return what the deployment's role may do, which is what its functions do.

    Args:
        place: Where they are.
        functions: All of the deployment's.
        bucket: The name of the bucket that they read, and write if there is a queue.
        queue: What they send to, and work on.
    """
    statements = [_write_logs(place, functions)]
    documents = sorted({f["routing_document"] for f in functions if f["routing_document"]})
    if bucket and documents:
        objects = [f"arn:{place.partition}:s3:::{bucket}/{path}" for path in documents]
        statements.append(allow("ReadRouting", ["s3:GetObject"], objects))
    secrets = sorted({name for function in functions for name in function["secrets"].values()})
    if secrets:
        # The six characters that AWS adds, which nobody knows beforehand; no other secret's name can match
        # (docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html, ARN_secretnamehyphen).
        found = [f"{secret_arn(place, name)}-??????" for name in secrets]
        statements.append(allow("ReadSecrets", ["secretsmanager:GetSecretValue"], found))
    called = {name for function in functions for name in function["calls"].values()}
    if called:
        arns = [alias_arn(place, f["resource"]) for f in functions if f["name"] in called]
        statements.append(allow("CallFunctions", ["lambda:InvokeFunction"], sorted(arns)))
    if queue and bucket:
        statements.append(_use_queue(place, queue))
        statements += [s for f in functions if f["queue"] for s in _keep_work(place, f, bucket)]
    return document(statements)


def _use_queue(place: Place, queue: QueuePlan) -> Statement:
    """The function sends; Lambda receives and deletes with the function's role.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html, "Execution role permissions" (2026-11-29).
    """
    actions = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    return allow("UseQueue", actions, [place.arn("sqs", queue["resource"])])


def _keep_work(place: Place, function: FunctionPlan, bucket: str) -> Iterator[Statement]:
    """Yield what is done with requests and answers, and with the files that are scored, each below its own folder.

    S3 says that an object is not there only to whoever may list it; to others it says that they may not ask
    (docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions", 2026-11-29). Such a question names no
    prefix, hence IfExists.
    """
    listed: dict[str, list[str]] = {}
    for what, actions, folder in _folders(function):
        arn, within = _objects(place, bucket, folder)
        listed.setdefault(arn, []).append(within)
        yield allow(f"Use{what}", actions, [f"{arn}/{within}"])
    for number, (arn, prefixes) in enumerate(listed.items(), 1):
        statement = allow(f"List{number}", ["s3:ListBucket"], [arn])
        yield {**statement, "Condition": {"StringLikeIfExists": {"s3:prefix": prefixes}}}


def _folders(function: FunctionPlan) -> Iterator[tuple[str, list[str], str]]:
    """Yield what is kept where, and what is done with it."""
    batch, written = function["batch"], ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    if function["jobs"]:
        yield "Answers", written, function["jobs"]
    if batch:
        yield "Input", ["s3:GetObject"], batch["input"]
        yield "Output", written, batch["output"]


def _objects(place: Place, bucket: str, folder: str) -> tuple[str, str]:
    """Return the ARN of a folder's bucket, which may be another than ours, and the pattern of the objects in it."""
    named, path = bucket, folder
    if "://" in folder:
        named, _, path = folder.partition("://")[2].partition("/")
    return f"arn:{place.partition}:s3:::{named}", f"{path.strip('/')}/*".lstrip("/")


def _write_logs(place: Place, functions: Sequence[FunctionPlan]) -> Statement:
    # Any stream of the function's own group: each instance makes one, and names it itself.
    groups = sorted(
        place.arn("logs", f"log-group:{log_group_name(function['resource'])}:*") for function in functions
    )
    return allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], groups)


def http_api_caller(execution_arn: str) -> str:
    """Return what a caller of an HTTP API needs: any method and path of its one stage, which is the whole endpoint.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
    """
    return document([allow("CallEndpoint", ["execute-api:Invoke"], [f"{execution_arn}/$default/*"])])


def function_url_caller(alias: str) -> str:
    """Return what a caller of a function's URL needs, and nothing with which it could go around the URL.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html: since October 2025 both permissions.
    """
    by_url = allow("CallUrl", ["lambda:InvokeFunctionUrl"], [alias])
    by_url["Condition"] = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    function = allow("CallFunctionByUrl", ["lambda:InvokeFunction"], [alias])
    function["Condition"] = {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    return document([by_url, function])


def allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    """Return a statement that allows actions on resources, and needs a condition only where one is added."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def document(statements: list[Statement]) -> str:
    """Return a policy document of statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
