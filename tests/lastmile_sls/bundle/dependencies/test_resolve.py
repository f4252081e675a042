"""Choosing packages: for the function's environment, wheels only, from the registry that is configured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.dependencies.lock import LockedSet
from lastmile_sls.bundle.dependencies.resolve import normalised, resolve
from lastmile_sls.bundle.dependencies.uv_process import LONGEST_REASON
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.dependencies.wheels import ARM, X86, environ, make_wheel, serve, sha256


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


@pytest.fixture
def variables(tmp_path: Path, wheels: Path) -> dict[str, str]:
    return environ(tmp_path / "home", wheels)


def versions(locked: LockedSet) -> dict[str, str]:
    return {package.name: package.version for package in locked.packages}


def refusal(
    requirements: Sequence[str], variables: dict[str, str], environment: Environment = X86
) -> LastmileError:
    with pytest.raises(LastmileError) as refused:
        resolve(requirements, environment, environ=variables)
    return refused.value


def test_a_package_comes_with_what_it_needs_there(wheels: Path, variables: dict[str, str]) -> None:
    markers = [
        "b>=1",
        'c; platform_machine == "aarch64"',
        'd; sys_platform == "win32" or python_version < "3.13"',
        'e; extra == "more"',
        'f; platform_system == "Linux" and python_full_version >= "3.13"',
    ]
    make_wheel(wheels, "a", "1.0", requires=markers)
    for name in "bcdef":
        make_wheel(wheels, name, "1.0")
    assert list(versions(resolve(["a"], X86, environ=variables))) == ["a", "b", "f"]
    assert list(versions(resolve(["a[more]"], ARM, environ=variables))) == ["a", "b", "c", "e", "f"]


def test_each_environment_gets_its_best_wheel_by_hash(wheels: Path, variables: dict[str, str]) -> None:
    tags = [
        "py3-none-any",
        *(f"cp313-cp313-manylinux_2_{n}_{m}" for n in (17, 28, 38) for m in ("x86_64", "aarch64")),
    ]
    made = {
        tag: make_wheel(wheels, "a", "1.0", {"a.py": tag}, tag=tag)
        for tag in (*tags, "cp312-cp312-linux_x86_64")
    }
    for environment, tag in (
        (X86, "cp313-cp313-manylinux_2_28_x86_64"),
        (ARM, "cp313-cp313-manylinux_2_28_aarch64"),
        (Environment("3.13", "arm64", "manylinux_2_26"), "cp313-cp313-manylinux_2_17_aarch64"),
        (Environment("3.12", "arm64", "manylinux_2_34"), "py3-none-any"),
    ):
        (package,) = resolve(["a"], environment, environ=variables).packages
        assert (package.wheel, package.sha256) == (made[tag].name, sha256(made[tag]))


def test_requirements_are_kept_in_one_spelling(wheels: Path, variables: dict[str, str]) -> None:
    make_wheel(wheels, "a_b", "1.0")
    found = resolve(["A.B >= 1", "a-b>=1"], X86, environ=variables, constraints=["a_b<2"])
    assert (found.requirements, found.constraints) == (("a-b>=1",), ("a-b<2",))
    assert [(package.name, package.wheel) for package in found.packages] == [
        ("a-b", "a_b-1.0-py3-none-any.whl")
    ]


def test_no_requirements_need_no_packages(tmp_path: Path) -> None:
    nowhere = environ(tmp_path / "home", UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    assert resolve([], X86, environ=nowhere) == LockedSet(X86, (), (), ())


def test_constraints_choose_but_ask_for_nothing(wheels: Path, variables: dict[str, str]) -> None:
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "a", version)
        make_wheel(wheels, "b", version)
    assert versions(resolve(["a"], X86, environ=variables, constraints=["a<2", "b<2"])) == {"a": "1.0"}


def test_previous_versions_are_kept_while_they_fit(wheels: Path, variables: dict[str, str]) -> None:
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "a", version, requires=[f"b>={version}"])
        make_wheel(wheels, "b", version)
    first = resolve(["a<2", "b<2"], X86, environ=variables)
    assert versions(first) == {"a": "1.0", "b": "1.0"}
    assert versions(resolve(["a"], X86, previous=first, environ=variables)) == {"a": "1.0", "b": "1.0"}
    assert versions(resolve(["a>1"], X86, previous=first, environ=variables)) == {"a": "2.0", "b": "2.0"}
    assert versions(resolve(["a"], X86, previous=first, upgrade=True, environ=variables)) == {
        "a": "2.0",
        "b": "2.0",
    }
    assert resolve(["b<2", "a<2"], X86, previous=first, environ={}) is first


@pytest.mark.parametrize(
    "there", ["1.0-cp313-cp313-manylinux_2_28_x86_64", "1.0-cp312-cp312-manylinux_2_28_aarch64"]
)
def test_a_package_without_a_wheel_is_named_with_the_way_out(
    wheels: Path, variables: dict[str, str], there: str
) -> None:
    version, _, tag = there.partition("-")
    make_wheel(wheels, "only-here".replace("-", "_"), version, tag=tag)
    make_wheel(wheels, "a", "1.0", requires=["only-here"])
    told = refusal(["a"], variables, ARM)
    start = "only-here has no wheel for Python 3.13 on arm64 with manylinux_2_34 in a version that is asked for. Because "
    assert told.message.startswith(start)
    assert told.hint.startswith(
        "Ask for a version that has one; or build a wheel of it for that environment, put it into "
    )
    assert "UV_FIND_LINKS; or choose another processor." in told.hint


def test_a_package_that_is_source_alone_has_no_wheel(wheels: Path, variables: dict[str, str]) -> None:
    (wheels / "old-1.0.tar.gz").write_bytes(b"")
    assert refusal(["old"], variables).message.startswith("old has no wheel for Python 3.13 on x86_64 with ")


def test_requirements_that_nothing_satisfies(wheels: Path, variables: dict[str, str]) -> None:
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "a", version)
    make_wheel(wheels, "b", "1.0", requires=["a<2"])
    told = refusal(["a>=2", "b"], variables)
    assert told.message == (
        "No versions satisfy all requirements for Python 3.13 on x86_64 with manylinux_2_34. Because all versions of b "
        "depend on a<2 and you require a>=2, we can conclude that your requirements and all versions of b are "
        "incompatible. And because you require b, this cannot be met."
    )
    assert told.hint == "Loosen one of them."


def test_a_long_proof_is_cut(wheels: Path, variables: dict[str, str]) -> None:
    for number in range(20):
        make_wheel(wheels, "a", f"1.{number}", requires=[f"{'x' * 40}{number}==9"])
        make_wheel(wheels, f"{'x' * 40}{number}", "1.0")
    told = refusal(["a"], variables).message
    start = "No versions satisfy all requirements for Python 3.13 on x86_64 with manylinux_2_34. "
    assert told.startswith(start)
    assert told.endswith("...")
    assert len(told) == len(start) + LONGEST_REASON


def test_a_name_that_the_registry_does_not_have(variables: dict[str, str]) -> None:
    told = refusal(["scikit-lern"], variables)
    assert told.message.startswith(
        "scikit-lern is not in the package registry. Because scikit-lern was not found in "
    )
    assert told.hint == "Correct the name, or configure its registry."


@pytest.mark.parametrize(
    ("requirement", "told"),
    [
        ("a b", "'a b' is no requirement.\nWrite one as pip does, such as scikit-learn==1.5.2."),
        ("https://me:hunter2@x.example/a.whl?token=1", "'https://x.example/a.whl' is no requirement.\n"),
        ("./a.whl", "'./a.whl' is no requirement.\n"),
        (
            "a @ https://me:hunter2@x.example/a-1.0-py3-none-any.whl",
            "requirement a names a URL, which the lock would hold.\nPut the wheel into a folder, name the folder in UV_FIN",
        ),
    ],
)
def test_what_is_no_requirement_of_a_registry(requirement: str, told: str) -> None:
    refused = refusal([requirement], {})
    assert str(refused).startswith(told)
    assert "hunter2" not in str(refused)
    assert "token" not in str(refused)
    with pytest.raises(LastmileError, match="constraint"):
        normalised([requirement], "constraint")


def test_a_package_that_needs_another_by_url_is_refused(wheels: Path, variables: dict[str, str]) -> None:
    there = make_wheel(wheels.parent / "elsewhere", "b", "1.0")
    make_wheel(wheels, "a", "1.0", requires=[f"b @ file://{there}"])
    assert refusal(["a"], variables).message.startswith(
        "uv failed at choosing the packages: Failed to resolve dependencies for package `a==1.0`: Package `b` was included "
        "as a URL dependency."
    )


def test_a_wheel_that_is_not_named_as_one(wheels: Path, variables: dict[str, str]) -> None:
    make_wheel(wheels, "a__b", "1.0")
    assert str(refusal(["a-b"], variables)) == (
        "a-b has no wheel for Python 3.13 on x86_64 with manylinux_2_34 whose file is named as wheels are: "
        "a__b-1.0-py3-none-any.whl.\nRequire another version of it."
    )


def test_a_wheel_that_reaches_out_of_its_folder(wheels: Path, variables: dict[str, str]) -> None:
    make_wheel(wheels, "a", "1.0", {"a.py": "", "../evil.py": "evil"})
    for _ in range(2):  # the second time it would be taken from the cache
        told = refusal(["a"], variables)
        assert told.message == (
            "A wheel has a file named ../evil.py, which lies outside of the package's own folder."
        )


def test_versions_that_were_withdrawn_are_taken_only_by_name(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "a", "1.0")
    withdrawn = make_wheel(wheels, "a", "2.0")
    told: list[str] = []
    with serve(wheels) as index:
        variables = environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url)
        index.withdrawn = {withdrawn.name: "it forgets rows"}
        assert versions(resolve(["a"], X86, tell=told.append, environ=variables)) == {"a": "1.0"}
        assert told == ["choosing packages for Python 3.13 on x86_64 with manylinux_2_34"]
        assert versions(resolve(["a==2.0"], X86, tell=told.append, environ=variables)) == {"a": "2.0"}
        assert told[2:] == ['warning: `a==2.0` is yanked (reason: "it forgets rows")']


def test_a_version_that_is_withdrawn_later_stays_locked(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "a", "1.0")
    withdrawn = make_wheel(wheels, "a", "2.0")
    make_wheel(wheels, "b", "1.0")
    with serve(wheels) as index:
        variables = environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url)
        first = resolve(["a"], X86, environ=variables)
        index.withdrawn = {withdrawn.name: "it forgets rows"}
        assert versions(resolve(["a", "b"], X86, previous=first, environ=variables)) == {
            "a": "2.0",
            "b": "1.0",
        }


def test_a_registry_that_cannot_be_reached(tmp_path: Path) -> None:
    variables = environ(tmp_path / "home", UV_DEFAULT_INDEX="http://user:hunter2@127.0.0.1:9/simple")
    told = refusal(["a"], variables)
    start = "The package registry could not be reached for choosing the packages: Connection refused"
    assert told.message.startswith(start)
    assert told.hint.startswith("Check the network, or configure the registry that this machine can reach")
    offline = refusal(["a"], {**variables, "UV_OFFLINE": "1"})
    assert offline.message.startswith("The package registry could not be reached for choosing the packages: ")
    assert "hunter2" not in str(told) + str(offline)


def test_a_registry_that_wants_a_password(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "a", "1.0")
    with serve(wheels) as index:
        index.password = "hunter2"
        told = refusal(["a"], environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url))
        assert told.message == "The package registry refused choosing the packages: 401 Unauthorized."
        assert "hunter2" not in str(told)
        assert told.hint.startswith(
            "Give credentials the way uv takes them: in ~/.netrc, by keyring, or in the "
        )
        url = index.url.replace("//", "//user:hunter2@")
        found = resolve(["a"], X86, environ=environ(tmp_path / "other", UV_DEFAULT_INDEX=url))
    assert versions(found) == {"a": "1.0"}


def test_pips_registry_is_asked_where_uv_has_none(tmp_path: Path, wheels: Path) -> None:
    make_wheel(wheels, "a", "1.0")
    with serve(wheels) as index:
        assert versions(resolve(["a"], X86, environ=environ(tmp_path / "home", PIP_INDEX_URL=index.url))) == {
            "a": "1.0"
        }


def test_a_folder_of_wheels_that_is_not_there(tmp_path: Path) -> None:
    variables = environ(tmp_path / "home", UV_NO_INDEX="1", UV_FIND_LINKS=str(tmp_path / "nowhere"))
    told = refusal(["a"], variables).message
    assert told.startswith(
        f"uv failed at choosing the packages: Failed to read `--find-links` directory: {tmp_path}/now"
    )


def test_a_hash_that_the_registry_does_not_tell(tmp_path: Path, wheels: Path) -> None:
    wheel = make_wheel(wheels, "a", "1.0")
    with serve(wheels) as index:
        index.tells_hashes = False
        found = resolve(["a"], X86, environ=environ(tmp_path / "home", UV_DEFAULT_INDEX=index.url))
    assert [package.sha256 for package in found.packages] == [sha256(wheel)]
