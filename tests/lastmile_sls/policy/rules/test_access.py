"""Storage that is open, and grants to everybody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.policy.rules.access import NO_ANONYMOUS, PRIVATE_STORAGE
from tests.lastmile_sls.policy.judged import problems


@pytest.mark.parametrize(
    ("type_", "inputs", "told"),
    [
        (
            "gcp:storage/bucket:Bucket",
            {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": True},
            [],
        ),
        (
            "gcp:storage/bucket:Bucket",
            {"uniformBucketLevelAccess": False},
            [
                "publicAccessPrevention is not set; it must be enforced.",
                "uniformBucketLevelAccess is false; it must be true.",
            ],
        ),
        ("azure-native:storage:StorageAccount", {}, []),
        (
            "azure-native:storage:StorageAccount",
            {"allowBlobPublicAccess": True},
            ["allowBlobPublicAccess is true; it must be false."],
        ),
        (
            "azure-native:storage:BlobContainer",
            {"publicAccess": "Blob"},
            ["publicAccess is Blob; it must be None."],
        ),
        ("aws:s3/bucketAcl:BucketAcl", {"acl": "public-read"}, ["acl is public-read; it must be private."]),
        ("aws:s3/bucketAcl:BucketAcl", {"acl": UNKNOWN}, ["? acl is known only after creation."]),
        (
            "azure-native:storage:BlobContainer",
            {"publicAccess": UNKNOWN},
            ["? publicAccess is known only after creation."],
        ),
    ],
)
def test_storage(type_: str, inputs: dict[str, Any], told: list[str]) -> None:
    assert problems(PRIVATE_STORAGE, type_, inputs) == told


def policy(principal: Any, condition: Any = None, effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Principal": principal, "Action": ["sqs:SendMessage"], "Resource": "*"}
    return json.dumps({"Statement": [{**statement, **({"Condition": condition} if condition else {})}]})


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        (policy("*"), True),
        (policy({"AWS": ["arn:aws:iam::123456789012:root", "*"]}), True),
        (policy("*", {"Bool": {"aws:SecureTransport": "true"}}), True),
        (policy("*", {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:123456789012:alarms"}}), False),
        (policy({"Service": "scheduler.amazonaws.com"}), False),
        (policy("*", effect="Deny"), False),
        ("no JSON", False),
    ],
)
def test_policies_of_awss(text: str, is_open: bool) -> None:
    told = ["policy allows sqs:SendMessage to everybody."] if is_open else []
    assert problems(NO_ANONYMOUS, "aws:sqs/queuePolicy:QueuePolicy", {"policy": text}) == told
    assert problems(NO_ANONYMOUS, "aws:iam/rolePolicy:RolePolicy", {"policy": text}) == []


def test_roles_permissions_and_what_is_not_known() -> None:
    assert problems(NO_ANONYMOUS, "aws:iam/role:Role", {"assumeRolePolicy": policy("*")}) == [
        "assumeRolePolicy allows sqs:SendMessage to everybody."
    ]
    permission = "aws:lambda/permission:Permission"
    assert problems(NO_ANONYMOUS, permission, {"principal": "*"}) == [
        "principal is *, with neither sourceArn, sourceAccount nor principalOrgId."
    ]
    assert problems(NO_ANONYMOUS, permission, {"principal": "*", "functionUrlAuthType": "NONE"}) == []
    assert problems(NO_ANONYMOUS, permission, {"principal": "*", "sourceArn": UNKNOWN}) == []
    assert problems(NO_ANONYMOUS, "aws:s3/bucketPolicy:BucketPolicy", {"policy": UNKNOWN}) == [
        "? policy is known only after creation."
    ]


@pytest.mark.parametrize(
    ("type_", "inputs", "told"),
    [
        (
            "gcp:pubsub/topicIAMMember:TopicIAMMember",
            {"member": "serviceAccount:a@b.iam.gserviceaccount.com"},
            [],
        ),
        (
            "gcp:pubsub/topicIAMMember:TopicIAMMember",
            {"member": "allUsers"},
            ["member is allUsers, who is everybody."],
        ),
        (
            "gcp:storage/bucketIAMBinding:BucketIAMBinding",
            {"members": ["user:a@example.com", "allAuthenticatedUsers"]},
            ["members is allAuthenticatedUsers, who is everybody."],
        ),
        (
            "gcp:storage/bucketACL:BucketACL",
            {"roleEntities": ["OWNER:a@example.com", "READER:allUsers"]},
            ["roleEntities is allUsers, who is everybody."],
        ),
        (
            "gcp:projects/iAMPolicy:IAMPolicy",
            {"policyData": json.dumps({"bindings": [{"role": "roles/viewer", "members": ["allUsers"]}]})},
            ["policyData is allUsers, who is everybody."],
        ),
        ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", {"member": "allUsers"}, []),
        (
            "gcp:pubsub/topicIAMMember:TopicIAMMember",
            {"member": UNKNOWN},
            ["? member is known only after creation."],
        ),
    ],
)
def test_grants_of_googles(type_: str, inputs: dict[str, Any], told: list[str]) -> None:
    assert problems(NO_ANONYMOUS, type_, inputs) == told
