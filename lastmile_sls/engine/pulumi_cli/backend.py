"""Where the CLI keeps a stack: the user's own backend when there is one, else a local folder with a generated passphrase."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlparse

import psutil
import yaml

from lastmile_sls.engine.interface import Program
from lastmile_sls.files import make_private_folder, write_private


@dataclass(frozen=True)
class Lock:
    """A lock file of the CLI's own backend."""

    pid: int
    since: str
    alive: bool


@dataclass(frozen=True)
class Backend:
    """The environment that makes the CLI use the backend, and its folder when it is a local one."""

    environment: Mapping[str, str]
    folder: Path | None

    def locks(self, program: Program) -> list[Lock]:
        """Return the locks that processes of this machine hold, or held when they died, on a stack."""
        if self.folder is None:
            return []
        place = self.folder / ".pulumi" / "locks" / "organization" / program.project / program.stack
        contents = [json.loads(path.read_text(encoding="utf-8")) for path in place.glob("*.json")]
        return [
            Lock(lock["pid"], lock["timestamp"], _alive(lock["pid"], lock["timestamp"]))
            for lock in contents
            if lock["hostname"] == socket.gethostname()
        ]

    def has_stack(self, program: Program) -> bool | None:
        """Whether the stack is there and has resources; None when only the CLI can tell."""
        if self.folder is None:
            return None
        path = self.folder / ".pulumi" / "stacks" / program.project / f"{program.stack}.json"
        if not path.exists():
            return False
        checkpoint = json.loads(path.read_text(encoding="utf-8")).get("checkpoint") or {}
        return bool((checkpoint.get("latest") or {}).get("resources"))


def choose_backend(program: Program, environ: Mapping[str, str], home: Path) -> Backend:
    """Return the backend for a program.

    `PULUMI_BACKEND_URL`, or `backend` in the project's `Pulumi.yaml`, name one; otherwise stacks are kept in
    `<home>/pulumi`, and their secrets are encrypted with a passphrase that is generated once and kept beside
    them, mode 0600.
    """
    url = environ.get("PULUMI_BACKEND_URL") or _project_backend(program)
    environment = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    if not url:
        folder = home / "pulumi"
        make_private_folder(folder)
        url = folder.as_uri()
    environment["PULUMI_BACKEND_URL"] = url
    if not environ.get("PULUMI_CONFIG_PASSPHRASE") and not environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        environment["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase(home / "pulumi" / "passphrase"))
    return Backend(environment, _local_folder(url))


def _alive(pid: int, since: str) -> bool:
    """Tell whether the process that took the lock still runs; a number that was given anew is another process."""
    try:
        process = psutil.Process(pid)
        taken = datetime.fromisoformat(since[:19]).replace(tzinfo=UTC).timestamp()
        started_before = process.create_time() <= taken + 1
        return started_before and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _project_backend(program: Program) -> str:
    path = program.folder / "Pulumi.yaml"
    project = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return str((project.get("backend") or {}).get("url") or "")


def _passphrase(path: Path) -> Path:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32).encode())
    return path


def _local_folder(url: str) -> Path | None:
    parsed = urlparse(url)
    if parsed.scheme != "file":
        return None
    return Path(unquote(parsed.netloc + parsed.path)).expanduser()
