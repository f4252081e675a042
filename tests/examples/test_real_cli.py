"""Every example's life on every cloud under the real Pulumi CLI, a minute of processor time each."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.plan.document import Target
from tests.clouds.played import KEY
from tests.examples import (
    test_breast_cancer,
    test_conflicting_versions,
    test_image_sized,
    test_public,
    test_web_app,
)
from tests.examples.expected import kept
from tests.examples.lives import assert_sound, assert_told, live
from tests.examples.projects import CLOUDS

MODULES = (test_breast_cancer, test_conflicting_versions, test_image_sized, test_public, test_web_app)
CHANGES = {module.EXAMPLE: module.CHANGES for module in MODULES}


@pytest.mark.pulumi_cli
@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("example", CHANGES)
def test_its_life_under_the_real_cli(tmp_path: Path, example: str, cloud: Target) -> None:
    life = live("pulumi", example, cloud, tmp_path, KEY)
    assert_told(life)
    assert_sound(life)
    assert life.changes() == CHANGES[example][cloud]
    stored = life.plan["storage"] is not None
    assert life.retained == (kept(cloud, life.plan["deployment"]) if stored else [])
    assert life.exposing == []
