"""What the clouds would answer when a resource is made that only an account's bootstrap has."""

from __future__ import annotations

from typing import Any

from tests.clouds.outputs.made import Made, Outputs


def _billing_arn(made: Made, service: str, kind: str) -> dict[str, Any]:
    arn = f"arn:aws:{service}::{made.place.account}:{kind}/{made.uuid(kind)}"
    return {"id": arn, "arn": arn}


def _export(made: Made) -> dict[str, Any]:
    name = made["export"]["name"]
    arn = f"arn:aws:bcm-data-exports:us-east-1:{made.place.account}:export/{name}-{made.uuid('export')}"
    return {"id": arn, "arn": arn}


def _alias(made: Made) -> dict[str, Any]:
    name = made.named()
    arn = f"arn:aws:kms:{made.place.region}:{made.place.account}"
    return {
        "id": name,
        "name": name,
        "namePrefix": "",
        "arn": f"{arn}:{name}",
        "targetKeyArn": f"{arn}:key/{made['targetKeyId']}",
    }


def _dataset(made: Made) -> dict[str, Any]:
    id_ = f"projects/{made.place.project}/datasets/{made['datasetId']}"
    return {
        "id": id_,
        "project": made.place.project,
        "selfLink": f"https://bigquery.googleapis.com/bigquery/v2/{id_}",
        "etag": made.digest(22),
        "storageBillingModel": "LOGICAL",
        "defaultCollation": "",
        "maxTimeTravelHours": "168",
    }


def _ring(made: Made) -> dict[str, Any]:
    id_ = f"projects/{made.place.project}/locations/{made['location']}/keyRings/{made.named()}"
    return {"id": id_, "name": made.named(), "project": made.place.project}


def _crypto_key(made: Made) -> dict[str, Any]:
    return {"id": f"{made['keyRing']}/cryptoKeys/{made.named()}", "name": made.named()}


def _inheritance(made: Made) -> dict[str, Any]:
    id_ = f"/{made['scope']}/providers/Microsoft.CostManagement/settings/taginheritance"
    return {"id": id_, "name": "taginheritance", "azureApiVersion": "2024-08-01"}


def _deployment(made: Made) -> dict[str, Any]:
    """Return what the deployment of a template tells: each output of the template's, made up."""
    name = made.named("deploymentName")
    declared = made["properties"]["template"]["outputs"]
    outputs = {key: {"type": output["type"], "value": made.uuid(key)} for key, output in declared.items()}
    return {
        "id": f"/subscriptions/{made.place.subscription}/providers/Microsoft.Resources/deployments/{name}",
        "name": name,
        "type": "Microsoft.Resources/deployments",
        "azureApiVersion": "2025-04-01",
        "properties": {"outputs": outputs, "provisioningState": "Succeeded"},
    }


def _vault_key(made: Made) -> dict[str, Any]:
    vault, name = made["vaultName"], made.named("keyName")
    group = f"/subscriptions/{made.place.subscription}/resourceGroups/{made['resourceGroupName']}"
    uri = f"https://{vault}.vault.azure.net/keys/{name}"
    return {
        "id": f"{group}/providers/Microsoft.KeyVault/vaults/{vault}/keys/{name}",
        "name": name,
        "type": "Microsoft.KeyVault/vaults/keys",
        "location": made.place.region,
        "azureApiVersion": "2024-11-01",
        "keyUri": uri,
        "keyUriWithVersion": f"{uri}/{made.digest(32)}",
    }


AWS: dict[str, Outputs] = {
    "aws:bcmdata/export:Export": _export,
    "aws:costexplorer/costAllocationTag:CostAllocationTag": lambda made: {
        "id": made["tagKey"],
        "type": "UserDefined",
    },
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": lambda made: {
        **_billing_arn(made, "ce", "anomalymonitor"),
        "name": made.named(),
    },
    "aws:costexplorer/anomalySubscription:AnomalySubscription": lambda made: {
        **_billing_arn(made, "ce", "anomalysubscription"),
        "name": made.named(),
        "accountId": made.place.account,
    },
    "aws:kms/alias:Alias": _alias,
}
GCP: dict[str, Outputs] = {
    "gcp:bigquery/dataset:Dataset": _dataset,
    "gcp:kms/keyRing:KeyRing": _ring,
    "gcp:kms/cryptoKey:CryptoKey": _crypto_key,
}
AZURE: dict[str, Outputs] = {
    "azure-native:costmanagement:TagInheritanceSetting": _inheritance,
    "azure-native:keyvault:Key": _vault_key,
    "azure-native:resources:DeploymentAtSubscriptionScope": _deployment,
}
