"""What the host does when one function of a deployment asks another: `/functions/{name}/...` on its socket."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from lastmile_sls.local.exchange import Answer, Headers
from lastmile_sls.local.functions import Pool
from lastmile_sls.local.gateway import Refused, check_path, forward, refusal_answer

PREFIX = "/functions/"
FindCalled = Callable[[str], Pool | None]
"""Gives the pool of a function that another one may ask; None for any other."""


async def call(find_called: FindCalled, method: str, path: str, headers: Headers, body: bytes) -> Answer:
    """Ask the function that a path names, as the gateway does, and return its answer, or why there is none."""
    name, slash, rest = path.removeprefix(PREFIX).partition("/")
    target = slash + rest
    if find_called(name) is None:
        refused = Refused(
            HTTPStatus.NOT_FOUND, f"{name!r} is no function that others of this deployment may ask."
        )
        return refusal_answer(target, refused)
    try:
        check_path(target)
        return await forward(
            partial(find_called, name), name, method, target.encode("latin-1"), headers, body
        )
    except Refused as refused:
        return refusal_answer(target, refused)
