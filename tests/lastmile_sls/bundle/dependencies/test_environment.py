"""What packages are chosen for: each environment as uv, markers and wheels' names have it."""

from __future__ import annotations

import pytest
from packaging.markers import Marker

from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.dependencies.wheels import ARM, X86


@pytest.mark.parametrize(
    ("processor", "libc", "platform"),
    [
        ("x86_64", "manylinux_2_34", "x86_64-manylinux_2_34"),
        ("arm64", "manylinux_2_34", "aarch64-manylinux_2_34"),
        ("x86_64", "manylinux_2_17", "x86_64-manylinux_2_17"),
        ("arm64", "manylinux_2_27", "aarch64-manylinux_2_17"),
        ("arm64", "manylinux_2_30", "aarch64-manylinux_2_28"),
        ("x86_64", "manylinux_2_44", "x86_64-manylinux_2_40"),
    ],
)
def test_uv_is_told_the_newest_glibc_that_it_knows_and_that_is_there(
    processor: str, libc: str, platform: str
) -> None:
    assert Environment("3.13", processor, libc).python_platform == platform  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            ("3", "x86_64", "manylinux_2_34"),
            "python is '3', which is no version of Python.\nWrite two numbers, such as ",
        ),
        (("3.13.1", "x86_64", "manylinux_2_34"), "python is '3.13.1', which is no version of Python.\n"),
        (
            ("3.13", "amd64", "manylinux_2_34"),
            "processor is 'amd64'; it must be x86_64 or arm64.\nWrite x86_64 or arm64.",
        ),
        (
            ("3.13", "arm64", "glibc"),
            "libc is 'glibc'; wheels are chosen for glibc 2.17 or newer.\nWrite it as wheels do",
        ),
        (
            ("3.13", "arm64", "manylinux_2_12"),
            "libc is 'manylinux_2_12'; wheels are chosen for glibc 2.17 or newer.\n",
        ),
        (
            ("3.13", "arm64", "musllinux_1_2"),
            "libc is 'musllinux_1_2'; wheels are chosen for glibc 2.17 or newer.\n",
        ),
    ],
)
def test_what_no_function_has_is_refused(values: tuple[str, str, str], told: str) -> None:
    with pytest.raises(LastmileError) as refused:
        Environment(*values)  # type: ignore[arg-type]
    assert str(refused.value).startswith(told)


def test_markers_are_the_functions_not_those_of_this_machine() -> None:
    true = 'python_version == "3.13" and sys_platform == "linux" and platform_machine == "aarch64"'
    assert Marker(true).evaluate(dict(ARM.markers))
    assert not Marker(true).evaluate(dict(X86.markers))
    assert Marker('implementation_name == "cpython" and os_name == "posix"').evaluate(dict(X86.markers))


BEST_FIRST = [
    "a-1-2-cp313-cp313-manylinux_2_34_x86_64.whl",
    "a-1-1-cp313-cp313-manylinux_2_34_x86_64.whl",
    "a-1-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    "a-1-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "a-1-cp313-cp313-manylinux1_x86_64.whl",
    "a-1-cp313-cp313-linux_x86_64.whl",
    "a-1-cp313-abi3-manylinux_2_28_x86_64.whl",
    "a-1-cp310-abi3-manylinux2014_x86_64.whl",
    "a-1-py3-none-manylinux_2_28_x86_64.whl",
    "a-1-py2.py3-none-any.whl",
]


@pytest.mark.parametrize("place", range(len(BEST_FIRST)))
def test_the_best_of_the_wheels_that_fit_is_taken(place: int) -> None:
    assert X86.best_wheel(reversed(BEST_FIRST[place:])) == BEST_FIRST[place]


@pytest.mark.parametrize(
    "name",
    [
        "a-1-cp313-cp313-manylinux_2_35_x86_64.whl",
        "a-1-cp313-cp313-manylinux_2_34_aarch64.whl",
        "a-1-cp312-cp312-manylinux_2_34_x86_64.whl",
        "a-1-cp314-abi3-manylinux_2_34_x86_64.whl",
        "a-1-cp313-cp313t-manylinux_2_34_x86_64.whl",
        "a-1-cp313-cp313-musllinux_1_2_x86_64.whl",
        "a-1-cp313-cp313-macosx_11_0_arm64.whl",
        "a-1-py2-none-any.whl",
        "a-1.tar.gz",
        "a-one-py3-none-any.whl",
    ],
)
def test_what_does_not_fit_is_not_taken(name: str) -> None:
    assert X86.best_wheel([name]) is None


def test_it_says_what_it_is() -> None:
    assert str(ARM) == "Python 3.13 on arm64 with manylinux_2_34"
