"""What travels to a provider: plain values, secrets, unknowns, assets; and findings about them, each with its path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lastmile_sls.engine.properties import (
    ARCHIVE_SIGNATURE,
    ASSET_SIGNATURE,
    SIGNATURE_KEY,
    UNKNOWN_SENTINEL,
    is_secret,
)

SHOWN_SECRET = "[secret]"
SHOWN_UNKNOWN = "[unknown]"
SHOWN_FILE = "[file "
_VEILED = frozenset({SHOWN_SECRET, SHOWN_UNKNOWN, UNKNOWN_SENTINEL})


@dataclass(frozen=True)
class Finding:
    """Something wrong with one input: where it is, and what the rule says."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@dataclass(frozen=True)
class Record:
    """A resource as a provider was told of it."""

    type: str
    name: str
    inputs: dict[str, Any]
    """As on the wire: camel case, secrets marked."""
    parent: str = ""
    """The types of the components around it, outermost first, joined with `$`; empty at the top of the stack."""

    @property
    def key(self) -> tuple[str, str]:
        return self.type, self.name


def is_asset(value: Any) -> bool:
    """Tell whether the value is a file or an archive."""
    return isinstance(value, dict) and value.get(SIGNATURE_KEY) in (ASSET_SIGNATURE, ARCHIVE_SIGNATURE)


def is_veiled(value: Any) -> bool:
    """Tell whether nothing can be said of the value: it is unknown yet, or a secret or a file as golden files show it."""
    return isinstance(value, str) and (value in _VEILED or value.startswith(SHOWN_FILE))


def unwrap(value: Any) -> Any:
    """Return what a secret holds, and any other value as it is."""
    while is_secret(value):
        value = value["value"]
    return value


def child(path: str, key: str) -> str:
    """Return the path of a member."""
    return f"{path}.{key}" if path else key


def is_internal(key: str) -> bool:
    """Tell whether the engine put the key there for itself."""
    return key.startswith("__")


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in a value with its path, those in secrets and in keys too."""
    value = unwrap(value)
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield child(path, key), key
            yield from strings(item, child(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, f"{path}[{index}]")


def kind_of(value: Any) -> str:
    """Return the name of a value's JSON type, or `asset`."""
    if is_asset(value):
        return "asset"
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "list"
        case dict():
            return "map"
        case _:
            return "null"
