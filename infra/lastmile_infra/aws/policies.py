"""Who may do what on AWS: every policy document of a deployment, and the ARNs in them. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lastmile_sls.plan.document import FunctionPlan

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
    return _document([statement])


def role_policy(place: Place, functions: Sequence[FunctionPlan], bucket: str | None) -> str:
    """Return what the deployment's role may do, which is what its functions do.

    Args:
        place: Where they are.
        functions: All of the deployment's.
        bucket: The name of the bucket that they read.
    """
    statements = [_write_logs(place, functions)]
    documents = sorted({f["routing_document"] for f in functions if f["routing_document"]})
    if bucket and documents:
        objects = [f"arn:{place.partition}:s3:::{bucket}/{path}" for path in documents]
        statements.append(_allow("ReadRouting", ["s3:GetObject"], objects))
    secrets = sorted({name for function in functions for name in function["secrets"].values()})
    if secrets:
        # The six characters that AWS adds, which nobody knows beforehand; no other secret's name can match
        # (docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html, ARN_secretnamehyphen).
        found = [f"{secret_arn(place, name)}-??????" for name in secrets]
        statements.append(_allow("ReadSecrets", ["secretsmanager:GetSecretValue"], found))
    called = {name for function in functions for name in function["calls"].values()}
    if called:
        arns = [alias_arn(place, f["resource"]) for f in functions if f["name"] in called]
        statements.append(_allow("CallFunctions", ["lambda:InvokeFunction"], sorted(arns)))
    return _document(statements)


def _write_logs(place: Place, functions: Sequence[FunctionPlan]) -> Statement:
    # Any stream of the function's own group: each instance makes one, and names it itself.
    groups = sorted(
        place.arn("logs", f"log-group:{log_group_name(function['resource'])}:*") for function in functions
    )
    return _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], groups)


def bucket_policy(place: Place, bucket: str) -> str:
    """Return the bucket's own policy: nobody reaches it without TLS."""
    arn = f"arn:{place.partition}:s3:::{bucket}"
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],  # whatever is done, on whatever is in it
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return _document([statement])


def repository_policy(place: Place) -> str:
    """Return the image repository's policy: Lambda may fetch images, for functions of this region and account.

    https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, "Amazon ECR permissions": Lambda adds the statement
    itself where it is missing, which would then look like a change that somebody made by hand.
    """
    statement = {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        # Any function: the account's own, as in that page's example; Lambda asks for each version of each.
        "Condition": {"StringLike": {"aws:sourceArn": place.arn("lambda", "function:*")}},
    }
    return _document([statement])


def http_api_caller(execution_arn: str) -> str:
    """Return what a caller of an HTTP API needs: any method and path of its one stage, which is the whole endpoint.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
    """
    return _document([_allow("CallEndpoint", ["execute-api:Invoke"], [f"{execution_arn}/$default/*"])])


def function_url_caller(alias: str) -> str:
    """Return what a caller of a function's URL needs, and nothing with which it could go around the URL.

    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html: since October 2025 both permissions.
    """
    by_url = _allow("CallUrl", ["lambda:InvokeFunctionUrl"], [alias])
    by_url["Condition"] = {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}
    function = _allow("CallFunctionByUrl", ["lambda:InvokeFunction"], [alias])
    function["Condition"] = {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}
    return _document([by_url, function])


def _allow(sid: str, actions: list[str], resources: list[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _document(statements: list[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
