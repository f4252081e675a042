"""A page that shows where a cold start's time goes, by phase and by import: one HTML file that asks nobody for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from lastmile_sls.check.checked import Checked, Result, Start
from lastmile_sls.check.phases import PHASES, Phase
from lastmile_sls.check.profile import ORIGINS, Cost, Import, Origin, Profile, costliest, top_level

_TEMPLATE = Path(__file__).with_name("flame.html")
_PLACE = re.compile("@@([A-Z_]+)@@")
_ROWS = 15
_COLOURS = 7
"""How many packages have a colour of their own."""
_NAMES: dict[Origin, str] = {
    "python": "standard library",
    "runtime": "lastmile_runtime",
    "client": "cloud's runtime client",
    "own": "the model's own",
    "package": "other packages",
}


def render(checked: Checked, result: Result) -> str:
    """Return the page of what was measured under one contract. Raises ValueError when its imports were not profiled."""
    median, profile = result.median, result.profile
    if median is None or profile is None:
        raise ValueError(f"{result.contract} has no import profile.")
    places = {
        "TITLE": escape(f"Cold start of {checked.model}"),
        "SUBTITLE": f"{escape(result.title)} &middot; Python {escape(checked.python)} &middot; "
        f"bundle <code>{escape(checked.digest[:19])}</code>",
        "FACTS": _facts(checked, result, median, profile),
        "PHASES_NOTE": f"The median start, from exec to the first answer: {_time(median.first_answer_ms)}.",
        "PHASES_LABEL": escape(", ".join(f"{phase.name} {_time(phase.ms)}" for phase in median.phases)),
        "PHASES_BAR": "".join(_bar(phase, index, median.phases) for index, phase in enumerate(median.phases)),
        "PHASES_LEGEND": "".join(
            _legend(phase, index, median.phases) for index, phase in enumerate(median.phases)
        ),
        "PROFILE_NOTE": _profile_note(profile),
        "COSTS": "".join(_row(cost, profile) for cost in costliest(profile, _ROWS)),
        # Nothing in it may end the element that it stands in.
        "DATA": json.dumps(_data(profile), separators=(",", ":")).replace("<", "\\u003c"),
    }
    return _PLACE.sub(lambda found: places[found[1]], _TEMPLATE.read_text())


def _facts(checked: Checked, result: Result, median: Start, profile: Profile) -> str:
    starts = ", ".join(f"{start.first_answer_ms:.0f}" for start in result.starts)
    modules = sum(1 for _ in profile.walk())
    own_ms = sum(found.self_us for found in profile.walk()) / 1000
    facts = [
        ("first answer", _time(median.first_answer_ms), f"median of {len(result.starts)}: {starts} ms"),
        ("memory", f"{result.memory_bytes / 2**20:.0f} MB", "the most that it held"),
        (
            "bundle",
            f"{checked.size.unpacked / 2**20:.1f} MB",
            f"{checked.size.files} files, {checked.size.compressed / 2**20:.1f} MB as a zip file",
        ),
        ("imports", f"{modules} modules", f"{_time(own_ms)} of the profiled start"),
    ]
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(more)}</small></dd></div>"
        for name, value, more in facts
    )


def _profile_note(profile: Profile) -> str:
    return (
        f"One more start, with the interpreter's import profile, which slows it: {_time(profile.total_ms)}. "
        "Time goes from left to right; an import stands below the module that imported it, and what is blank below "
        "a phase is other work."
    )


def _colour(index: int, phases: Sequence[Phase]) -> str:
    return "--f5" if phases[index].name == "answer" else f"--f{min(index, 4)}"


def _bar(phase: Phase, index: int, phases: Sequence[Phase]) -> str:
    title = escape(f"{phase.name}: {_time(phase.ms)}. {PHASES[phase.name]}")
    style = f"flex-grow: {max(phase.ms, 0.001):.3f}; background: var({_colour(index, phases)})"
    return f'<span title="{title}" style="{style}"></span>'


def _legend(phase: Phase, index: int, phases: Sequence[Phase]) -> str:
    swatch = f'<i style="background: var({_colour(index, phases)})"></i>'
    return (
        f'<li title="{escape(PHASES[phase.name])}">{swatch}{escape(phase.name)} <b>{_time(phase.ms)}</b></li>'
    )


def _row(cost: Cost, profile: Profile) -> str:
    groups = _groups(profile)
    colour = groups[_group_of(cost.name, cost.origin, groups)]["color"]
    width = 100 * cost.ms / max(costliest(profile, 1)[0].ms, 0.001)
    of_start = 100 * cost.ms / max(profile.total_ms, 0.001)
    cells = [
        f'<td><i style="background: var({colour})"></i>{escape(cost.name)}</td>',
        f'<td class="number">{_time(cost.ms)}</td>',
        f'<td class="number">{of_start:.1f} %</td>',
        f'<td class="share"><div style="width: {width:.1f}%; background: var({colour})"></div></td>',
        f'<td class="number">{cost.modules}</td>',
        f"<td>{escape(ORIGINS[cost.origin])}</td>",
        f"<td>{f'<code>{escape(cost.imported_by)}</code>' if cost.imported_by else 'nothing'}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _groups(profile: Profile) -> list[dict[str, Any]]:
    """Return what has a colour: the dearest packages, and the rest by where it comes from; the dearest first."""
    costs = costliest(profile, sum(1 for _ in profile.walk()))
    dearest = [cost.name for cost in costs if cost.origin == "package"][:_COLOURS]
    groups: dict[str, dict[str, Any]] = {}
    for cost in costs:
        name = cost.name if cost.name in dearest else _NAMES[cost.origin]
        colour = f"--p{dearest.index(cost.name)}" if cost.name in dearest else f"--{cost.origin}"
        colour = "--p7" if colour == "--package" else colour
        group = groups.setdefault(name, {"name": name, "color": colour, "ms": 0.0})
        group["ms"] = round(group["ms"] + cost.ms, 3)
    return sorted(groups.values(), key=lambda group: -group["ms"])


def _group_of(name: str, origin: Origin, groups: Sequence[dict[str, Any]]) -> int:
    names = [group["name"] for group in groups]
    return names.index(name) if name in names and origin == "package" else names.index(_NAMES[origin])


def _data(profile: Profile) -> dict[str, Any]:
    groups = _groups(profile)
    order = [phase.name for phase in profile.phases]
    imports: list[list[Any]] = []
    for depth, parent, found in _walk(profile.imports, 0, None, imports):
        origin = profile.origins.of(found.module)
        group = _group_of(top_level(found.module), origin, groups)
        took = [
            round(found.start_ms, 3),
            round(found.cumulative_us / 1000, 3),
            round(found.self_us / 1000, 3),
        ]
        imports.append([found.module, depth, *took, parent, group, order.index(found.phase)])
    return {
        "total_ms": round(profile.total_ms, 3),
        "phases": [
            {
                "name": phase.name,
                "text": PHASES[phase.name],
                "start_ms": round(phase.start_ms, 3),
                "ms": round(phase.ms, 3),
            }
            for phase in profile.phases
        ],
        "groups": groups,
        "imports": imports,
    }


def _walk(
    imports: Sequence[Import], depth: int, parent: int | None, written: Sequence[Any]
) -> Iterator[tuple[int, int | None, Import]]:
    """Yield imports with their depth and their parent's place in what is written of them meanwhile."""
    for found in imports:
        yield depth, parent, found
        yield from _walk(found.children, depth + 1, len(written) - 1, written)


def _time(ms: float) -> str:
    """Return a time with three digits, as the page's script does."""
    if ms < 0.01:
        return "0 ms"
    if ms >= 1000:
        return f"{ms / 1000:.2f} s"
    if ms >= 10:
        return f"{ms:.0f} ms"
    return f"{ms:.1f} ms" if ms >= 1 else f"{ms:.2f} ms"
