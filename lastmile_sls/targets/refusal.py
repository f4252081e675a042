"""Why a target cannot carry a spec, and what it does differently where it can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lastmile_sls.errors import LastmileError


@dataclass(frozen=True)
class Refusal:
    """A field whose value the target cannot carry out, the rule that says so, and what to change."""

    field: str
    value: Any
    rule: str
    change: str

    def __str__(self) -> str:
        return f"{self.field} is {self.value!r}, but {self.rule}. {self.change}"


@dataclass(frozen=True)
class Missing(Refusal):
    """A field that the target needs."""

    def __str__(self) -> str:
        return f"{self.field} is missing: {self.rule}. {self.change}"


def missing(field: str, rule: str, change: str) -> Missing:
    """Return that a field is missing which the target needs."""
    return Missing(field, None, rule, change)


@dataclass(frozen=True)
class Note:
    """What a target does in its own way, without breaking what the field promises."""

    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"


def refuse(target: str, refusals: list[Refusal]) -> None:
    """Raise LastmileError with every refusal, or return when there is none."""
    if refusals:
        lines = "\n".join(f"  {refusal}" for refusal in refusals)
        raise LastmileError(f"the target {target} cannot carry this spec:\n{lines}")
