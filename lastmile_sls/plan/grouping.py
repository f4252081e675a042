"""Which versions share a function: those whose requirements do not conflict. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lastmile_sls.spec.model import Spec

if TYPE_CHECKING:  # packaging takes 40 ms, which commands that plan nothing need not wait for
    from lastmile_sls.plan.requirements import Needs

ROUTER = "predict"
"""The function that callers reach, and that routes between versions."""
_LONGEST_SUFFIX = 24
_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HASH_CHARACTERS = 8


@dataclass(frozen=True)
class Group:
    """The versions that one function serves itself."""

    function: str
    versions: tuple[str, ...]
    why: str
    """Why these share it, and not all."""


def group_versions(spec: Spec, environment: Mapping[str, str], compiled: Collection[str] = ()) -> list[Group]:
    """Return the functions that a spec's versions need, the router's, with the champion, first.

    The champion comes first and the others as the spec has them; each joins the first group in which it conflicts
    with nobody.

    Args:
        spec: The spec.
        environment: What requirements' markers are evaluated with (PEP 508), of the interpreter that will run them.
        compiled: The versions that need nothing of what they were made with any more.

    Raises LastmileError, naming the field, for what is no requirement, and for a version that can never be installed.
    """
    from lastmile_sls.plan.requirements import conflicts, needs_of

    needs = {v.id: needs_of(index, v, environment) for index, v in enumerate(spec.versions)}
    needs |= {id_: {} for id_ in compiled}
    champion = spec.champion()
    groups: list[list[str]] = []
    for id_ in sorted(needs, key=lambda id_: id_ != champion):
        for group in groups:
            if not any(conflicts(needs[id_], needs[member]) for member in group):
                group.append(id_)
                break
        else:
            groups.append([id_])
    return [
        Group(
            function_name(group[0]) if index else ROUTER, _in_order(spec, group), _why(group, groups, needs)
        )
        for index, group in enumerate(groups)
    ]


def function_name(version: str) -> str:
    """Return the name of a function beside the router's: `predict-` and at most 24 lower-case letters, digits, dashes.

    A version's id that is not such a word itself is made one, and told apart by a hash.
    """
    if _PLAIN.fullmatch(version) and len(version) <= _LONGEST_SUFFIX:
        return f"{ROUTER}-{version}"
    word = re.sub(r"[^a-z0-9]+", "-", version.lower())[: _LONGEST_SUFFIX - 1 - _HASH_CHARACTERS].strip("-")
    return f"{ROUTER}-{word}-{hashlib.sha256(version.encode()).hexdigest()[:_HASH_CHARACTERS]}"


def _in_order(spec: Spec, group: list[str]) -> tuple[str, ...]:
    return tuple(version.id for version in spec.versions if version.id in group)


def _why(group: list[str], groups: list[list[str]], needs: Mapping[str, Needs]) -> str:
    if len(groups) == 1:
        return "the dependencies of all versions agree" if len(group) > 1 else "there is one version"
    return "; ".join(_difference(group, other, needs) for other in groups if other is not group)


def _difference(group: list[str], other: list[str], needs: Mapping[str, Needs]) -> str:
    """Return the first conflict between two groups in words, `v2 needs a==2, v1 needs a==1`.

    There is one: had the first of the later group conflicted with nobody of the earlier, it would be in there.
    """
    from lastmile_sls.plan.requirements import conflicts, told

    ours, theirs, packages = next(
        (ours, theirs, packages)
        for ours in group
        for theirs in other
        if (packages := conflicts(needs[ours], needs[theirs]))
    )
    return ", ".join(f"{id_} needs {told(needs[id_], packages)}" for id_ in (ours, theirs))
