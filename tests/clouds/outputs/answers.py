"""What the clouds answer to the questions that a program asks while it runs: who am I, and where."""

from __future__ import annotations

from lastmile_sls.engine.properties import Properties
from tests.clouds.outputs.made import Place


def answer_of(token: str, place: Place) -> Properties | None:
    """Return what a function of a provider answers; None for one that is not known here."""
    answers: dict[str, Properties] = {
        "aws:index/getCallerIdentity:getCallerIdentity": {
            "accountId": place.account,
            "arn": f"arn:aws:iam::{place.account}:user/tester",
            "id": place.account,
            "userId": "AIDATESTER",
        },
        "aws:index/getRegion:getRegion": {
            "description": place.region,
            "endpoint": f"ec2.{place.region}.amazonaws.com",
            "id": place.region,
            "name": place.region,
            "region": place.region,
        },
        "aws:index/getPartition:getPartition": {
            "dnsSuffix": "amazonaws.com",
            "id": "aws",
            "partition": "aws",
            "reverseDnsPrefix": "com.amazonaws",
        },
        "gcp:organizations/getClientConfig:getClientConfig": {
            "accessToken": "a-token",
            "defaultLabels": {},
            "id": f"projects/{place.project}/regions/{place.region}/zones/",
            "project": place.project,
            "region": place.region,
            "zone": f"{place.region}-b",
        },
        "gcp:organizations/getProject:getProject": {
            "autoCreateNetwork": False,
            "billingAccount": "000000-000000-000000",
            "deletionPolicy": "PREVENT",
            "effectiveLabels": {},
            "folderId": "",
            "id": f"projects/{place.project}",
            "labels": {},
            "name": place.project,
            "number": place.project_number,
            "orgId": "",
            "projectId": place.project,
            "pulumiLabels": {},
            "tags": {},
        },
        "azure-native:authorization:getClientConfig": {
            "clientId": "00000000-0000-4000-8000-000000000003",
            "objectId": "00000000-0000-4000-8000-000000000004",
            "subscriptionId": place.subscription,
            "tenantId": place.tenant,
        },
    }
    return answers.get(token)
