"""Tokens, a domain, web pages and a rate limit: on the clouds, and refused where there is no domain."""

from __future__ import annotations

import shutil

import pytest

from lastmile_sls.plan.document import Target
from tests.examples.conftest import Lived
from tests.examples.expected import ALIAS, DELIVERED, SERVICE, WEB_APP, ZIP_ON_LAMBDA
from tests.examples.lives import Changes, assert_sound, assert_told
from tests.examples.projects import CLOUDS, FOLDER
from tests.lastmile_sls.commands import Workspace

EXAMPLE = "web-app"
CHANGES: dict[Target, Changes] = {
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


def test_this_machine_refuses_its_domain(work: Workspace) -> None:
    shutil.copytree(FOLDER / EXAMPLE, work.folder, dirs_exist_ok=True)
    assert work.fails("up") == (
        "error: the target local cannot carry this spec:\n"
        "  endpoint.domain is 'house-price.example.com', but the local target is reached on this machine only. "
        "Take it out.\n"
    )
