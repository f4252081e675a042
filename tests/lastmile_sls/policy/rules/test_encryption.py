"""Encryption at rest."""

from __future__ import annotations

from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.policy.rules.encryption import ENCRYPTED
from tests.lastmile_sls.policy.judged import problems

OWN = {"customer_keys": True}
S3 = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"


def test_what_is_plain() -> None:
    queue = "aws:sqs/queue:Queue"
    assert problems(ENCRYPTED, queue, {}) == []
    assert problems(ENCRYPTED, queue, {"sqsManagedSseEnabled": False, "kmsMasterKeyId": "k"}) == []
    assert problems(ENCRYPTED, queue, {"sqsManagedSseEnabled": False}) == [
        "sqsManagedSseEnabled is false, and kmsMasterKeyId names no key."
    ]
    assert problems(ENCRYPTED, "aws:efs/fileSystem:FileSystem", {}) == ["encrypted is not true."]
    assert problems(ENCRYPTED, "aws:rds/instance:Instance", {"storageEncrypted": UNKNOWN}) == [
        "? storageEncrypted is known only after creation."
    ]


def test_keys_of_the_customers() -> None:
    def s3(key: object) -> dict[str, object]:
        return {"rules": [{"applyServerSideEncryptionByDefault": {"kmsMasterKeyId": key}}]}

    assert problems(ENCRYPTED, S3, s3(None)) == []
    assert problems(ENCRYPTED, S3, s3("arn:aws:kms:eu-west-1:123456789012:key/x"), encryption=OWN) == []
    path = "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId"
    assert problems(ENCRYPTED, S3, s3(None), encryption=OWN) == [f"{path} names no key of yours."]
    assert problems(ENCRYPTED, S3, s3(UNKNOWN), encryption=OWN) == [f"? {path} is known only after creation."]
    assert problems(ENCRYPTED, "gcp:storage/bucket:Bucket", {}, encryption=OWN) == [
        "encryption.defaultKmsKeyName names no key of yours."
    ]
    assert problems(ENCRYPTED, "azure-native:storage:StorageAccount", {}, encryption=OWN) == [
        "encryption.keyVaultProperties.keyName names no key of yours."
    ]
    assert problems(ENCRYPTED, "gcp:serviceaccount/account:Account", {}, encryption=OWN) == []
