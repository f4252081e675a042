"""Provisions specs on AWS with Pulumi's own mocks, and keeps what every resource was told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi.runtime.mocks import MockResourceArgs

from lastmile_sls.plan.document import Plan
from lastmile_sls.spec.model import Spec
from tests.lastmile_infra.plans import plan_of
from tests.lastmile_infra.recorded import DELIVERED, Cloud, Opts, Outputs, Run, by_type, record

ACCOUNT = "123456789012"
FUNCTIONS = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function"


def _key(args: MockResourceArgs) -> dict[str, Any]:
    """Return what is told of a key of encryption, or of a caller's."""
    if args.typ.startswith("aws:kms/"):
        return {"arn": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{args.name}"}
    return DELIVERED["Key"](args)


_MADE: dict[str, Outputs] = {
    **DELIVERED,
    "Key": _key,
    "Role": lambda a: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{a.inputs['name']}"},
    "Bucket": lambda a: {"bucket": f"{a.name}-1234567", "arn": f"arn:aws:s3:::{a.name}-1234567"},
    "Repository": lambda a: {
        "name": a.name,
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{a.name}",
    },
    "Function": lambda a: {"arn": f"{FUNCTIONS}:{a.inputs['name']}", "version": "1"},
    "Alias": lambda a: {
        "arn": f"{FUNCTIONS}:{a.inputs['functionName']}:{a.inputs['name']}",
        "invokeArn": f"invoke {a.inputs['functionName']}:{a.inputs['name']}",
    },
    "Api": lambda a: {
        "apiEndpoint": "https://abc.execute-api.eu-west-1.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:abc",
    },
    "FunctionUrl": lambda a: {"functionUrl": "https://abc.lambda-url.eu-west-1.on.aws/"},
    "DomainName": lambda a: {
        "domainNameConfiguration": {
            **a.inputs["domainNameConfiguration"],
            "targetDomainName": "d-abc.execute-api.eu-west-1.amazonaws.com",
            "hostedZoneId": "ZGATEWAY",
        }
    },
    "Certificate": lambda a: {
        "arn": "arn:made",
        "domainValidationOptions": [
            {
                "domainName": a.inputs["domainName"],
                "resourceRecordName": "_proof.predict.example.com.",
                "resourceRecordType": "CNAME",
                "resourceRecordValue": "_x.acm-validations.aws.",
            }
        ],
    },
    "Queue": lambda a: {
        "arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{a.inputs['name']}",
        "url": f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/{a.inputs['name']}",
    },
    "Schedule": lambda a: {
        "arn": f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/{a.inputs['groupName']}/{a.inputs['name']}"
    },
    "Topic": lambda a: {"arn": f"arn:aws:sns:eu-west-1:{ACCOUNT}:{a.inputs['name']}"},
    "Dashboard": lambda a: {
        "dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{a.inputs['dashboardName']}"
    },
    "Record": lambda a: {"fqdn": a.inputs["name"].rstrip(".")},
}
"""What AWS tells of what it made, by the type's last part."""


def _answer(token: str) -> dict[str, Any]:
    return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "id": ACCOUNT}


_AWS = Cloud(by_type(_MADE), _answer)


def provisioned(spec: Spec, folder: Path, sizes: dict[str, int] | None = None) -> Run:
    """Provision a spec on AWS; `sizes` are its bundles' bytes by function."""
    return provisioned_plan(plan_of(spec, "aws", sizes), folder)


def provisioned_plan(plan: Plan, folder: Path, opts: Opts | None = None) -> Run:
    """Provision a plan, with the options that a user's own program would give the component."""
    return record(Run(), _AWS, plan, folder, opts)
