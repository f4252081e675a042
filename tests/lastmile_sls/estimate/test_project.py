"""Which target is meant, and what must be measured."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.project import target_of
from lastmile_sls.spec.load import check
from lastmile_sls.spec.model import Spec

PLACES: dict[str, Any] = {
    "aws": {"region": "eu-west-1"},
    "gcp": {"project": "acme-models", "region": "europe-west1"},
    "azure": {"location": "westeurope"},
}


def spec(*clouds: str) -> Spec:
    return check(
        {
            "name": "churn",
            "owner": "a",
            "cost_center": "b",
            "versions": [{"id": "v1", "artifact": "m.py", "framework": "python", "entry": "Model"}],
            "targets": {cloud: PLACES[cloud] for cloud in clouds},
        }
    )


def test_the_only_cloud_of_a_spec_need_not_be_named() -> None:
    assert target_of(spec("gcp"), None) == "gcp"
    assert target_of(spec("gcp", "azure"), "azure") == "azure"
    with pytest.raises(LastmileError) as caught:
        target_of(spec("aws", "gcp", "azure"), None)
    assert caught.value.message == "churn has a place on aws, gcp and azure."
    assert caught.value.hint == "Name one: --target aws\nOr all at once: lastmile compare"
    with pytest.raises(LastmileError, match="churn names no cloud, and this machine has no meter"):
        target_of(spec(), None)
    with pytest.raises(LastmileError, match="nothing is billed for what runs on it"):
        target_of(spec("aws"), "local")
