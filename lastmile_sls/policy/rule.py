"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lastmile_sls.policy.parameters import Parameters, RuleId
from lastmile_sls.policy.resource import Resource

Severity = Literal["mandatory", "advisory"]


@dataclass(frozen=True)
class Problem:
    """Something that breaks a rule, or of which nobody can say yet whether it does. It holds no value that may be secret."""

    text: str
    known: bool = True


Found = tuple[Resource, Problem]


@dataclass(frozen=True)
class Rule:
    """One demand. It looks at each resource by itself, or at all of a stack's together."""

    id: RuleId
    demands: str
    """In a sentence."""
    fix: str
    """What to change, in the spec's words."""
    of_resource: Callable[[Resource, Parameters], Iterable[Problem]] | None = None
    of_stack: Callable[[Sequence[Resource], Parameters], Iterable[Found]] | None = None
    severity: Severity = "mandatory"
    """Unless the parameters say otherwise."""


def unknown(what: str) -> Problem:
    """Return that something cannot be judged before it is made."""
    return Problem(f"{what} is known only after creation.", known=False)
