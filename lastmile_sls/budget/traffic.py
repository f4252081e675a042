"""Steps that go through the routing document: each changes it once, whatever is killed when, and undoes only that.

The history of the document says which of its changes was a step, so that a run that finds a step begun knows whether it
was carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lastmile_sls.budget.document import Taken
from lastmile_sls.errors import LastmileError
from lastmile_sls.traffic.change import Document, set_throttle, told, told_throttle
from lastmile_sls.traffic.live import Author, LiveTraffic

_PARTS = {"stop_shadows": "shadows", "throttle": "throttle"}


class _NothingToDo(Exception):
    """The document is so already."""


class _ChangedError(Exception):
    """Somebody else has changed what a step left."""


def carry_out(live: LiveTraffic, taken: Taken) -> str:
    """Do a step; return in words what came of it. Raises LastmileError when somebody else changes the traffic meanwhile."""
    apply, action = _changes(taken)
    record = _once(live, action, Author(taken.who, taken.why), taken.id, apply)
    if record is None:
        return (
            "no shadow was running" if taken.action == "stop_shadows" else "it is throttled as much already"
        )
    return f"{_told(taken, record['from'])} -> {_told(taken, record['to'])}, revision {record['revision']}"


def undo(live: LiveTraffic, taken: Taken, author: Author) -> str:
    """Undo a step; return in words what came of it. What somebody has changed since then is left, and said.

    Raises LastmileError when somebody else changes the traffic meanwhile.
    """
    step, part = f"{taken.id}/undo", _PARTS[taken.action]
    ours, undone = _record_of(live, taken.id), _record_of(live, step)
    if ours is None:
        return "nothing had been changed"
    if undone is None:
        if meanwhile := _last_change(live, part, ours["revision"]):
            return _left(taken, meanwhile)
        before, gone = _still_possible(live, taken, ours["from"][part])

        def apply(document: Document) -> Document:
            if _same(document, before, part):
                raise _NothingToDo
            if not _same(document, ours["to"][part], part):
                raise _ChangedError
            rest = {name: value for name, value in document.items() if name != part}
            return {**rest, part: before} if before else rest

        try:
            undone = _once(live, f"budget: undo {taken.key}", author, step, apply)
        except _ChangedError:
            return _left(taken, _last_change(live, part, ours["revision"]) or {})
        if undone is None:
            return f"nothing to bring back{gone}"
        return f"{_told(taken, undone['from'])} -> {_told(taken, undone['to'])}, revision {undone['revision']}{gone}"
    return f"{_told(taken, undone['from'])} -> {_told(taken, undone['to'])}, revision {undone['revision']}"


def preview(document: Document, taken: Taken) -> str:
    """Return in words what a step would change."""
    apply, _ = _changes(taken)
    try:
        return f"{_told(taken, document)} -> {_told(taken, apply(document))}"
    except _NothingToDo:
        return "nothing to do: it is so already"


def _changes(taken: Taken) -> tuple[Callable[[Document], Document], str]:
    """Return what a step makes of the document, and how the history calls it."""
    match taken.action:
        case "stop_shadows":
            return _without_shadows, "budget: stop shadows"
        case "throttle":
            rate = taken.requests_per_s
            assert rate is not None

            def throttle(document: Document) -> Document:
                there = document.get("throttle")
                if there and there["requests_per_s"] <= rate:
                    raise _NothingToDo
                return set_throttle(document, rate)

            return throttle, f"budget: throttle {rate:g}"
        case action:
            raise ValueError(f"{action} is no change of the traffic")


def _without_shadows(document: Document) -> Document:
    if not document.get("shadows"):
        raise _NothingToDo
    return {**document, "shadows": []}


def _once(
    live: LiveTraffic, action: str, author: Author, step: str, apply: Callable[[Document], Document]
) -> dict[str, Any] | None:
    """Change the traffic as a step unless that was done, and return its record; None when there is nothing to change."""
    found = _record_of(live, step)
    if found is not None:
        return found
    try:
        return live.change(action, author, apply, step)
    except _NothingToDo:
        return _record_of(live, step)  # another run may have been quicker
    except LastmileError:
        found = _record_of(live, step)
        if found is None:
            raise
        return found


def _record_of(live: LiveTraffic, step: str) -> dict[str, Any] | None:
    return next((record for record in reversed(live.history()) if record.get("step") == step), None)


def _last_change(live: LiveTraffic, part: str, revision: int) -> dict[str, Any] | None:
    """Return the last change of a part after a revision, whoever made it."""
    later = [record for record in live.history() if record["revision"] > revision]
    return next(
        (r for r in reversed(later) if not _same(r["from"], r["to"].get(part), part)),
        None,
    )


def _still_possible(live: LiveTraffic, taken: Taken, before: Any) -> tuple[Any, str]:
    """Return what there was before a step without what cannot come back, and that in words."""
    if taken.action != "stop_shadows":
        return before, ""
    champion = live.read()["champion"]
    kept = [
        entry for entry in before or () if entry["version"] in live.versions and entry["version"] != champion
    ]
    gone = [entry["version"] for entry in before or () if entry not in kept]
    why = f"; {', '.join(gone)} left out: the champion now, or not deployed any more" if gone else ""
    return kept, why


def _same(document: Mapping[str, Any], value: Any, part: str) -> bool:
    return (document.get(part) or None) == (value or None)


def _left(taken: Taken, record: Mapping[str, Any]) -> str:
    what = "the shadows" if taken.action == "stop_shadows" else "the throttle"
    by = f" by {record['who']} on {record['when']} ({record['action']})" if record else ""
    return f"{what} left: changed{by} since"


def _told(taken: Taken, route: Mapping[str, Any]) -> str:
    """Return the part of a route that a step changes, in words."""
    if taken.action == "throttle":
        return told_throttle(dict(route)) or "no throttle"
    shadows = {entry["version"]: entry["percent"] for entry in route.get("shadows") or ()}
    return f"shadows {told(shadows)}" if shadows else "no shadows"
