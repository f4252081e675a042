"""What every part of the spec is made of: patterns, and how a broken rule is told."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
HEADER = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
APP = r"^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*\.py:[A-Za-z_][A-Za-z0-9_]*$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
PYTHON = r"^3\.[0-9]{1,2}$"
ISSUER = r"^(https://|http://(localhost|127\.0\.0\.1)[:/])"
CURRENCY = r"^[A-Z]{3}$"
PATTERNS = {
    NAME: "have lower-case letters, digits and single dashes only, and begin with a letter",
    ID: "have letters, digits, dots, dashes and underscores only, and begin with a letter or digit",
    HEADER: "be the name of an HTTP header",
    REGION: "be a region such as eu-west-1",
    APP: "be a Python file relative to this spec, and the name of an application in it, such as app.py:app",
    DIGEST: "be sha256: and 64 hexadecimal digits",
    PYTHON: "be a version of Python in two numbers, such as 3.13",
    ISSUER: "begin with https://, or be on this machine",
    CURRENCY: "be a currency's three capital letters, such as USD",
}
"""Each pattern in words, for messages."""


def rule(text: str, /, **context: Any) -> PydanticCustomError:
    """Return the error of a rule; its message goes on after the field's name, or stands alone for the whole spec."""
    return PydanticCustomError("rule", text, context)


class Section(BaseModel):
    """A part of the spec: nothing unknown in it, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
