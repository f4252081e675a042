"""Where the inputs lie of what only an account's bootstrap has, in the clouds' API models."""

from __future__ import annotations

from tests.clouds.api_models.mapping import Place

_TAG = "ce:UpdateCostAllocationTagsStatus#CostAllocationTagsStatus"
AWS_ROOTS: dict[str, tuple[str, ...]] = {
    "aws:bcmdata/export:Export": ("AWS::BCMDataExports::Export", "bcm-data-exports:CreateExport"),
    "aws:costexplorer/costAllocationTag:CostAllocationTag": ("ce:UpdateCostAllocationTagsStatus",),
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": ("AWS::CE::AnomalyMonitor", "ce:CreateAnomalyMonitor"),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": (
        "ce:CreateAnomalySubscription",
        "AWS::CE::AnomalySubscription",
    ),
    "aws:kms/alias:Alias": ("AWS::KMS::Alias", "kms:CreateAlias"),
}
AWS_RENAMES: dict[Place, str] = {
    ("aws:bcmdata/export:Export", "export.dataQueries"): "DataQuery",
    ("aws:bcmdata/export:Export", "export.destinationConfigurations"): "DestinationConfigurations",
    ("aws:bcmdata/export:Export", "export.destinationConfigurations.s3Destinations"): "S3Destination",
    ("aws:bcmdata/export:Export", "export.refreshCadences"): "RefreshCadence",
    ("aws:costexplorer/costAllocationTag:CostAllocationTag", "tagKey"): f"{_TAG}.TagKey",
    ("aws:costexplorer/costAllocationTag:CostAllocationTag", "status"): f"{_TAG}.Status",
    ("aws:costexplorer/anomalyMonitor:AnomalyMonitor", "name"): "MonitorName",
    ("aws:costexplorer/anomalyMonitor:AnomalyMonitor", "tags"): "ResourceTags",
    ("aws:costexplorer/anomalySubscription:AnomalySubscription", "name"): (
        "#AnomalySubscription.SubscriptionName"
    ),
    ("aws:costexplorer/anomalySubscription:AnomalySubscription", "frequency"): (
        "#AnomalySubscription.Frequency"
    ),
    ("aws:costexplorer/anomalySubscription:AnomalySubscription", "monitorArnLists"): (
        "#AnomalySubscription.MonitorArnList"
    ),
    ("aws:costexplorer/anomalySubscription:AnomalySubscription", "subscribers"): (
        "#AnomalySubscription.Subscribers"
    ),
    ("aws:costexplorer/anomalySubscription:AnomalySubscription", "thresholdExpression"): (
        "#AnomalySubscription.ThresholdExpression"
    ),
    (
        "aws:costexplorer/anomalySubscription:AnomalySubscription",
        "thresholdExpression.dimension",
    ): "Dimensions",
    ("aws:costexplorer/anomalySubscription:AnomalySubscription", "tags"): "#ResourceTags",
    ("aws:kms/alias:Alias", "name"): "AliasName",
    ("aws:kms/key:Key", "rotationPeriodInDays"): "kms:EnableKeyRotation#RotationPeriodInDays",
}
GCP_ROOTS: dict[str, tuple[str, ...]] = {
    "gcp:bigquery/dataset:Dataset": ("bigquery.v2:Dataset", "bigquery.v2/datasets.insert"),
    "gcp:kms/keyRing:KeyRing": ("cloudkms.v1:KeyRing", "cloudkms.v1/projects.locations.keyRings.create"),
    "gcp:kms/cryptoKey:CryptoKey": (
        "cloudkms.v1:CryptoKey",
        "cloudkms.v1/projects.locations.keyRings.cryptoKeys.create",
    ),
}
GCP_RENAMES: dict[Place, str] = {
    ("gcp:bigquery/dataset:Dataset", "datasetId"): "#datasetReference.datasetId",
    ("gcp:bigquery/dataset:Dataset", "deleteContentsOnDestroy"): (
        "bigquery.v2/datasets.delete#deleteContents"
    ),
    ("gcp:kms/cryptoKey:CryptoKey", "keyRing"): (
        "cloudkms.v1/projects.locations.keyRings.cryptoKeys.create#parent"
    ),
}
AZURE_ROOTS: dict[str, tuple[str, ...]] = {
    "azure-native:costmanagement:TagInheritanceSetting": ("costmanagement:TagInheritanceSetting",),
    "azure-native:keyvault:Key": ("keyvault:KeyCreateParameters", "keyvault/keys.create_if_not_exist"),
    "azure-native:resources:DeploymentAtSubscriptionScope": (
        "resource.resources.v2022_09_01:Deployment",
        "resource.resources.v2022_09_01/deployments.create_or_update_at_subscription_scope",
    ),
}
AZURE_UNMAPPED: dict[Place, str] = {
    ("azure-native:costmanagement:TagInheritanceSetting", "scope"): (
        "what the address begins with, which the package takes as it comes: subscriptions/ID"
    ),
    ("azure-native:costmanagement:TagInheritanceSetting", "type"): (
        "the last part of the address, which the package writes itself: taginheritance"
    ),
}
