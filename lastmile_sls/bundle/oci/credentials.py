"""Who a registry is told that we are: logins as Docker's command line and its helpers keep them.

The file is described at docs.docker.com/reference/cli/docker/login, the helpers' protocol at
github.com/docker/docker-credential-helpers.
"""

from __future__ import annotations

import base64
import binascii
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lastmile_sls.bundle.oci.reference import DOCKER_HUB
from lastmile_sls.errors import LastmileError

_DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_NONE_KEPT = "credentials not found"
_TOKEN_USER = "<token>"  # noqa: S105 - a helper says so that its secret is an identity token
HELPER_TIMEOUT_S = 60


@dataclass(frozen=True)
class Login:
    """A user's name and password at a registry, or an identity token, which is exchanged for access tokens."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """As HTTP's Basic scheme writes it."""
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


Credentials = Callable[[str], Login | None]
"""Returns the login at a registry (`HOST[:PORT]`), or None where there is none."""


def docker_credentials(environ: Mapping[str, str], timeout_s: float = HELPER_TIMEOUT_S) -> Credentials:
    """Return logins as `docker login` keeps them: in `config.json`, or with the helpers that it names.

    Args:
        environ: DOCKER_CONFIG or HOME says which folder config.json is in; PATH where the helpers are.
        timeout_s: How long a helper may take.

    What is returned raises LastmileError for a file that cannot be read, and for a helper that fails.
    """

    def find(registry: str) -> Login | None:
        home = Path(environ.get("HOME") or Path.home())
        path = Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
        config = _read(path)
        key = _DOCKER_HUB_KEY if registry == DOCKER_HUB else registry
        helper = _member(config, "credHelpers", path).get(registry) or config.get("credsStore")
        if helper and (login := _ask(str(helper), key, environ, timeout_s)):
            return login
        auths = _member(config, "auths", path)
        for name in (key, f"https://{registry}", f"https://{registry}/v1/", f"https://{registry}/v2/"):
            if isinstance(entry := auths.get(name), dict) and (login := _parse(entry, path, name)):
                return login
        return None

    return find


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise LastmileError(f"{path} is not JSON.", "Mend it, or run docker login again.") from error
    if not isinstance(config, dict):
        raise LastmileError(f"{path} is not a JSON object.", "Mend it, or run docker login again.")
    return config


def _member(config: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    member = config.get(name) or {}
    if not isinstance(member, dict):
        raise LastmileError(f"{path}: {name} is not an object.", "Mend it, or run docker login again.")
    return member


def _parse(entry: dict[str, Any], path: Path, name: str) -> Login | None:
    """Read an entry of `auths`; None for the empty one that stands for a helper."""
    token = str(entry.get("identitytoken") or "")
    if not entry.get("auth"):
        username, password = str(entry.get("username") or ""), str(entry.get("password") or "")
        return Login(username, password, token) if password or token else None
    try:
        username, colon, password = (
            base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise LastmileError(
            f"{path}: auths[{name!r}].auth is not NAME:PASSWORD in Base64.", "Run docker login again."
        )
    return Login(username, password.rstrip("\0"), token)


def _ask(helper: str, key: str, environ: Mapping[str, str], timeout_s: float) -> Login | None:
    """Ask a credential helper for a login. What it says is never told: it may hold the secret."""
    program = f"docker-credential-{helper}"
    hint = "Run it by hand to see why, or take it out of Docker's config.json and run docker login again."
    try:
        found = subprocess.run(
            [_on_path(program, environ), "get"],
            env=dict(environ),
            input=key,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LastmileError(f"{program} gave no login for {key} in {timeout_s:g} s.", hint) from error
    except OSError as error:
        raise LastmileError(f"{program} cannot be run: {error.strerror}.", hint) from error
    if found.returncode:
        if _NONE_KEPT in found.stdout:
            return None
        raise LastmileError(f"{program} gave no login for {key}: it ended with {found.returncode}.", hint)
    try:
        answer = json.loads(found.stdout)
        username, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError):
        raise LastmileError(f"{program} gave no login for {key}, but something else.", hint) from None
    return Login(identity_token=secret) if username == _TOKEN_USER else Login(username, secret)


def _on_path(program: str, environ: Mapping[str, str]) -> str:
    found = shutil.which(program, path=environ.get("PATH"))
    if not found:
        raise LastmileError(
            f"Docker's config.json names {program}, which is not on PATH.",
            "Install it, or take it out of config.json and run docker login again.",
        )
    return found
