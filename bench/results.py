"""What a bench found: samples by entry, medians, ratios, and goals that are met or missed."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Row:
    """One entry's samples."""

    name: str
    command: str
    """What was run, as one would type it."""
    switched_on: str
    """What it did beside predicting."""
    samples: list[float] = field(default_factory=list)
    details: dict[str, list[float]] = field(default_factory=dict)
    """Further figures of each sample, by their column's heading."""
    failure: str = ""
    """Why there are no samples, or fewer than there should be."""

    @property
    def median(self) -> float | None:
        """The samples' median, None without any."""
        return statistics.median(self.samples) if self.samples else None

    def quartiles(self) -> tuple[float, float] | None:
        """Return the first and the third quartile, None with fewer than two samples."""
        if len(self.samples) < 2:
            return None
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return low, high


@dataclass(frozen=True)
class Goal:
    """That one entry's median, divided by another's, is at most, or at least, a limit."""

    text: str
    of: str
    to: str
    at_most: float | None = None
    at_least: float | None = None

    def ratio(self, report: Report) -> float | None:
        """Return the ratio of the two medians, None when one of them was not measured."""
        rows = {row.name: row.median for row in report.rows}
        of, to = rows.get(self.of), rows.get(self.to)
        return of / to if of and to else None

    def steady_ratio(self, report: Report) -> float | None:
        """Return the same of what other load on the machine moves less, None where it is not measured."""
        rows = {row.name: row.details.get(report.steady) for row in report.rows}
        of, to = rows.get(self.of), rows.get(self.to)
        return statistics.median(of) / statistics.median(to) if of and to else None

    def best_ratio(self, report: Report) -> float | None:
        """Return the same of each entry's best sample, which other load was least in the way of."""
        best = max if report.more_is_better else min
        rows = {row.name: best(row.samples, default=None) for row in report.rows}
        of, to = rows.get(self.of), rows.get(self.to)
        return of / to if of and to else None

    def verdict(self, report: Report) -> str:
        """Return `met`, `missed`, or why it is not known."""
        ratio = self.ratio(report)
        if ratio is None:
            return "not measured"
        kept = (self.at_most is None or ratio <= self.at_most) and (
            self.at_least is None or ratio >= self.at_least
        )
        return "met" if kept else "missed"

    @property
    def limit(self) -> str:
        """The limit, for a table."""
        return f"<= {self.at_most:g}x" if self.at_most is not None else f">= {self.at_least:g}x"


@dataclass
class Report:
    """A bench's rows and goals."""

    title: str
    unit: str
    floor: str
    """The row that all ratios are to."""
    rows: list[Row]
    goals: list[Goal]
    method: str
    steady: str
    """The detail that other load on the machine moves less than the samples."""
    more_is_better: bool = False

    def markdown(self) -> str:
        """Return the report as Markdown: goals first, then the rows, then what each row was."""
        parts = [f"## {self.title}", self.method]
        if self.goals:
            parts.append("\n".join(self._goals()))
        parts += ["\n".join(self._table()), "\n".join(self._entries())]
        return "\n\n".join(parts) + "\n"

    def document(self) -> dict[str, Any]:
        """Return the report, every sample included, as JSON can hold it."""
        return {
            "title": self.title,
            "method": self.method,
            "unit": self.unit,
            "rows": [{**vars(row), "median": row.median, "quartiles": row.quartiles()} for row in self.rows],
            "goals": [
                {
                    "goal": goal.text,
                    "limit": goal.limit,
                    "ratio": goal.ratio(self),
                    "best_ratio": goal.best_ratio(self),
                    "steady_ratio": goal.steady_ratio(self),
                    "verdict": goal.verdict(self),
                }
                for goal in self.goals
            ],
        }

    def _goals(self) -> list[str]:
        steady = self.steady.partition(",")[0]
        lines = [
            f"| goal | limit | by medians | by best samples | by {steady} | |",
            "|---|---|---|---|---|---|",
        ]
        for goal in self.goals:
            found = [goal.ratio(self), goal.best_ratio(self), goal.steady_ratio(self)]
            cells = ["-" if ratio is None else f"{ratio:.2f}x" for ratio in found]
            lines.append(f"| {goal.text} | {goal.limit} | {' | '.join(cells)} | **{goal.verdict(self)}** |")
        return lines

    def _table(self) -> list[str]:
        extra = list(dict.fromkeys(name for row in self.rows for name in row.details))
        heads = [
            "entry",
            f"to {self.floor}",
            f"median, {self.unit}",
            f"quartiles, {self.unit}",
            *extra,
            "rounds",
        ]
        lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        floor = next((row.median for row in self.rows if row.name == self.floor), None)
        rows = sorted(self.rows, key=lambda row: (row.median is None, row.median or 0.0))
        for row in reversed(rows) if self.more_is_better else rows:
            if row.median is None:
                failed = ["failed", "-", "-", *("-" for _ in extra), f"0: {_cell(row.failure)}"]
                lines.append(f"| {row.name} | {' | '.join(failed)} |")
                continue
            ratio = f"{row.median / floor:.2f}x" if floor else "-"
            digits = _digits(row.median)
            between = "-".join(f"{value:.{digits}f}" for value in row.quartiles() or ()) or "-"
            cells = [ratio, f"{row.median:.{digits}f}", between]
            cells += [_median(row.details.get(name)) for name in extra]
            cells.append(f"{len(row.samples)}" + (f"; {_cell(row.failure)}" if row.failure else ""))
            lines.append(f"| {row.name} | {' | '.join(cells)} |")
        return lines

    def _entries(self) -> list[str]:
        lines = ["| entry | command | switched on |", "|---|---|---|"]
        return lines + [f"| {row.name} | `{row.command}` | {row.switched_on} |" for row in self.rows]


def _digits(value: float) -> int:
    return 1 if value < 100 else 0


def _median(values: list[float] | None) -> str:
    if not values:
        return "-"
    median = statistics.median(values)
    return f"{median:.{_digits(median)}f}"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
