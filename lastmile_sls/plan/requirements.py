"""What a version needs installed, and which packages two versions cannot have from one environment. Pure.

Two requirements of one package conflict when no version of it satisfies both. Where that cannot be told, they do not:
installing them tells it then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from packaging.markers import UndefinedComparison
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.version import Version

Needs = Mapping[str, Sequence[Requirement]]
"""The requirements that apply, by the package's normalised name."""


def needs_of(index: int, version: Version, environment: Mapping[str, str]) -> Needs:
    """Return what the spec's version of that index needs.

    Args:
        index: Its place in the spec's versions.
        version: The version.
        environment: What markers are evaluated with (PEP 508), of the interpreter that will run it.

    Raises LastmileError, naming the field, for what is no requirement, and for a version that can never be installed.
    """
    found: dict[str, list[Requirement]] = {}
    for number, text in enumerate(version.requirements):
        requirement = _parse(f"versions[{index}].requirements[{number}]", text)
        if _applies(requirement, environment):
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    several = {name: requirements for name, requirements in found.items() if len(requirements) > 1}
    if clash := _impossible(found) or conflicts(several, several):
        raise LastmileError(
            f"versions[{index}].requirements has {told(found, clash[:1])}, but no version of {clash[0]} satisfies that.",
            "Keep the one that the model was trained with.",
        )
    return found


def conflicts(left: Needs, right: Needs) -> list[str]:
    """Return the packages of which no version satisfies both sides, by name."""
    return sorted(
        name
        for name in left.keys() & right.keys()
        if any(_excludes(ours, theirs) for ours in left[name] for theirs in right[name])
    )


def _impossible(needs: Needs) -> list[str]:
    """Return the packages for which one requirement alone already asks for what no version is."""
    return sorted(
        name
        for name, (requirement, *_) in needs.items()
        if len(requirement.specifier) > 1 and requirement.specifier.is_unsatisfiable()
    )


def told(needs: Needs, packages: Sequence[str]) -> str:
    """Return what a version needs of some packages in words, `numpy>=2 and scikit-learn==1.5.2`; no secrets in it."""
    return " and ".join(_text(requirement) for name in packages for requirement in needs[name])


def _parse(field: str, text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        rule = str(error).splitlines()[0].rstrip(".")
        raise LastmileError(
            f"{field} is {_without_secrets(text)!r}, which is no requirement: {_without_secrets(rule)}.",
            "Write one as pip does, such as scikit-learn==1.5.2.",
        ) from None


def _applies(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    try:
        return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": ""})
    except UndefinedComparison:  # such as `sys_platform ~= "linux"`: whoever installs it says so
        return False


def _excludes(left: Requirement, right: Requirement) -> bool:
    """Tell whether two requirements of one package can surely not be met together."""
    if left.url or right.url:
        return bool(left.url and right.url and left.url != right.url)
    return (left.specifier & right.specifier).is_unsatisfiable()


def _text(requirement: Requirement) -> str:
    place = f" @ {_without_secrets(requirement.url)}" if requirement.url else requirement.specifier
    return f"{requirement.name}{place}"


def _without_secrets(text: str) -> str:
    """Return a text with what may be a password or a token in its URLs left out."""
    return re.sub(r"(//)[^/\s]*@|\?\S*", r"\1", text)
