"""Runs uv, and says in our words what stopped it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.bundle.dependencies.registry import find_registry
from lastmile_sls.errors import LastmileError

LONGEST_REASON = 600
"""How many characters of uv's own explanation are shown; a resolver's proof can take pages."""
_UNSAFE = re.compile(r"^\s*WARN Skipping unsafe file name: (.+)$", re.MULTILINE)
_MISMATCH = re.compile(
    r"Hash mismatch for `([^`=]+)==([^`]+)`.*?Expected:\s+(?:sha256:)?(\S+).*?Computed:\s+(?:sha256:)?(\S+)",
    re.DOTALL,
)
_NETWORK = (
    "Failed to fetch",
    "error sending request",
    "client error (Connect)",
    "operation timed out",
    "the network was disabled",
)
_DISK = ("No space left on device", "Disk quota exceeded", "os error 28", "os error 122")
_DENIED = re.compile(r"\((401 Unauthorized|403 Forbidden)\)")


@dataclass(frozen=True)
class Run:
    """What uv did."""

    succeeded: bool
    told: str
    """What it said to people, with no secrets in it."""

    @property
    def warnings(self) -> list[str]:
        """What it warns of, such as a version that was withdrawn."""
        return re.findall(r"^warning: (.+)$", self.told, re.MULTILINE)

    @property
    def unsafe_names(self) -> list[str]:
        """Names in wheels that lead out of the wheel's own folder; uv leaves such files out."""
        return sorted(set(_UNSAFE.findall(self.told)))


def find_uv() -> str:
    """Return the path of the uv that was installed with lastmile. Raises LastmileError when it is not there."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise LastmileError(
            f"uv, which chooses and installs packages, is not where {sys.executable} has its programs.",
            "Install it there: python -m pip install --force-reinstall uv",
        ) from error


def run_uv(
    arguments: Sequence[str], environ: Mapping[str, str] | None = None, *, without: Sequence[str] = ()
) -> Run:
    """Run uv with the registry that the user has configured, and return what it did.

    Args:
        arguments: A command and its arguments, without the interpreter: uv runs with this one, whatever it works for.
        environ: The environment's variables; by default this process's.
        without: Those of them that must not be seen.
    """
    environ = os.environ if environ is None else environ
    registry = find_registry(environ, Path.cwd())
    kept = {name: value for name, value in environ.items() if name not in without}
    options = ["--python", sys.executable, "--no-python-downloads", *registry.options]
    return _run([*arguments, *options], {**kept, **registry.environ})


def forget(packages: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
    """Take packages out of uv's cache, so that they are looked at anew when they are next asked for."""
    _run(["cache", "clean", *packages], os.environ if environ is None else environ)


def _run(command: Sequence[str], environ: Mapping[str, str]) -> Run:
    told = {"RUST_LOG": "uv_extract=warn", "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
    try:
        run = subprocess.run(
            [find_uv(), *command],
            env={**environ, **told},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise LastmileError(f"uv could not be run: {error.strerror or error}.") from error
    return Run(run.returncode == 0, without_secrets(run.stderr))


def is_of_the_registry(run: Run) -> bool:
    """Tell whether a run failed because the registry did not answer, and not for what it answered."""
    return bool(_DENIED.search(run.told)) or any(word in run.told for word in _NETWORK)


def refusal(run: Run, doing: str) -> LastmileError:
    """Return the error for a run that failed, where the reason has nothing to do with what was asked for.

    Args:
        run: The run.
        doing: What it was for, such as `installing the packages`.
    """
    if any(word in run.told for word in _DISK):
        return disk_full(doing)
    if found := _MISMATCH.search(run.told):
        name, version, expected, computed = found.groups()
        return LastmileError(
            f"The wheel of {name} {version} that the registry serves is not the one that was locked: its sha256 is "
            f"{computed}, locked is {expected}.",
            "Find out why before you trust it. If it was built anew on purpose, upgrade the lock.",
        )
    if found := _DENIED.search(run.told):
        return LastmileError(
            f"The package registry refused {doing}: {found[1]}.",
            "Give credentials the way uv takes them: in ~/.netrc, by keyring, or in the registry's URL.",
        )
    if any(word in run.told for word in _NETWORK):
        return LastmileError(
            f"The package registry could not be reached for {doing}: {_last_cause(run.told)}.",
            "Check the network, or configure the registry that this machine can reach, as for uv or pip.",
        )
    return LastmileError(f"uv failed at {doing}: {shortened(reason(run.told))}")


def disk_full(doing: str) -> LastmileError:
    """Return the error for a full disk."""
    return LastmileError(
        f"The disk is full: {doing} needs more space.",
        "Free some, here and where uv has its cache (uv cache prune), then run again; nothing was left half done.",
    )


def unsafe(name: str, package: str = "") -> LastmileError:
    """Return the error for a wheel with a name that leads out of its folder; uv does not say which package's it is."""
    return LastmileError(
        f"{package or 'A wheel'} has a file named {name}, which lies outside of the package's own folder.",
        "No honest wheel has one. Find out where it came from; nothing was installed.",
    )


def reason(told: str) -> str:
    """Return why uv failed, on one line: its causes, without its hints and warnings."""
    lines, kept = told.splitlines(), []
    taking = False
    for line in lines:
        if re.match(r"(error|hint|warning):|\s*WARN ", line):
            taking = line.startswith("error:")
            kept += [line.removeprefix("error:").strip()] if taking else []
        elif taking:
            kept.append(re.sub(r"^\s*cause:", ";", line).strip())
    text = re.sub(r"\s+", " ", " ".join(kept)).replace(" ;", ":").strip()
    return text or (lines[-1].strip() if lines else "it said nothing")


def shortened(text: str) -> str:
    """Return a text of at most LONGEST_REASON characters."""
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 3]}..."


def without_secrets(text: str) -> str:
    """Return a text with what may be a password or a token in its URLs left out."""
    return re.sub(r"(://)[^/\s@]*@|\?[^\s`)]*", r"\1", text)


def _last_cause(told: str) -> str:
    causes = re.findall(r"^\s*cause: (.+)$", told, re.MULTILINE)
    return str(causes[-1]).rstrip(".") if causes else shortened(reason(told))
