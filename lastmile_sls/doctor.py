"""Looks at this machine: what works, what is missing, and what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from lastmile_sls.errors import LastmileError

Status = Literal["ok", "missing", "broken"]
FIRST_PORT = 8080
_FRAMEWORKS = ("scikit-learn", "onnxruntime", "xgboost", "lightgbm")


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing."""

    subject: str
    status: Status
    """`missing` hinders something that not everybody needs; `broken` hinders everything."""
    detail: str
    advice: str = ""


def examine(environ: Mapping[str, str], home: Path, user_home: Path) -> list[Finding]:
    """Return a finding for everything that a deployment may need; credentials are named, never shown.

    Args:
        environ: The environment variables.
        home: Where lastmile keeps its state.
        user_home: The user's home folder, for the clouds' credential files.
    """
    return [
        _python(sys.version_info[:3]),
        _home(home),
        _port(FIRST_PORT),
        _uv(environ),
        _pulumi(environ),
        *(_framework(name) for name in _FRAMEWORKS),
        _sdk("AWS", "pulumi-aws"),
        _aws(environ, user_home),
        _sdk("Google Cloud", "pulumi-gcp"),
        _gcp(environ, user_home),
        _sdk("Azure", "pulumi-azure-native"),
        _azure(environ, user_home),
    ]


def _python(found: tuple[int, int, int]) -> Finding:
    text = ".".join(map(str, found))
    if (3, 11) <= found[:2] < (3, 15):
        return Finding("Python", "ok", text)
    return Finding("Python", "broken", text, "Install Python 3.11 to 3.14.")


def _home(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    if os.access(existing, os.W_OK | os.X_OK):
        return Finding("state folder", "ok", str(home))
    return Finding(
        "state folder",
        "broken",
        f"{home} cannot be written",
        "Set LASTMILE_HOME to a folder that can.",
    )


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            advice = "The next free port is taken instead, or set targets.local.port."
            return Finding("port", "ok", f"{port} is in use", advice)
    return Finding("port", "ok", f"{port} is free")


def _uv(environ: Mapping[str, str]) -> Finding:
    path = shutil.which("uv", path=_path_with_scripts(environ))
    if path is None:
        return Finding("uv", "missing", "not found", "pip install uv")
    return Finding("uv", "ok", _first_line([path, "--version"]))


def _pulumi(environ: Mapping[str, str]) -> Finding:
    from lastmile_sls.engine.pulumi_cli.command import find_command

    try:
        command = find_command(search_path=environ.get("PATH"))
    except LastmileError as error:
        advice = f"The local target works without it; aws, gcp and azure need it. {error.hint}"
        return Finding("Pulumi CLI", "missing", error.message, advice)
    return Finding(
        "Pulumi CLI",
        "ok",
        f"{command.version} ({shutil.which(command.command) or command.command})",
    )


def _framework(name: str) -> Finding:
    for distribution in (name, f"{name}-cpu"):
        try:
            return Finding(name, "ok", version(distribution))
        except PackageNotFoundError:
            continue
    return Finding(name, "missing", "not installed", f"Models of this framework need it: pip install {name}")


def _sdk(cloud: str, distribution: str) -> Finding:
    """Return whether what a cloud's program is made of is installed; a preview needs it too."""
    subject = f"{cloud} SDK"
    try:
        return Finding(subject, "ok", f"{distribution} {version(distribution)}")
    except PackageNotFoundError:
        extra = {"AWS": "aws", "Google Cloud": "gcp", "Azure": "azure"}[cloud]
        advice = f"Only for that cloud: pip install 'lastmile-sls[{extra}]'"
        return Finding(subject, "missing", "not installed", advice)


def _aws(environ: Mapping[str, str], user_home: Path) -> Finding:
    variables = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")
    files = (".aws/credentials", ".aws/config")
    return _credentials("AWS credentials", variables, files, "aws configure", environ, user_home)


def _gcp(environ: Mapping[str, str], user_home: Path) -> Finding:
    variables = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS")
    files = (".config/gcloud/application_default_credentials.json",)
    advice = "gcloud auth application-default login"
    return _credentials("Google Cloud credentials", variables, files, advice, environ, user_home)


def _azure(environ: Mapping[str, str], user_home: Path) -> Finding:
    variables = ("ARM_CLIENT_ID", "AZURE_CLIENT_ID")
    files = (".azure/azureProfile.json",)
    return _credentials("Azure credentials", variables, files, "az login", environ, user_home)


def _credentials(
    subject: str,
    variables: tuple[str, ...],
    files: tuple[str, ...],
    advice: str,
    environ: Mapping[str, str],
    user_home: Path,
) -> Finding:
    for variable in variables:
        if environ.get(variable):
            return Finding(subject, "ok", f"from {variable}")
    for file in files:
        if (user_home / file).is_file():
            return Finding(subject, "ok", f"from ~/{file}")
    return Finding(subject, "missing", "not found", f"Only for deploying there: {advice}")


def _path_with_scripts(environ: Mapping[str, str]) -> str:
    return os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])


def _first_line(command: list[str]) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (run.stdout or run.stderr).strip().partition("\n")[0]
