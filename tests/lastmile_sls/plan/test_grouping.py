"""Who shares a function: nobody who conflicts, as few functions as that takes, and always the same ones."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.grouping import Group, function_name, group_versions
from lastmile_sls.spec.model import Spec
from tests.lastmile_sls.specs import make_spec

LINUX = {"sys_platform": "linux", "python_version": "3.12"}
PACKAGES = ("numpy", "scikit-learn", "torch")
SPECIFIERS = (
    "",
    "==1.4.0",
    "==1.5.2",
    "==1.4.*",
    "~=1.4.1",
    ">=1.5",
    "<1.5",
    ">1.4,<2",
    "!=1.5.2",
    "<=1.4.0",
)
VERSIONS = ("1.3", "1.4.0", "1.4.0+cpu", "1.4.1", "1.4.9", "1.5", "1.5.2", "1.5.2.post1", "1.9", "2", "3")
requirements = st.lists(
    st.tuples(st.sampled_from(PACKAGES), st.sampled_from(SPECIFIERS)),
    max_size=3,
    unique_by=lambda pair: pair[0],
)


def spec_of(*versions: list[str], champion: str = "v1") -> Spec:
    entries: list[dict[str, Any]] = [
        {"id": f"v{n}", "artifact": "m.py", "framework": "python", "entry": "M", "requirements": texts}
        for n, texts in enumerate(versions, 1)
    ]
    return make_spec(versions=entries, traffic={"champion": champion})


def grouped(*versions: list[str], champion: str = "v1") -> list[Group]:
    return group_versions(spec_of(*versions, champion=champion), LINUX)


def conflict(left: str, right: str) -> bool:
    return len(grouped([left], [right])) == 2


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a==1.4.0", "a==1.5.2"),
        ("a==1.4.0", "a>=1.5"),
        ("a==1.5", "a!=1.5"),
        ("a<1.5", "a>=1.5"),
        ("a<=1.4", "a>1.4"),
        ("a==1.4.*", "a<1.4"),
        ("a~=1.4.2", "a==1.5.0"),
        ("a===1.4", "a===1.5"),
        ("a==1.0+cpu", "a==1.0+gpu"),
        ("Scikit_Learn==1", "scikit-learn==2"),
        ("a[x]==1", "a[y]==2"),
        ("a @ https://example.com/a-1.whl", "a @ https://example.com/a-2.whl"),
    ],
)
def test_no_version_satisfies_both(left: str, right: str) -> None:
    assert conflict(left, right)
    assert conflict(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a==1", "b==2"),
        ("a==1.5", "a==1.5.0"),
        ("a==1.0", "a==1.0+cpu"),
        ("a", "a==1"),
        ("a>=1", "a<2"),
        ("a~=1.4.2", "a<1.4.3"),
        ("a==1.5.0rc1", "a>=1.5.0rc1"),
        ("a>1.4", "a<1.4.1"),
        ("a==1", "a @ https://example.com/a-2.whl"),
        ("a==1; sys_platform == 'win32'", "a==2"),
        ("a==1; python_version < '3.12'", "a==2; python_version >= '3.12'"),
        ("a==1; extra == 'gpu'", "a==2"),
    ],
)
def test_a_version_may_satisfy_both(left: str, right: str) -> None:
    assert not conflict(left, right)
    assert not conflict(right, left)


@given(st.sampled_from(SPECIFIERS), st.sampled_from(SPECIFIERS), st.sampled_from(VERSIONS))
def test_what_one_version_satisfies_never_conflicts(left: str, right: str, version: str) -> None:
    if all(SpecifierSet(specifier).contains(version) for specifier in (left, right)):
        assert not conflict(f"a{left}", f"a{right}")


def test_a_marker_that_applies_counts() -> None:
    assert conflict("a==1; sys_platform == 'linux'", "a==2; python_version == '3.12'")


def test_the_champion_is_the_routers_and_each_other_joins_the_first_group_that_takes_it() -> None:
    found = grouped(["a==1"], ["a==2"], ["a==3"], ["b==1"], ["a==2", "b==1"], ["b==2"], champion="v2")
    assert [(group.function, group.versions) for group in found] == [
        ("predict", ("v2", "v4", "v5")),
        ("predict-v1", ("v1", "v6")),
        ("predict-v3", ("v3",)),
    ]
    assert [group.why for group in found] == [
        "v2 needs a==2, v1 needs a==1; v2 needs a==2, v3 needs a==3",
        "v1 needs a==1, v2 needs a==2; v1 needs a==1, v3 needs a==3",
        "v3 needs a==3, v2 needs a==2; v3 needs a==3, v1 needs a==1",
    ]


def test_every_package_that_forced_the_split_is_told_and_no_other() -> None:
    found = grouped(
        ["scikit-learn==1.4.0", "numpy<2", "pandas"], ["numpy>=2", "scikit-learn==1.5.2", "pandas"]
    )
    assert found[1].why == (
        "v2 needs numpy>=2 and scikit-learn==1.5.2, v1 needs numpy<2 and scikit-learn==1.4.0"
    )


def test_one_function_says_why_as_well() -> None:
    assert [group.why for group in grouped(["a==1"])] == ["there is one version"]
    assert [group.why for group in grouped(["a==1"], ["a==1"])] == ["the dependencies of all versions agree"]


@given(st.lists(requirements, min_size=1, max_size=6), st.data())
def test_nobody_conflicts_within_a_group_and_everybody_has_one(
    lists: list[list[tuple[str, str]]], data: st.DataObject
) -> None:
    texts = [[f"{name}{specifier}" for name, specifier in pairs] for pairs in lists]
    champion = data.draw(st.sampled_from([f"v{n}" for n in range(1, len(texts) + 1)]))
    spec = spec_of(*texts, champion=champion)
    found = group_versions(spec, LINUX)
    assert found == group_versions(spec, LINUX)
    assert sorted(id_ for group in found for id_ in group.versions) == sorted(v.id for v in spec.versions)
    assert found[0].function == "predict"
    assert champion in found[0].versions
    assert len({group.function for group in found}) == len(found)
    needs = {
        v.id: {Requirement(t).name: Requirement(t).specifier for t in v.requirements} for v in spec.versions
    }
    for group in found:
        for left in group.versions:
            for right in group.versions:
                shared = needs[left].keys() & needs[right].keys()
                assert not any((needs[left][n] & needs[right][n]).is_unsatisfiable() for n in shared)


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("v2", "predict-v2"),
        ("2027-01-31", "predict-2027-01-31"),
        ("V2", "predict-v2-47cfe5eb"),
        ("1.5.2", "predict-1-5-2-035542f3"),
        ("a" * 40, "predict-aaaaaaaaaaaaaaa-e33cdf9c"),
    ],
)
def test_a_function_is_named_after_its_version(version: str, name: str) -> None:
    assert function_name(version) == name


@given(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", fullmatch=True), unique=True, max_size=9))
def test_names_differ_and_are_ones_that_every_target_takes(ids: list[str]) -> None:
    names = [function_name(id_) for id_ in ids]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"predict-[a-z0-9-]{1,23}[a-z0-9]", name) or re.fullmatch(
            r"predict-[a-z0-9]", name
        )


def refused(*texts: str) -> LastmileError:
    with pytest.raises(LastmileError) as caught:
        grouped([], list(texts))
    return caught.value


def test_what_is_no_requirement_is_refused_with_its_field() -> None:
    error = refused("numpy", "scikit learn==1")
    assert error.message.startswith(
        "versions[1].requirements[1] is 'scikit learn==1', which is no requirement: "
    )
    assert error.hint == "Write one as pip does, such as scikit-learn==1.5.2."


def test_a_version_that_can_never_be_installed_is_refused() -> None:
    assert refused("numpy<2", "numpy>=2").message == (
        "versions[1].requirements has numpy<2 and numpy>=2, but no version of numpy satisfies that."
    )


def test_secrets_in_addresses_are_never_told() -> None:
    error = refused("a @@ https://ann:secret@example.com/a.whl?token=secret")
    assert "secret" not in str(error)
    urls = [[f"a @ https://ann:secret@example.com/{n}.whl?token=secret"] for n in (1, 2)]
    assert (
        grouped(*urls)[1].why
        == "v2 needs a @ https://example.com/2.whl, v1 needs a @ https://example.com/1.whl"
    )
