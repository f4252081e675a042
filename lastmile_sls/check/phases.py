"""A start in phases: from what was seen from the outside, and what the function reported of its first answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.check.opened import Touch

PHASES = {
    "interpreter": "exec until the interpreter runs",
    "client": "the cloud's runtime client is imported",
    "runtime": "the function's runtime is imported",
    "manifest": "the manifest is verified and the application made",
    "model": "the model is verified, its libraries imported, and loaded",
    "answer": "the first prediction, and its way back",
    "start": "exec until the first answer",
}
"""What happens in each; `start` is all of it, where no more could be seen."""
_LOAD = re.compile(r"(?:^|[\s,])load;dur=([0-9.]+)")


@dataclass(frozen=True)
class Phase:
    """A part of a start."""

    name: str
    """One of PHASES."""
    start_ms: float
    """Since exec."""
    ms: float


@dataclass(frozen=True)
class Places:
    """Where to look: files of these folders tell how far a start is."""

    bundle: Path
    """Holds the manifest; its runtime lies below."""
    models: tuple[Path, ...]
    """The folders of the version that answers first."""
    client: tuple[Path, ...] = ()
    """The cloud's runtime client; none where there is none."""

    @property
    def runtime(self) -> tuple[Path, ...]:
        """The folders of the runtime's first files."""
        package = self.bundle / "lastmile_runtime"
        return (package, package / "__pycache__")

    @property
    def folders(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.bundle, *self.runtime, *self.models, *self.client)


def load_ms(headers: Mapping[str, str]) -> float | None:
    """Return what an answer reports of its model's load (Server-Timing, ms); None when it was loaded before."""
    found = _LOAD.search(headers.get("server-timing", ""))
    return float(found[1]) if found else None


def phases(
    began: float,
    answered: float,
    touches: Sequence[Touch],
    places: Places,
    *,
    load_ms: float | None,
    started: float | None,
) -> tuple[Phase, ...]:
    """Return a start's phases, in order and without gaps.

    Args:
        began: When it was started, in seconds.
        answered: When its first answer was there.
        touches: What was opened and closed meanwhile.
        places: What the files are.
        load_ms: What the first answer reports of its model's load.
        started: When the function asked for its first event, where the platform sees that.
    """
    # Whoever sees them can be late, so what was first opened after the answer was opened right before it.
    touches = [touch for touch in touches if began <= touch.at]
    opened = [touch for touch in touches if touch.opened]
    of_model = [touch for touch in touches if touch.path.parent in places.models]
    model = _first(touch for touch in of_model if touch.opened)
    begins = {
        "interpreter": began,
        "client": _first(touch for touch in opened if touch.path.parent in places.client),
        "runtime": _first(touch for touch in opened if touch.path.parent in places.runtime),
        "manifest": _first(touch for touch in opened if touch.path == places.bundle / "manifest.json"),
        "model": model,
        "answer": _loaded(model, [touch for touch in of_model if touch.at <= answered], load_ms, started),
    }
    if all(begin is None for name, begin in begins.items() if name != "interpreter"):
        begins = {"start": began}
    if not places.client:
        begins.pop("client", None)
    return _in_order(begins, began, answered)


def _first(touches: Iterable[Touch]) -> float | None:
    return next((touch.at for touch in touches), None)


def _loaded(
    model: float | None, of_model: Sequence[Touch], load_ms: float | None, started: float | None
) -> float | None:
    """Return when the model was loaded: by its own report, by its asking for events, or by its last file."""
    if model is None:
        return None
    if load_ms is not None:
        return model + load_ms / 1000
    if started is not None and started > model:
        return started
    return max((touch.at for touch in of_model), default=model)


def _in_order(begins: Mapping[str, float | None], began: float, answered: float) -> tuple[Phase, ...]:
    known: list[tuple[str, float]] = []
    latest = began
    for name, begin in begins.items():
        if begin is not None:
            latest = min(max(latest, begin), answered)
            known.append((name, latest))
    ends = [*(begin for _, begin in known[1:]), answered]
    return tuple(
        Phase(name, (begin - began) * 1000, (end - begin) * 1000)
        for (name, begin), end in zip(known, ends, strict=True)
    )
