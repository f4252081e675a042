"""Two versions of one function behind one key, with a live routing document."""

from __future__ import annotations

import pytest

from lastmile_sls.plan.document import Target
from tests.examples.conftest import Lived
from tests.examples.expected import ALIAS, DELIVERED, SERVICE, WEB_APP, ZIP_ON_LAMBDA, kept
from tests.examples.lives import Changes, assert_sound, assert_told
from tests.examples.projects import CLOUDS

EXAMPLE = "breast-cancer"
CHANGES: dict[Target, Changes] = {
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
