"""What a target's runtime contract is to the check: how a function is started under it, asked, and ended."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from lastmile_sls.check.interpreter import Interpreter
from lastmile_sls.check.process import NoAnswer, Process
from lastmile_sls.check.tools import Tool

Status = Literal["passed", "failed", "skipped"]
POLL_S = 0.1
_ENVIRONMENT = {"LANG": "C.UTF-8", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"}
IMPORT_PROFILE = {"PYTHONPROFILEIMPORTTIME": "1"}


@dataclass(frozen=True)
class Setting:
    """What a function is started with."""

    folder: Path
    """The bundle's, writable."""
    digest: str
    model: str
    interpreter: Interpreter
    python: Path
    """It, with the standard library alone."""
    given_python: Path
    """It, as the caller gave it: with its own packages."""
    tool: Path | None
    """The folder of the cloud's runtime client."""
    packages: Path | None
    """A folder of packages that the bundle does not bring."""
    scratch: Path
    """Of this start alone, and empty."""
    memory_mb: int
    timeout_s: float
    startup_s: float
    """How long it may take until it can be asked."""
    routing: str
    """The routing document, as JSON."""
    environment: Mapping[str, str] = field(repr=False)
    """What the deployment sets; it goes before what is set here."""
    entry: str | None = None
    """What the target is told to run; None where the package itself says it."""
    profiles_imports: bool = False

    def environ(self) -> dict[str, str]:
        """Return what every contract sets: a system's least, and what the deployment sets."""
        temporary = self.scratch / "tmp"
        temporary.mkdir(exist_ok=True)
        known = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(temporary),
            "TMPDIR": str(temporary),
            # Weights that another start has fetched would not be fetched by a new instance's.
            "LASTMILE_WEIGHTS_FOLDER": str(self.scratch / "weights"),
        }
        return {
            **_ENVIRONMENT,
            **known,
            **(IMPORT_PROFILE if self.profiles_imports else {}),
            "LASTMILE_MANIFEST_DIGEST": self.digest,
            "LASTMILE_ROUTING": self.routing,
            "LASTMILE_TIMEOUT_S": f"{self.timeout_s:g}",
            **self.environment,
            "LASTMILE_BUNDLE": str(self.folder),
        }

    @property
    def flags(self) -> list[str]:
        """The interpreter's flags where it is isolated, and so does not read them from its environment."""
        return ["-B", *(("-X", "importtime") if self.profiles_imports else ())]


@dataclass(frozen=True)
class Answer:
    """What a function answered to a request."""

    at: float
    """When it was there, by `time.perf_counter`."""
    status: int
    headers: Mapping[str, str]
    """Their names in lower case."""
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Finding:
    """What was found of something that a contract asks for."""

    name: str
    passed: bool
    message: str


class Function(Protocol):
    """A function that was started."""

    process: Process

    @property
    def started_at(self) -> float | None:
        """When it could be asked, by `time.perf_counter`, where the platform sees that."""

    def ask(self, path: str, body: bytes, within_s: float) -> Answer:
        """Send it a JSON document and return its answer; the first time, wait until it can be asked.

        Raises NoAnswer when it ends, holds too much memory, or takes longer.
        """

    def finish(self) -> list[Finding]:
        """Look at what else the contract asks for, and end it. It is asked nothing any more."""


@dataclass(frozen=True)
class Contract:
    """A target's way to run a function."""

    name: str
    """Such as `aws bootstrap`; its first word is the target."""
    title: str
    """For people."""
    launch: Callable[[Setting], AbstractContextManager[Function]]
    """Starts a function; leaving the context leaves nothing of it."""
    tool: Tool | None = None
    """The cloud's runtime client, which it needs."""
    template: Path | None = None
    """The folder in the bundle whose files the deployed function has at its root as well."""
    client: tuple[Path, ...] = ()
    """Folders whose files are the runtime client's, beside the tool's packages."""

    def client_folders(self, tool: Path | None) -> tuple[Path, ...]:
        """Return where the runtime client's first files are, given the tool's folder."""
        packages = [tool / name for name in self.tool.packages] if self.tool and tool else []
        return (
            *self.client,
            *(place for package in packages for place in (package, package / "__pycache__")),
        )


def wait_for(found: queue.Queue[Any], process: Process, within_s: float, what: str) -> Any:
    """Return what a queue brings, while looking after the process.

    Raises NoAnswer when that takes longer, or the process ends or holds too much memory; `what` is its subject.
    """
    deadline = time.monotonic() + within_s
    while (left_s := deadline - time.monotonic()) > 0:
        try:
            return found.get(timeout=min(POLL_S, left_s))
        except queue.Empty:
            process.watch()
    raise too_late(process, within_s, what)


def too_late(process: Process, within_s: float, what: str) -> NoAnswer:
    """Return that something did not happen in time."""
    return NoAnswer(f"{what} took longer than {within_s:g} s.", process.last_words())
