"""What each target's functions run on."""

from __future__ import annotations

import platform
import sys
from typing import Any

import pytest

from lastmile_sls.plan.document import Target
from lastmile_sls.targets.environments import RUNTIMES, environment_of, here, refusals
from tests.lastmile_sls.specs import make_spec

AZURE = RUNTIMES["azure"].source
CHANGE = "Take it out, or deploy to a cloud."
WHAT, WHOSE = "lastmile's functions", "the Python that runs lastmile"
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("target", "spec", "told"),
    [
        ("aws", {}, "Python 3.13 on arm64 with manylinux_2_34"),
        ("aws", {"bundle": {"python": "3.11"}}, "Python 3.11 on arm64 with manylinux_2_26"),
        ("aws", {"resources": {"processor": "x86_64"}}, "Python 3.13 on x86_64 with manylinux_2_34"),
        ("gcp", {"bundle": {"python": "3.14"}}, "Python 3.14 on x86_64 with manylinux_2_36"),
        ("azure", {}, "Python 3.13 on x86_64 with manylinux_2_31"),
    ],
)
def test_clouds(target: Target, spec: dict[str, Any], told: str) -> None:
    made = make_spec(**spec)
    assert refusals(target, made) == []
    assert str(environment_of(target, made)) == told


def test_this_machine() -> None:
    found = environment_of("local", make_spec())
    assert found == here()
    if platform.libc_ver()[0] == "glibc":
        assert found is not None
        assert found.python == RUNNING


@pytest.mark.parametrize(
    ("target", "spec", "told"),
    [
        (
            "azure",
            {"bundle": {"python": "3.14"}},
            f"bundle.python is '3.14', but azure runs {WHAT} with 3.11, 3.12 or 3.13 ({AZURE}). Name one of these.",
        ),
        (
            "gcp",
            {"resources": {"processor": "arm64"}},
            f"resources.processor is 'arm64', but gcp has x86_64 for functions ({RUNTIMES['gcp'].source}). Take it out.",
        ),
        (
            "local",
            {"bundle": {"python": "3.99"}},
            f"bundle.python is '3.99', but this machine runs functions with {WHOSE}, {RUNNING}. {CHANGE}",
        ),
    ],
)
def test_what_is_not_there_is_refused(target: Target, spec: dict[str, Any], told: str) -> None:
    assert [str(refusal) for refusal in refusals(target, make_spec(**spec))] == [told]
