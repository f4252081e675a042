"""Two versions that no environment can have: two functions, of which callers reach one."""

from __future__ import annotations

import pytest

from lastmile_sls.plan.document import Target
from tests.examples.conftest import Lived
from tests.examples.expected import ALIAS, DELIVERED, SERVICE, WEB_APP, ZIP_ON_LAMBDA, kept
from tests.examples.lives import Changes, assert_sound, assert_told
from tests.examples.projects import CLOUDS

EXAMPLE = "conflicting-versions"
CHANGES: dict[Target, Changes] = {
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
}
"""What a change of the models and of the memory changes."""


@pytest.mark.parametrize("cloud", CLOUDS)
def test_its_life(lived: Lived, cloud: Target) -> None:
    life = lived(EXAMPLE, cloud)
    assert_sound(life)
    assert life.changes() == CHANGES[cloud]
    assert life.retained == kept(cloud, life.plan["deployment"])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_each_resource_is_told(lived: Lived, cloud: Target) -> None:
    assert_told(lived(EXAMPLE, cloud))
