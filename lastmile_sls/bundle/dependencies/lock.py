"""`lastmile.lock`: which wheels each function is built from, by hash, and which container images by digest.

One text for all functions and environments, the same bytes for the same content: a line per package, sorted. It names
no registry, so it holds wherever the same wheels are served.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.errors import LastmileError

FILE = "lastmile.lock"
"""Its name, beside the spec."""
VERSION = 1
_HEAD = f"# Written by lastmile: commit it, and change it with lastmile.\nversion = {VERSION}\n"
_SET = ("function", "python", "processor", "libc", "requirements", "constraints", "packages")
_PACKAGE = ("name", "version", "wheel", "sha256")
_BASE = ("reference", "digest")


@dataclass(frozen=True)
class LockedPackage:
    """One wheel."""

    name: str
    """Normalised."""
    version: str
    wheel: str
    """The file's name."""
    sha256: str


@dataclass(frozen=True)
class LockedSet:
    """What is installed for some requirements in an environment."""

    environment: Environment
    requirements: tuple[str, ...]
    """Normalised and sorted, as `lastmile_sls.bundle.dependencies.resolve.normalised` returns them."""
    constraints: tuple[str, ...]
    packages: tuple[LockedPackage, ...]
    """Sorted by name."""


@dataclass(frozen=True)
class Lock:
    """The file's content."""

    sets: Mapping[tuple[str, Environment], LockedSet] = field(default_factory=dict)
    """By function and environment."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """The digests of container images, `sha256:` and 64 digits, by reference."""

    def find(self, function: str, environment: Environment) -> LockedSet | None:
        """Return a function's set for an environment."""
        return self.sets.get((function, environment))

    def nearest(self, function: str, environment: Environment) -> LockedSet | None:
        """Return a function's set for an environment, else for another one: its versions are the ones to prefer."""
        others = sorted(
            (key for key in self.sets if key[0] == function),
            key=lambda key: (key[1] != environment, key[1].python != environment.python, str(key[1])),
        )
        return self.sets[others[0]] if others else None

    def with_set(self, function: str, locked: LockedSet) -> Lock:
        """Return the lock with a function's set for its environment put in or replaced."""
        return replace(self, sets={**self.sets, (function, locked.environment): locked})

    def with_base(self, reference: str, digest: str) -> Lock:
        """Return the lock with a container image put in or replaced."""
        return replace(self, bases={**self.bases, reference: digest})

    def only(self, functions: Collection[str], environment: Environment) -> Lock:
        """Return the lock without the sets for an environment of functions that are no longer there."""
        kept = {
            key: found for key, found in self.sets.items() if key[0] in functions or key[1] != environment
        }
        return replace(self, sets=kept)

    def render(self) -> str:
        """Return the file's text."""
        bases = [_table("base", zip(_BASE, item, strict=True)) for item in sorted(self.bases.items())]
        keys = sorted(self.sets, key=lambda key: (key[0], str(key[1])))
        return "\n".join(
            [_HEAD, *bases, *(_render_set(function, self.sets[function, e]) for function, e in keys)]
        )


