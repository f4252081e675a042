"""Regions."""

from __future__ import annotations

from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.policy.rules.regions import REGIONS
from tests.lastmile_sls.policy.judged import problems

ALLOWED = {"aws": ["eu-west-1"], "gcp": ["europe-west1"], "azure": ["westeurope", "northeurope"]}


def test_a_place_is_allowed_however_the_cloud_writes_it() -> None:
    for type_, inputs in (
        ("pulumi:providers:aws", {"region": "eu-west-1"}),
        ("gcp:storage/bucket:Bucket", {"location": "EUROPE-WEST1"}),
        ("gcp:compute/disk:Disk", {"zone": "europe-west1-b"}),
        ("azure-native:storage:StorageAccount", {"location": "West Europe"}),
        ("azure-native:cdn:Profile", {"location": "Global"}),
        ("aws:lambda/function:Function", {}),
        ("lastmile:index:Key", {"region": "anywhere"}),
    ):
        assert problems(REGIONS, type_, inputs, regions=ALLOWED) == []


def test_a_place_that_is_not() -> None:
    assert problems(REGIONS, "pulumi:providers:aws", {"region": "us-east-1"}, regions=ALLOWED) == [
        "region is us-east-1; allowed is eu-west-1."
    ]
    assert problems(REGIONS, "azure-native:web:WebApp", {"location": "eastus"}, regions=ALLOWED) == [
        "location is eastus; allowed is westeurope, northeurope."
    ]
    secret = {
        "replication": {"userManaged": {"replicas": [{"location": "us-east1"}, {"location": "europe-west1"}]}}
    }
    assert problems(REGIONS, "gcp:secretmanager/secret:Secret", secret, regions=ALLOWED) == [
        "replication.userManaged.replicas.location is us-east1; allowed is europe-west1."
    ]
    assert problems(REGIONS, "gcp:storage/bucket:Bucket", {"location": UNKNOWN}, regions=ALLOWED) == [
        "? location is known only after creation."
    ]
    assert problems(REGIONS, "pulumi:providers:aws", {"region": "us-east-1"}) == []
