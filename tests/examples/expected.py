"""What a change of models and memory changes in a function, and what a destroy keeps, in each cloud's own words."""

from __future__ import annotations

from collections.abc import Mapping

from lastmile_sls.plan.document import Plan, Target

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

CHANGES: dict[str, dict[Target, Mapping[str, list[str]]]] = {
    "breast-cancer": {
        "aws": {
            "update Alias breast-cancer-dev-predict-live": ALIAS,
            "update Function breast-cancer-dev-predict": ZIP_ON_LAMBDA,
        },
        "gcp": {
            "update Image breast-cancer-dev-predict-image": DELIVERED,
            "update Service breast-cancer-dev-predict": SERVICE,
        },
        "azure": {
            "update Package breast-cancer-dev-predict-package": DELIVERED,
            "update Release breast-cancer-dev-predict-release": DELIVERED,
            "update WebApp breast-cancer-d-b74936e9": WEB_APP,
        },
    },
    "conflicting-versions": {
        "aws": {
            "update Alias delivery-time-dev-predict-live": ALIAS,
            "update Alias delivery-time-dev-predict-v2-live": ALIAS,
            "update Function delivery-time-dev-predict": ZIP_ON_LAMBDA,
            "update Function delivery-time-dev-predict-v2": ZIP_ON_LAMBDA,
        },
        "gcp": {
            "update Image delivery-time-dev-predict-image": DELIVERED,
            "update Image delivery-time-dev-predict-v2-image": DELIVERED,
            "update Service delivery-time-dev-predict": SERVICE,
            "update Service delivery-time-dev-predict-v2": SERVICE,
        },
        "azure": {
            "update Package delivery-time-dev-predict-package": DELIVERED,
            "update Package delivery-time-dev-predict-v2-package": DELIVERED,
            "update Release delivery-time-dev-predict-release": DELIVERED,
            "update Release delivery-time-dev-predict-v2-release": DELIVERED,
            "update WebApp delivery-time-d-64f475fe": WEB_APP,
            "update WebApp delivery-time-d-659e33c2": WEB_APP,
        },
    },
    "image-sized": {
        "aws": {
            "update Alias word-vectors-dev-predict-live": ALIAS,
            "update Function word-vectors-dev-predict": IMAGE_ON_LAMBDA,
            "update Image word-vectors-dev-predict-image": DELIVERED,
        },
        "gcp": {
            "update Image word-vectors-dev-predict-image": DELIVERED,
            "update Service word-vectors-dev-predict": SERVICE,
        },
        "azure": {
            "update ContainerApp word-vectors-dev-predict-app": CONTAINER_APP,
            "update Image word-vectors-dev-predict-image": DELIVERED,
        },
    },
    "overnight": {
        "aws": {
            "update Alias parcel-delay-dev-predict-live": ALIAS,
            "update Function parcel-delay-dev-predict": ZIP_ON_LAMBDA,
        },
        "gcp": {
            "update Image parcel-delay-dev-predict-image": DELIVERED,
            "update Service parcel-delay-dev-predict": SERVICE,
        },
        "azure": {
            "update Package parcel-delay-dev-predict-package": DELIVERED,
            "update Release parcel-delay-dev-predict-release": DELIVERED,
            "update WebApp parcel-delay-dev-predict": WEB_APP,
        },
    },
    "public": {
        "aws": {
            "update Alias daylight-dev-predict-live": ALIAS,
            "update Function daylight-dev-predict": ZIP_ON_LAMBDA,
        },
        "gcp": {
            "update Image daylight-dev-predict-image": DELIVERED,
            "update Service daylight-dev-predict": SERVICE,
        },
        "azure": {
            "update Package daylight-dev-predict-package": DELIVERED,
            "update Release daylight-dev-predict-release": DELIVERED,
            "update WebApp daylight-dev-predict": WEB_APP,
        },
    },
    "watched": {
        "aws": {
            "update Alias heat-demand-prod-predict-live": ALIAS,
            "update Function heat-demand-prod-predict": ZIP_ON_LAMBDA,
        },
        "gcp": {
            "update Image heat-demand-prod-predict-image": DELIVERED,
            "update Service heat-demand-prod-predict": SERVICE,
        },
        "azure": {
            "update Package heat-demand-prod-predict-package": DELIVERED,
            "update Release heat-demand-prod-predict-release": DELIVERED,
            "update WebApp heat-demand-prod-predict": WEB_APP,
        },
    },
    "web-app": {
        "aws": {
            "update Alias house-price-dev-predict-live": ALIAS,
            "update Function house-price-dev-predict": ZIP_ON_LAMBDA,
        },
        "gcp": {
            "update Image house-price-dev-predict-image": DELIVERED,
            "update Service house-price-dev-predict": SERVICE,
        },
        "azure": {
            "update Package house-price-dev-predict-package": DELIVERED,
            "update Release house-price-dev-predict-release": DELIVERED,
            "update WebApp house-price-dev-predict": WEB_APP,
        },
    },
}
"""What a change of an example's models and of its memory changes: the input paths of each step."""


def kept(plan: Plan) -> list[str]:
    """Return what a destroy leaves of a deployment: its storage, if it has some, and the routing document in it."""
    if plan["storage"] is None:
        return []
    document = [f"Document {plan['deployment']}-routing"] if plan["routing"] else []
    return sorted([*_kept_storage(plan["target"], plan["deployment"]), *document])


def _kept_storage(cloud: Target, deployment: str) -> list[str]:
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
            ]
        case "gcp":
            return [f"Bucket {bucket}"]
        case "azure":
            return [
                f"BlobContainer {bucket}",
                f"BlobServiceProperties {deployment}-versions",
                f"ManagementPolicy {deployment}-lifecycle",
                f"ResourceGroup {deployment}-data",
                f"StorageAccount {deployment.replace('-', '')[:12]}data",
            ]
    raise ValueError(f"{cloud} is no cloud")
