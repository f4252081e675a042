"""What a change of models and memory changes in a function, and what a destroy keeps, in each cloud's own words."""

from __future__ import annotations

from lastmile_sls.plan.document import Target

_DIGEST = "LASTMILE_MANIFEST_DIGEST"
ZIP_ON_LAMBDA = ["code", f"environment.variables.{_DIGEST}", "memorySize"]
IMAGE_ON_LAMBDA = [f"environment.variables.{_DIGEST}", "imageUri", "memorySize"]
ALIAS = ["functionVersion"]
"""A changed function is published as another version, and who calls the alias gets that."""
SERVICE = [
    f"template.containers[0].envs[{_DIGEST}].value",
    "template.containers[0].image",
    "template.containers[0].resources.limits.memory",
]
WEB_APP = [
    "functionAppConfig.scaleAndConcurrency.instanceMemoryMB",
    "siteConfig.appSettings[LASTMILE_RELEASES].value",
]
CONTAINER_APP = [
    f"template.containers[predict].env[{_DIGEST}].value",
    "template.containers[predict].image",
    "template.containers[predict].resources.cpu",
    "template.containers[predict].resources.memory",
]
DELIVERED = ["digest"]
"""Of code that is sent: its content, whatever it is called."""


def kept(cloud: Target, deployment: str) -> list[str]:
    """Return what a deployment with storage leaves: that, and the routing document in it."""
    bucket = f"{deployment}-state"
    match cloud:
        case "aws":
            return [
                f"Bucket {bucket}",
                f"BucketLifecycleConfiguration {bucket}-lifecycle",
                f"BucketOwnershipControls {bucket}-ownership",
                f"BucketPolicy {bucket}-policy",
                f"BucketPublicAccessBlock {bucket}-closed",
                f"BucketServerSideEncryptionConfiguration {bucket}-encryption",
                f"BucketVersioning {bucket}-versioning",
                f"Document {deployment}-routing",
            ]
        case "gcp":
            return [f"Bucket {bucket}", f"Document {deployment}-routing"]
        case "azure":
            return [
                f"BlobContainer {bucket}",
                f"BlobServiceProperties {deployment}-versions",
                f"Document {deployment}-routing",
                f"ManagementPolicy {deployment}-lifecycle",
                f"ResourceGroup {deployment}-data",
                f"StorageAccount {deployment.replace('-', '').removesuffix('dev')}data",
            ]
    raise ValueError(f"{cloud} is no cloud")
