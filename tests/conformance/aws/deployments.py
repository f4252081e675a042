"""Deployments of lastmile's own, carried out on moto: what differs between them, from one spec each."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from lastmile_sls.plan.document import Plan
from tests.conformance.aws.account import Account
from tests.conformance.aws.carry_out import Delivery, World
from tests.lastmile_infra.plans import plan_of, project_of, spec_of, two_versions

JWT = {"issuer": "https://login.example.com", "audiences": ["churn"]}
CORS = {"allow_origins": ["https://app.example.com"]}
MAIL, THEIRS = "on-call@example.com", "theirs"
WORK: dict[str, Any] = {
    "secrets": {"TOKEN": "token", "HOOK": "hook"},
    "queue": {"max_attempts": 3, "callback": {"urls": ["https://app.example.com/"], "secret": "HOOK"}},
    "schedule": {
        "cron": "0 6 * * 1-5",
        "input": "batch/in",
        "output": f"s3://{THEIRS}/out",
        "format": "jsonl",
    },
    "resources": {"max_instances": 10},
    "operations": {"notify": [MAIL]},
    "budget": {"monthly_limit": 50.0},
}
"""Work that waits, work on a clock, and everything that watches."""
ROLE = "caller"
"""A role that is there before, and may call the endpoint where its auth is the cloud's."""


def changes(account: Account) -> dict[str, dict[str, Any]]:
    """Return each deployment's difference from the plainest spec, by name; makes what users have already."""
    zone = account.call("route53", "create_hosted_zone", Name="example.com", CallerReference="test")
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    limit = {"requests_per_s": 10, "burst": 20}
    domain = {"auth": "jwt", "jwt": JWT, "cors": CORS, "domain": "churn.example.com", "rate_limit": limit}
    return {
        "key": {},
        "jwt-domain": {"endpoint": domain, "targets": {"aws": {"hosted_zone": zone_id}}},
        "jwt-cors": {"endpoint": {"auth": "jwt", "jwt": JWT, "cors": CORS}},
        "iam": {"endpoint": {"auth": "iam"}, "targets": {"aws": {"callers": [ROLE]}}},
        "public-url": {"endpoint": {"auth": "public"}, "targets": {"aws": {"gateway": "function_url"}}},
        "iam-url": {
            "endpoint": {"auth": "iam"},
            "targets": {"aws": {"gateway": "function_url", "callers": [ROLE]}},
        },
        "image": {"targets": {"aws": {"package": "image"}}},
        "two": two_versions(),
        "two-apart": {**two_versions(apart=True), "secrets": {"TOKEN": "token"}},
        "work": {**two_versions(apart=True), **WORK},
    }


NAMES = ("key", "jwt-domain", "jwt-cors", "iam", "public-url", "iam-url", "image", "two", "two-apart", "work")


def make_users_own(account: Account) -> None:
    """Make what a deployment expects to be there: the role of its callers, its secrets, and where predictions go."""
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    account.call("iam", "create_role", RoleName=ROLE, AssumeRolePolicyDocument=trust)
    signing = f"whsec_{base64.b64encode(bytes(24)).decode()}"
    for name, value in (("token", "hush-hush"), ("hook", signing)):
        account.call("secretsmanager", "create_secret", Name=name, SecretString=value)
    account.call(
        "s3",
        "create_bucket",
        Bucket=THEIRS,
        CreateBucketConfiguration={"LocationConstraint": account.region},
    )


def deployment(account: Account, name: str, folder: Path) -> tuple[World, Plan]:
    """Return a deployment that is still to be carried out, and its plan."""
    plan = plan_of(spec_of(**changes(account)[name]), "aws")
    program = project_of(plan, folder / "project")
    others = {"lastmile": lambda: Delivery(account, folder / "home")}
    return World(account, program, folder / "stacks", others), plan
