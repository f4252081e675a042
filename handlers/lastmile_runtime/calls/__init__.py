"""How a function of a cloud asks another one of its deployment; each cloud's way is imported where it is used."""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping

_PERSONAL = ("authorization", "cookie", "x-api-key", "x-serverless-authorization")


def without_caller(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return headers without those by which a caller says who they are: that is this function's to know."""
    return {name: value for name, value in (headers or {}).items() if name.lower() not in _PERSONAL}
