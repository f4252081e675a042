"""Encryption at rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import UNKNOWN, Resource, at, items
from lastmile_sls.policy.rule import Problem, Rule, unknown

_PLAIN_UNLESS_TRUE: Mapping[str, str] = {
    "aws:docdb/cluster:Cluster": "storageEncrypted",
    "aws:ebs/volume:Volume": "encrypted",
    "aws:efs/fileSystem:FileSystem": "encrypted",
    "aws:neptune/cluster:Cluster": "storageEncrypted",
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:rds/instance:Instance": "storageEncrypted",
}
"""By type: what is not encrypted unless this input says so (the SDK's documentation of the argument, pulumi_aws 7.51).

What functions, their queues and buckets keep always is, but for a queue of SQS that is told not to be
(cloud.google.com/docs/security/encryption/default-encryption;
learn.microsoft.com/azure/security/fundamentals/encryption-atrest, 2026-11-29)."""
_QUEUE = "aws:sqs/queue:Queue"
_OWN_KEYS: Mapping[str, tuple[str, ...]] = {
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    "aws:lambda/function:Function": ("kmsKeyArn",),
    "aws:secretsmanager/secret:Secret": ("kmsKeyId",),
    "aws:sns/topic:Topic": ("kmsMasterKeyId",),
    "aws:sqs/queue:Queue": ("kmsMasterKeyId",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "rules.applyServerSideEncryptionByDefault.kmsMasterKeyId",
    ),
    "aws:ecr/repository:Repository": ("encryptionConfigurations.kmsKey",),
    "gcp:artifactregistry/repository:Repository": ("kmsKeyName",),
    "gcp:cloudrunv2/service:Service": ("template.encryptionKey",),
    "gcp:pubsub/topic:Topic": ("kmsKeyName",),
    "gcp:secretmanager/secret:Secret": (
        "replication.auto.customerManagedEncryption.kmsKeyName",
        "replication.userManaged.replicas.customerManagedEncryption.kmsKeyName",
    ),
    "gcp:storage/bucket:Bucket": ("encryption.defaultKmsKeyName",),
    "azure-native:containerregistry:Registry": ("encryption.keyVaultProperties.keyIdentifier",),
    "azure-native:storage:StorageAccount": ("encryption.keyVaultProperties.keyName",),
}
"""By type: the inputs of which one names a key of the customer's; the first item of a list stands for all."""


def _judge(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    field = _PLAIN_UNLESS_TRUE.get(resource.type)
    if field is not None:
        value = at(resource.inputs, field)
        if value is UNKNOWN:
            yield unknown(field)
        elif value is not True:
            yield Problem(f"{field} is not true.")
    plain_queue = resource.type == _QUEUE and at(resource.inputs, "sqsManagedSseEnabled") is False
    if plain_queue and at(resource.inputs, "kmsMasterKeyId") is None:
        yield Problem("sqsManagedSseEnabled is false, and kmsMasterKeyId names no key.")
    if parameters.encryption.customer_keys:
        yield from _own_key(resource)


def _own_key(resource: Resource) -> Iterator[Problem]:
    paths = _OWN_KEYS.get(resource.type)
    if paths is None:
        return
    found = [value for path in paths for value in _values(resource.inputs, path)]
    if any(isinstance(value, str) and value for value in found):
        return
    if UNKNOWN in found:
        yield unknown(paths[0])
    else:
        yield Problem(f"{paths[0]} names no key of yours.")


def _values(inputs: object, path: str) -> list[object]:
    """Return what lies at a path, in every item of the lists on the way."""
    first, _, rest = path.partition(".")
    value = at(inputs, first)
    if not rest or value is UNKNOWN or value is None:
        return [value]
    inner = items(inputs, first) or [value]
    return [found for item in inner for found in _values(item, rest)]


ENCRYPTED = Rule(
    id="encrypted",
    demands="What is stored is encrypted; with encryption.customer_keys, by a key of yours.",
    fix="lastmile switches no encryption off, and has no keys of yours: lastmile build --eject, and name the key in the "
    "component; elsewhere switch it on.",
    of_resource=_judge,
)
