"""S3 on moto: buckets, each setting of theirs a resource, and objects."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from tests.conformance.aws.account import Account
from tests.conformance.aws.kind import Kind, Outputs
from tests.conformance.aws.requests import Inputs, content, lowered, renamed, tag_list

_NAMES = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID", "id": "ID"}


def _make_bucket(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    name = inputs.need("bucket")
    inputs.ignore("forceDestroy")  # says how it is removed
    inputs.finish()
    account.call(
        "s3",
        "create_bucket",
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": account.region},
    )
    if tags:
        account.call("s3", "put_bucket_tagging", Bucket=name, Tagging={"TagSet": tag_list(tags)})
    return {
        "id": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{account.region}.amazonaws.com",
        "region": account.region,
    }


def _change_bucket(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    inputs.ignore("bucket", "forceDestroy")
    inputs.finish()
    account.call("s3", "put_bucket_tagging", Bucket=old["bucket"], Tagging={"TagSet": tag_list(tags)})
    return {
        name: old[name] for name in ("id", "arn", "bucketDomainName", "bucketRegionalDomainName", "region")
    }


def _read_bucket(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("s3", "get_bucket_tagging", Bucket=outputs["bucket"])["TagSet"]
    return {"tags": {tag["Key"]: tag["Value"] for tag in found}}


def _remove_bucket(account: Account, outputs: Outputs) -> None:
    if outputs.get("forceDestroy"):
        remove_objects(account, outputs["bucket"])
    account.call("s3", "delete_bucket", Bucket=outputs["bucket"])


def remove_objects(account: Account, bucket: str, prefix: str = "") -> None:
    """Remove every version of every object that begins so."""
    listed = account.call("s3", "list_object_versions", Bucket=bucket, Prefix=prefix)
    for entry in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        account.call("s3", "delete_object", Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])


def _setting(noun: str, argument: str, build: Any, undo: Any, read: Any = None) -> Kind:
    """Return how one setting of a bucket is made: put, and put again when it changes.

    Args:
        noun: What the API calls it: `put_<noun>`, `get_<noun>`.
        argument: The argument with the setting's document.
        build: Makes the document of the inputs, `bucket` taken.
        undo: Takes it away again: the operation, or a document to put.
        read: Returns the inputs that a document of the API stands for.
    """

    def make(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
        bucket = inputs.need("bucket")
        document = build(inputs)
        inputs.finish()
        account.call("s3", f"put_{noun}", Bucket=bucket, **{argument: document})
        return {"id": bucket}

    def change(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
        return make(account, inputs, tags)

    def find(account: Account, outputs: Outputs) -> Mapping[str, Any]:
        found: Mapping[str, Any] = read(account.call("s3", f"get_{noun}", Bucket=outputs["bucket"]))
        return found

    def remove(account: Account, outputs: Outputs) -> None:
        if isinstance(undo, str):
            account.call("s3", undo, Bucket=outputs["bucket"])
        else:
            account.call("s3", f"put_{noun}", Bucket=outputs["bucket"], **{argument: undo})

    return Kind(make, remove, change=change, anew=frozenset({"bucket"}), read=find)


def _rules(inputs: Inputs) -> dict[str, Any]:
    return {"Rules": [renamed(rule, _NAMES, frozenset()) for rule in inputs.need("rules")]}


def _make_policy(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    """Put a bucket's policy, look at it, and take it away: moto 5.2 applies denials without their conditions."""
    bucket, policy = inputs.need("bucket"), inputs.need("policy")
    inputs.finish()
    account.call("s3", "put_bucket_policy", Bucket=bucket, Policy=policy)
    found = json.loads(account.call("s3", "get_bucket_policy", Bucket=bucket)["Policy"])
    account.call("s3", "delete_bucket_policy", Bucket=bucket)
    return {"id": bucket, "__found": found}


def _change_policy(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    return _make_policy(account, inputs, tags)


def _keep(account: Account, outputs: Outputs) -> None:
    """Remove nothing: it is gone already."""


def _make_object(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    bucket, key = inputs.need("bucket"), inputs.need("key")
    inputs.ignore("sourceHash", "forceDestroy")
    text, encoded, source = inputs.take("content"), inputs.take("contentBase64"), inputs.take("source")
    if source is not None:
        body = content(f"source of {inputs.what}", source, inputs.folder)
    else:
        body = base64.b64decode(encoded) if encoded is not None else str(text or "").encode()
    request = inputs.rest({})
    tagging = {"Tagging": urllib.parse.urlencode(tags)} if tags else {}
    made = account.call("s3", "put_object", Bucket=bucket, Key=key, Body=body, **tagging, **request)
    return {
        "id": f"{bucket}/{key}",
        "etag": made["ETag"].strip('"'),
        "versionId": made.get("VersionId", ""),
        "arn": f"arn:aws:s3:::{bucket}/{key}",
    }


def _change_object(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    return _make_object(account, inputs, tags)


def _read_object(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("s3", "get_object", Bucket=outputs["bucket"], Key=outputs["key"])
    text = {"content": found["Body"].read().decode()} if "content" in outputs else {}
    return {**text, "contentType": found["ContentType"]}


def _remove_object(account: Account, outputs: Outputs) -> None:
    remove_objects(account, outputs["bucket"], outputs["key"])


_BLOCK = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
KINDS = {
    "aws:s3/bucket:Bucket": Kind(
        _make_bucket,
        _remove_bucket,
        ("arn", "bucketDomainName", "bucketRegionalDomainName", "region"),
        named="bucket",
        change=_change_bucket,
        anew=frozenset({"bucket"}),
        read=_read_bucket,
        tagged=True,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        "bucket_versioning",
        "VersioningConfiguration",
        lambda inputs: renamed(
            inputs.need("versioningConfiguration"), {"mfaDelete": "MFADelete"}, frozenset()
        ),
        {"Status": "Suspended"},
        lambda found: {"versioningConfiguration": {"status": found.get("Status")}},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        "bucket_encryption",
        "ServerSideEncryptionConfiguration",
        _rules,
        "delete_bucket_encryption",
        lambda found: {"rules": lowered(found["ServerSideEncryptionConfiguration"]["Rules"], _NAMES)},
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        "public_access_block",
        "PublicAccessBlockConfiguration",
        lambda inputs: {name[0].upper() + name[1:]: inputs.take(name, default=False) for name in _BLOCK},
        "delete_public_access_block",
        lambda found: lowered(found["PublicAccessBlockConfiguration"], _NAMES),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        "bucket_ownership_controls",
        "OwnershipControls",
        lambda inputs: {"Rules": [renamed(inputs.need("rule"), _NAMES, frozenset())]},
        "delete_bucket_ownership_controls",
        lambda found: {"rule": lowered(found["OwnershipControls"]["Rules"][0], _NAMES)},
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        "bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        _rules,
        "delete_bucket_lifecycle",
        lambda found: {"rules": lowered(found["Rules"], _NAMES)},
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Kind(
        _make_policy,
        _keep,
        change=_change_policy,
        anew=frozenset({"bucket"}),
        read=lambda account, outputs: {"policy": outputs["__found"]},
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": Kind(
        _make_object,
        _remove_object,
        ("etag", "versionId", "arn"),
        change=_change_object,
        anew=frozenset({"bucket", "key"}),
        read=_read_object,
        tagged=True,
    ),
}
