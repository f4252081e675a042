"""Every example's life on every cloud: on the embedded engine, and under the real Pulumi CLI, a minute of processor each."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.plan.document import Target
from tests.clouds.played import KEY
from tests.examples.conftest import Lived
from tests.examples.expected import CHANGES, kept
from tests.examples.lives import Life, assert_sound, assert_told, live
from tests.examples.policy import assert_judged_alike, assert_kept, pack_for
from tests.examples.projects import CLOUDS, EXAMPLES

EVERY_CLOUD = pytest.mark.parametrize("cloud", CLOUDS)
EVERY_EXAMPLE = pytest.mark.parametrize("example", EXAMPLES)


def assert_as_expected(life: Life, example: str, cloud: Target) -> None:
    assert_sound(life)
    assert life.changes() == CHANGES[example][cloud]
    assert life.retained == kept(life.plan)


@EVERY_CLOUD
@EVERY_EXAMPLE
def test_its_life(lived: Lived, example: str, cloud: Target) -> None:
    assert_as_expected(lived(example, cloud), example, cloud)


@EVERY_CLOUD
@EVERY_EXAMPLE
def test_what_each_resource_is_told(lived: Lived, example: str, cloud: Target) -> None:
    assert_told(lived(example, cloud))


@EVERY_CLOUD
@EVERY_EXAMPLE
def test_it_keeps_the_examples_policy(lived: Lived, example: str, cloud: Target) -> None:
    assert_kept(lived(example, cloud))


@pytest.mark.pulumi_cli
@EVERY_CLOUD
@EVERY_EXAMPLE
def test_its_life_under_the_real_cli(tmp_path: Path, example: str, cloud: Target) -> None:
    life = live("pulumi", example, cloud, tmp_path, KEY, policy_pack=pack_for(tmp_path / "pack"))
    assert_judged_alike(life)
    assert_told(life)
    assert_as_expected(life, example, cloud)
    assert life.exposing == []
