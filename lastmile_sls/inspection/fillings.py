"""The operations of a pickle that fill containers, so that what fills them is only put there, and nothing is called."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from lastmile_sls.inspection.rebuilders import check_keys
from lastmile_sls.inspection.refused import RefusedPickleError, name_of

Handler = Callable[[Any], None]


def _filling(
    code: bytes,
    kind: type,
    into: Callable[[Any], Any],
    keys: slice = slice(0),
) -> Handler:
    """Return the handler of an operation that fills a container.

    Anything but a container of the kind is refused, since a state may have given it a method of its own to call; and so
    are keys, at these places of the stack, that are not easily hashed.
    """
    load: Handler = pickle._Unpickler.dispatch[code[0]]

    def handler(unpickler: Any) -> None:
        if not isinstance(container := into(unpickler), kind):
            raise RefusedPickleError(f"it fills {name_of(type(container))} as if it were a {kind.__name__}")
        check_keys(unpickler.stack[keys])
        load(unpickler)

    return handler


def _below_the_mark(unpickler: Any) -> Any:
    return unpickler.metastack[-1][-1]


def _made_anew(unpickler: Any) -> Any:
    return None


FILLINGS: dict[int, Handler] = {
    code[0]: _filling(code, *more)
    for code, *more in (
        (pickle.APPEND, list, lambda unpickler: unpickler.stack[-2]),
        (pickle.APPENDS, list, _below_the_mark),
        (pickle.SETITEM, dict, lambda unpickler: unpickler.stack[-3], slice(-2, -1)),
        (pickle.SETITEMS, dict, _below_the_mark, slice(None, None, 2)),
        (pickle.ADDITEMS, set, _below_the_mark, slice(None)),
        (pickle.DICT, object, _made_anew, slice(None, None, 2)),
        (pickle.FROZENSET, object, _made_anew, slice(None)),
    )
}
"""By the operation's code."""
