"""Finding the Pulumi CLI, and installing it with Pulumi's own installer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pulumi.automation import InvalidVersionError, PulumiCommand

from lastmile_sls.engine.interface import EngineError

HOW_TO_INSTALL = (
    "Install it with `lastmile doctor --install-pulumi` (Pulumi's official installer), "
    "or as https://www.pulumi.com/docs/install/ says, then run again."
)


def find_command(*, search_path: str | None = None) -> PulumiCommand:
    """Return the Pulumi CLI found on PATH, else the newest that `install` put in `~/.pulumi/versions`.

    Raises EngineError, with the way to get it, when there is none or it is too old.
    """
    found = shutil.which("pulumi", path=search_path)
    root = None if found else _newest_installed()
    if not found and root is None:
        raise EngineError("the Pulumi CLI is not on PATH.", HOW_TO_INSTALL)
    try:
        return PulumiCommand(root=str(root) if root else None)
    except InvalidVersionError as error:
        raise EngineError(f"the Pulumi CLI does not fit: {error}", HOW_TO_INSTALL) from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise EngineError(f"the Pulumi CLI does not run: {error}", HOW_TO_INSTALL) from error


def install() -> PulumiCommand:
    """Install the CLI of the SDK's version with Pulumi's official installer, into `~/.pulumi/versions`."""
    try:
        return PulumiCommand.install()
    except (OSError, subprocess.CalledProcessError, InvalidVersionError) as error:
        raise EngineError(
            f"Pulumi's installer did not succeed: {error}.",
            "Check the network, or install it as https://www.pulumi.com/docs/install/ says.",
        ) from error


def _newest_installed() -> Path | None:
    versions = Path.home() / ".pulumi" / "versions"
    found = [root for root in versions.glob("*") if os.access(root / "bin" / "pulumi", os.X_OK)]
    return max(found, key=lambda root: _numbers(root.name), default=None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
