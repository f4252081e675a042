"""A model that is an image everywhere: Lambda's, Cloud Run's, and a container app on Azure."""

from __future__ import annotations

import pytest

from lastmile_sls.plan.document import Target
from tests.examples.conftest import Lived
from tests.examples.expected import ALIAS, CONTAINER_APP, DELIVERED, IMAGE_ON_LAMBDA, SERVICE
from tests.examples.lives import Changes, assert_sound, assert_told
from tests.examples.projects import CLOUDS

EXAMPLE = "image-sized"
CHANGES: dict[Target, Changes] = {
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
}
"""What a change of the models and of the memory changes."""


@pytest.mark.parametrize("cloud", CLOUDS)
def test_its_life(lived: Lived, cloud: Target) -> None:
    life = lived(EXAMPLE, cloud)
    assert_sound(life)
    assert life.changes() == CHANGES[cloud]
    assert life.retained == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_each_resource_is_told(lived: Lived, cloud: Target) -> None:
    assert_told(lived(EXAMPLE, cloud))
