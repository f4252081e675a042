"""One reason why a target cannot carry a spec."""

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


def refuse(target: str, refusals: list[Refusal]) -> None:
    """Raise LastmileError with every refusal, or return when there is none."""
    if refusals:
        lines = "\n".join(f"  {refusal}" for refusal in refusals)
        raise LastmileError(f"the target {target} cannot carry this spec:\n{lines}")
