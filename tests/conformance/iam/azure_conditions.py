"""Whether a condition of Azure's role assignments holds: the part of its language that this repository uses.

It is written from learn.microsoft.com/azure/role-based-access-control/conditions-format (read 2026-11-29), which is no
evaluator of Azure's own: there is none that runs here. What is not known here is a SyntaxError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[()!])|(?P<word>AND|OR|NOT)\b|(?P<matches>ActionMatches|SubOperationMatches)\{'(?P<pattern>[^']*)'\}"
    r"|(?P<attribute>@(?:Resource|Request)\[[\w./]+:\w+\])\s+(?P<compares>StringEquals|StringStartsWith)\s+'(?P<text>[^']*)')"
)
_COMPARES: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringStartsWith": str.startswith,
}


@dataclass(frozen=True)
class Attempt:
    """Something that is to be done with a blob, or a container."""

    action: str
    suboperation: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    """By `@Resource[...]` or `@Request[...]`; a comparison with one that is not there does not hold."""


def holds(condition: str, attempt: Attempt) -> bool:
    """Tell whether a condition holds for an attempt. Raises SyntaxError for one that cannot be read."""
    reader = _Reader(condition, attempt)
    found = reader.either()
    if reader.token is not None:
        raise SyntaxError(f"{condition[reader.at :]!r} is left over.")
    return found


class _Reader:
    """Reads a condition from left to right: NOT binds closest, then AND."""

    def __init__(self, text: str, attempt: Attempt) -> None:
        self.at = 0
        self.token: re.Match[str] | None = None
        self._text = text
        self._attempt = attempt
        self._next()

    def either(self) -> bool:
        found = self._both()
        while self._takes("OR"):
            other = self._both()
            found = found or other
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._takes("AND"):
            other = self._one()
            found = found and other
        return found

    def _one(self) -> bool:
        if self._takes("!") or self._takes("NOT"):
            return not self._one()
        if self._takes("("):
            found = self.either()
            if not self._takes(")"):
                raise SyntaxError(f"a parenthesis is open at {self.at}.")
            return found
        return self._plain()

    def _plain(self) -> bool:
        token = self.token
        if token is None or not (token["matches"] or token["attribute"]):
            raise SyntaxError(f"nothing is compared at {self.at}.")
        self._next()
        if token["matches"] == "ActionMatches":
            return fnmatchcase(self._attempt.action, token["pattern"])
        if token["matches"]:
            return self._attempt.suboperation == token["pattern"]
        value = self._attempt.attributes.get(token["attribute"])
        return value is not None and _COMPARES[token["compares"]](value, token["text"])

    def _takes(self, text: str) -> bool:
        if self.token is None or (self.token["mark"] or self.token["word"]) != text:
            return False
        self._next()
        return True

    def _next(self) -> None:
        if not self._text[self.at :].strip():
            self.token = None
            return
        self.token = _TOKEN.match(self._text, self.at)
        if self.token is None:
            raise SyntaxError(f"{self._text[self.at :]!r} is not known.")
        self.at = self.token.end()
