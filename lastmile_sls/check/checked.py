"""What a check found: for programs as JSON, for CI as JUnit XML, for people as lines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lastmile_sls.check.bundle import Size
from lastmile_sls.check.contract import Status
from lastmile_sls.check.phases import Phase
from lastmile_sls.check.profile import Profile, costliest
from lastmile_sls.plan.document import Target

COSTLIEST = 10
"""How many packages the JSON names."""
_WORDS: dict[Status, str] = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    """Such as `answers of v1`."""
    status: Status
    message: str
    """What was found, in a sentence."""
    contract: str | None = None
    """Under which contract; None for what holds for the bundle whatever runs it."""
    advice: str = ""
    """What to change; empty when it passed."""
    detail: str = ""
    """What the function said last; empty when that is of no use."""
    duration_s: float = 0.0


@dataclass(frozen=True)
class Start:
    """One start of a function, from exec to its first answer."""

    first_answer_ms: float
    startup_ms: float | None
    """Until it could be asked, where the platform sees that."""
    phases: tuple[Phase, ...]
    memory_bytes: int
    """The most that it had held by its first answer."""


@dataclass(frozen=True)
class Result:
    """What was measured under one contract."""

    contract: str
    title: str
    starts: tuple[Start, ...]
    memory_bytes: int
    """The most that any start held until its last answer."""
    profile: Profile | None
    """None when none was asked for, or none could be made."""

    @property
    def median(self) -> Start | None:
        """The start of the middle, by its first answer; of an even number, the quicker of the two."""
        ordered = sorted(self.starts, key=lambda start: start.first_answer_ms)
        return ordered[(len(ordered) - 1) // 2] if ordered else None

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        median = self.median
        return {
            "contract": self.contract,
            "title": self.title,
            "first_answer_ms": None if median is None else round(median.first_answer_ms, 2),
            "startup_ms": None
            if median is None or median.startup_ms is None
            else round(median.startup_ms, 2),
            "starts_ms": [round(start.first_answer_ms, 2) for start in self.starts],
            "phases": [
                {"name": phase.name, "ms": round(phase.ms, 2)}
                for phase in (() if median is None else median.phases)
            ],
            "first_answer_memory_bytes": None if median is None else median.memory_bytes,
            "memory_bytes": self.memory_bytes,
            "costliest_imports": [
                {**asdict(cost), "ms": round(cost.ms, 2)} for cost in costliest(self.profile, COSTLIEST)
            ]
            if self.profile
            else [],
        }

    def line(self) -> str:
        """Return it in a line for people."""
        median = self.median
        if median is None:
            return f"{self.title}: no first answer"
        of = f" (median of {len(self.starts)} starts)" if len(self.starts) > 1 else ""
        parts = ", ".join(f"{phase.name} {phase.ms:.0f}" for phase in median.phases)
        return (
            f"{self.title}: first answer after {median.first_answer_ms:.0f} ms{of}: {parts}; "
            f"{self.memory_bytes / 2**20:.0f} MB"
        )


@dataclass(frozen=True)
class Checked:
    """All that was found of a bundle."""

    target: Target
    model: str
    digest: str
    python: str
    """The interpreter's version."""
    size: Size
    results: tuple[Result, ...]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Tell whether nothing failed."""
        return not self.failed

    @property
    def failed(self) -> list[Check]:
        """What failed."""
        return [check for check in self.checks if check.status == "failed"]

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "format": "lastmile.check/1",
            "passed": self.passed,
            "target": self.target,
            "model": self.model,
            "digest": self.digest,
            "python": self.python,
            "size": {
                "unpacked_bytes": self.size.unpacked,
                "compressed_bytes": self.size.compressed,
                "files": self.size.files,
            },
            "contracts": [result.to_json() for result in self.results],
            "checks": [{**asdict(check), "duration_s": round(check.duration_s, 3)} for check in self.checks],
        }

    def to_junit(self) -> str:
        """Return it as JUnit XML: a suite per contract, a case per check."""
        from lastmile_sls.check.junit import render

        return render(self)

    def summary(self) -> list[str]:
        """Return it in lines for people: what was measured, then every check, the failed ones with what to do."""
        lines = [result.line() for result in self.results]
        for check in self.checks:
            where = f"{check.contract}: " if check.contract else ""
            lines.append(f"{_WORDS[check.status]:<8}{where}{check.name}: {check.message}")
            if check.status == "failed":
                lines += [f"{'':8}  {line}" for line in check.detail.splitlines()]
                lines += [f"{'':8}{check.advice}"] if check.advice else []
        count = len(self.failed)
        lines.append("all checks passed" if not count else f"{count} of {len(self.checks)} checks failed")
        return lines
