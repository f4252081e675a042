"""What a budget has changed of a spec's numbers: `budget/override.json`, beside the routing document.

It is applied to the plan by whatever plans a stack that is there, and says so: nothing drifts in silence.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lastmile_runtime.stores import Conflict, NotFound, StoreError
from lastmile_sls.budget.document import Taken
from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

FORMAT = "lastmile.override/1"
PATH = "budget/override.json"
_DEADLINE_S = 10.0


@dataclass(frozen=True)
class Override:
    """Numbers that stand in the place of the spec's."""

    id: str
    """The step's."""
    min_instances: int
    since: str
    """UTC."""
    spent_percent: str
    who: str
    why: str

    def told(self, wanted: int) -> str:
        """Return in a line what it does to a spec that wants so many instances kept warm."""
        return (
            f"min_instances is {self.min_instances} instead of {wanted}: budget override since {self.since} "
            f"({self.spent_percent} % spent)"
        )


def read(store: Store) -> Override | None:
    """Return the override of a deployment; None when there is none. Raises LastmileError."""
    found = _get(store)
    return found[0] if found else None


def drop_warm(store: Store, taken: Taken, warm: int) -> str:
    """Write the override that keeps no instance warm; return in words what came of it. Raises LastmileError."""
    if not warm:
        return "no instance was kept warm"
    override = Override(taken.id, 0, taken.when, taken.spent_percent, taken.who, taken.why)
    content = {"format": FORMAT, **asdict(override)}
    document = (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
    found = _get(store)
    try:
        if found is None:
            store.put(PATH, document, if_absent=True)
        elif found[0].id != taken.id:
            store.put(PATH, document, if_match=found[1])
    except Conflict:
        if (other := read(store)) is None or other.id != taken.id:
            raise _quicker() from None
    except StoreError as error:
        raise _unusable(error) from error
    return f"min_instances {warm} -> 0 with the next `lastmile up`"


def undo(store: Store, taken: Taken, warm: int) -> str:
    """Delete the override that a step wrote; return in words what came of it. Raises LastmileError."""
    found = _get(store)
    if found is not None and found[0].id != taken.id:
        return f"the override left: it is that of {found[0].id}"
    try:
        store.delete(PATH)
    except StoreError as error:
        raise _unusable(error) from error
    return f"min_instances 0 -> {warm} with the next `lastmile up`" if warm else "no instance was kept warm"


def _get(store: Store) -> tuple[Override, str] | None:
    """Return the override and its etag."""
    try:
        found = store.get(PATH, deadline_s=_DEADLINE_S)
        assert found is not None
        return _parse(json.loads(found.content)), found.etag
    except NotFound:
        return None
    except (StoreError, ValueError, KeyError, TypeError) as error:
        raise _unusable(error) from error


def _parse(document: dict[str, Any]) -> Override:
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {document['format']!r}, but this version reads {FORMAT!r}")
    override = Override(**{name: value for name, value in document.items() if name != "format"})
    if type(override.min_instances) is not int or override.min_instances < 0:
        raise ValueError(f"min_instances is {override.min_instances!r}")
    return override


def _unusable(error: Exception) -> LastmileError:
    return LastmileError(
        f"{PATH}, which may say how many instances are kept warm, cannot be used: {error}.",
        "Nothing was deployed. If it should not be there, delete it; then run this again.",
    )


def _quicker() -> LastmileError:
    return LastmileError(
        "another run of `lastmile budget enforce` was quicker; this one did nothing more.",
        "See what it did: lastmile budget status",
    )
