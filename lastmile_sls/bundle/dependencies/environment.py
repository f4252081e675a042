"""What packages are chosen for: the function's Python, processor and C library, never those of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

from lastmile_sls.errors import LastmileError

if TYPE_CHECKING:
    from packaging.tags import Tag

Processor = Literal["x86_64", "arm64"]
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""What wheels and Python call the processors."""
_UV_MINORS = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
"""The versions of glibc that `uv --python-platform` knows: each 2.N."""
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Older names of a platform (PEP 600)."""


@dataclass(frozen=True)
class Environment:
    """Where the packages will run: CPython on Linux. Raises LastmileError for what no function has."""

    python: str
    """`3.13`."""
    processor: Processor
    libc: str
    """The newest glibc that wheels may need, as they say it: `manylinux_2_34` for 2.34."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"3\.[1-9]\d?", self.python):
            raise LastmileError(
                f"python is {self.python!r}, which is no version of Python.",
                "Write two numbers, such as 3.13.",
            )
        if self.processor not in get_args(Processor):
            known = " or ".join(get_args(Processor))
            raise LastmileError(f"processor is {self.processor!r}; it must be {known}.", f"Write {known}.")
        if not re.fullmatch(r"manylinux_2_[1-9]\d?", self.libc) or self._minor < _UV_MINORS[0]:
            raise LastmileError(
                f"libc is {self.libc!r}; wheels are chosen for glibc 2.{_UV_MINORS[0]} or newer.",
                "Write it as wheels do, such as manylinux_2_34.",
            )

    def __str__(self) -> str:
        return f"Python {self.python} on {self.processor} with {self.libc}"

    @property
    def python_platform(self) -> str:
        """What `uv --python-platform` calls it: of the glibcs that uv knows, the newest that is not too new."""
        known = max(minor for minor in _UV_MINORS if minor <= self._minor)
        return f"{MACHINES[self.processor]}-manylinux_2_{known}"

    @property
    def markers(self) -> dict[str, str]:
        """The environment that requirements' markers are evaluated with (PEP 508), as uv has it for this platform."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": MACHINES[self.processor],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags of the wheels that can be installed, best first."""
        return _tags(self)

    def best_wheel(self, names: Iterable[str]) -> str | None:
        """Return, of wheels' file names, the one that fits best; None when none fits."""
        from packaging.utils import InvalidWheelFilename, parse_wheel_filename

        places = {tag: place for place, tag in enumerate(self.tags)}
        found = []
        for name in names:
            try:
                _, _, build, tags = parse_wheel_filename(name)
            except InvalidWheelFilename:
                continue
            fitting = [places[tag] for tag in tags if tag in places]
            if fitting:
                found.append((-min(fitting), build, name))
        return max(found)[2] if found else None

    @property
    def _minor(self) -> int:
        return int(self.libc.rpartition("_")[2])


@lru_cache(maxsize=16)
def _tags(environment: Environment) -> tuple[Tag, ...]:
    from packaging.tags import compatible_tags, cpython_tags

    version = tuple(int(number) for number in environment.python.split("."))
    interpreter = f"cp{version[0]}{version[1]}"
    platforms = _platforms(environment)
    return (
        *cpython_tags(version, [interpreter], platforms),
        *compatible_tags(version, interpreter, platforms),
    )


def _platforms(environment: Environment) -> list[str]:
    """Return the platforms' tags, newest glibc first; last the one of wheels that were built by hand, as uv has it."""
    machine = MACHINES[environment.processor]
    oldest = 5 if environment.processor == "x86_64" else _UV_MINORS[0]
    found = []
    for minor in range(int(environment.libc.rpartition("_")[2]), oldest - 1, -1):
        found.append(f"manylinux_2_{minor}_{machine}")
        if minor in _LEGACY:
            found.append(f"{_LEGACY[minor]}_{machine}")
    return [*found, f"linux_{machine}"]