def parse_lock(text: str, name: str = FILE) -> Lock:
    """Read the file's text.

    Raises LastmileError, naming the file and the line or the field, for what lastmile cannot have written.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LastmileError(f"{name} is not TOML: {error}.", _hint(name)) from error
    return _Reader(name).lock(content)


def _hint(name: str) -> str:
    return f"Take {name} as it was last committed; or delete it, and all is chosen anew."


def _render_set(function: str, found: LockedSet) -> str:
    head = [
        ("function", function),
        ("python", found.environment.python),
        ("processor", found.environment.processor),
        ("libc", found.environment.libc),
    ]
    packages = [
        "{ " + ", ".join(f"{key} = {_quoted(getattr(package, key))}" for key in _PACKAGE) + " }"
        for package in found.packages
    ]
    lists = {
        "requirements": [_quoted(item) for item in found.requirements],
        "constraints": [_quoted(item) for item in found.constraints],
        "packages": packages,
    }
    return _table("set", head) + "".join(_list(key, items) for key, items in lists.items())


def _table(name: str, items: Any) -> str:
    return f"[[{name}]]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in items)


def _list(key: str, items: Sequence[str]) -> str:
    return f"{key} = [\n" + "".join(f"  {item},\n" for item in items) + "]\n" if items else f"{key} = []\n"


def _quoted(text: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's too, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


class _Reader:
    """Reads the parsed file, and names the field of what is wrong."""

    def __init__(self, name: str) -> None:
        self._name = name

    def lock(self, content: Mapping[str, Any]) -> Lock:
        version = content.get("version")
        if version != VERSION or isinstance(version, bool):
            raise LastmileError(
                f"{self._name}: version is {version!r}; this lastmile reads {VERSION}.",
                "Use the lastmile that wrote it, or delete the file, and all is chosen anew.",
            )
        self._require_keys("", content, {"version"}, {"set", "base"})
        lock = Lock()
        for field_, table in self._tables("base", content):
            reference, digest = self._base(field_, table)
            if reference in lock.bases:
                self._refuse(f"{field_}.reference", reference, "there is another base of that name")
            lock = lock.with_base(reference, digest)
        for field_, table in self._tables("set", content):
            function, found = self._set(field_, table)
            if lock.find(function, found.environment):
                self._refuse(field_, function, f"there is another set for it in {found.environment}")
            lock = lock.with_set(function, found)
        return lock

    def _base(self, field_: str, table: Mapping[str, Any]) -> tuple[str, str]:
        self._require_keys(f"{field_}.", table, set(_BASE))
        digest = self._text(f"{field_}.digest", table["digest"])
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            self._refuse(
                f"{field_}.digest", digest, "it must be sha256: and 64 lower-case hexadecimal digits"
            )
        return self._text(f"{field_}.reference", table["reference"]), digest

    def _set(self, field_: str, table: Mapping[str, Any]) -> tuple[str, LockedSet]:
        self._require_keys(f"{field_}.", table, set(_SET))
        texts: list[Any] = [
            self._text(f"{field_}.{key}", table[key]) for key in ("python", "processor", "libc")
        ]
        try:
            environment = Environment(*texts)
        except LastmileError as error:
            raise LastmileError(f"{self._name}: {field_}: {error.message}", _hint(self._name)) from error
        requirements, constraints = (
            tuple(
                self._text(f"{field_}.{key}[{i}]", item)
                for i, item in enumerate(self._list(field_, key, table))
            )
            for key in ("requirements", "constraints")
        )
        packages: dict[str, LockedPackage] = {}
        for number, item in enumerate(self._list(field_, "packages", table)):
            place = f"{field_}.packages[{number}]"
            package = self._package(place, item, environment)
            if package.name in packages:
                self._refuse(f"{place}.name", package.name, "there is another package of that name")
            packages[package.name] = package
        found = tuple(packages[name] for name in sorted(packages))
        function = self._text(f"{field_}.function", table["function"])
        return function, LockedSet(environment, requirements, constraints, found)

    def _package(self, field_: str, item: object, environment: Environment) -> LockedPackage:
        from packaging.utils import InvalidWheelFilename, parse_wheel_filename
        from packaging.version import InvalidVersion, Version

        if not isinstance(item, dict):
            self._refuse(field_, item, "it must be a table")
        self._require_keys(f"{field_}.", item, set(_PACKAGE))
        package = LockedPackage(*(self._text(f"{field_}.{key}", item[key]) for key in _PACKAGE))
        if not re.fullmatch(r"[0-9a-f]{64}", package.sha256):
            self._refuse(f"{field_}.sha256", package.sha256, "it must be 64 lower-case hexadecimal digits")
        try:
            name, version, _, _ = parse_wheel_filename(package.wheel)
            if (name, version) != (package.name, Version(package.version)):
                self._refuse(
                    f"{field_}.wheel", package.wheel, f"it must be of {package.name} {package.version}"
                )
        except (InvalidWheelFilename, InvalidVersion) as error:
            self._refuse(f"{field_}.wheel", package.wheel, f"that is no wheel's name: {error}")
        if not environment.best_wheel([package.wheel]):
            self._refuse(f"{field_}.wheel", package.wheel, f"it does not fit {environment}")
        return package

    def _tables(self, key: str, content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        found = content.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            self._refuse(key, found, f"it must be written [[{key}]]")
        return [(f"{key}[{number}]", item) for number, item in enumerate(found)]

    def _list(self, field_: str, key: str, table: Mapping[str, Any]) -> list[Any]:
        found = table[key]
        if not isinstance(found, list):
            self._refuse(f"{field_}.{key}", found, "it must be a list")
        return found

    def _text(self, field_: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            self._refuse(field_, value, "it must be a text")
        return value

    def _require_keys(
        self, prefix: str, table: Mapping[str, Any], needed: set[str], allowed: Collection[str] = ()
    ) -> None:
        missing, unknown = sorted(needed - table.keys()), sorted(table.keys() - needed - set(allowed))
        if missing:
            raise LastmileError(f"{self._name}: {prefix}{missing[0]} is missing.", _hint(self._name))
        if unknown:
            raise LastmileError(f"{self._name}: {prefix}{unknown[0]} is unknown.", _hint(self._name))

    def _refuse(self, field_: str, value: object, rule: str) -> NoReturn:
        raise LastmileError(f"{self._name}: {field_} is {value!r}; {rule}.", _hint(self._name))
