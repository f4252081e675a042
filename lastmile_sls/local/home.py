"""Where things are kept on this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.errors import LastmileError

NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
"""What a deployment's or a resource's name looks like; it is also a file's name."""


def find_home(environ: Mapping[str, str]) -> Path:
    """Return lastmile's folder: LASTMILE_HOME, else `~/.lastmile`."""
    named = environ.get("LASTMILE_HOME")
    return Path(named).expanduser().absolute() if named else Path.home() / ".lastmile"


@dataclass(frozen=True)
class Place:
    """The folder of one deployment in the embedded cloud."""

    root: Path
    deployment: str

    @classmethod
    def of(cls, home: Path, deployment: str) -> Place:
        """Return the place of a deployment. Raises LastmileError for what cannot be a deployment's name."""
        check_name("deployment", deployment)
        return cls(home / "local" / deployment, deployment)

    @property
    def neighbours(self) -> list[Place]:
        """The other deployments of the same home."""
        return [place for place in deployments(self.root.parent.parent) if place.root != self.root]

    @property
    def records(self) -> Path:
        """A record per resource: `<kind>/<name>.json`."""
        return self.root / "resources"

    @property
    def logs(self) -> Path:
        """A log per function, and the host's."""
        return self.root / "logs"

    @property
    def host_log(self) -> Path:
        """What the host process says."""
        return self.logs / "host.log"

    @property
    def host_file(self) -> Path:
        """The running host's pid and control socket."""
        return self.root / "host.json"

    @property
    def host_lock(self) -> Path:
        """Locked for as long as the host lives."""
        return self.root / "host.lock"

    def bundle(self, function: str, digest: str) -> Path:
        """Return where a function's bundle is kept."""
        return self.root / "functions" / function / digest.removeprefix("sha256:")[:16]


def check_name(field: str, name: str) -> None:
    """Raise LastmileError unless the name is one that a deployment or a resource may have."""
    if not NAME.fullmatch(name):
        raise LastmileError(
            f"{field} is {name!r}, but must match {NAME.pattern}.",
            "Use lower-case letters, digits and hyphens, at most 63, and begin with a letter.",
        )


def deployments(home: Path) -> list[Place]:
    """Return every deployment that has resources here, by name."""
    folders = sorted((home / "local").glob("*")) if (home / "local").is_dir() else []
    return [
        Place(folder, folder.name)
        for folder in folders
        if NAME.fullmatch(folder.name) and any(folder.glob("resources/*/*.json"))
    ]
