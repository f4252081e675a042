"""Finds the module that makes a target's resources, and imports it, with its cloud's SDK, when it is asked for."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from types import ModuleType

import pulumi


def module_for(package: str, target: str, targets: Collection[str]) -> ModuleType:
    """Return `PACKAGE.TARGET`.

    Raises ValueError for what is none of the targets, and RunError, which says what to install, when the SDK is missing.
    """
    if target not in targets:
        raise ValueError(f"target is {target!r}, but it must be one of {list(targets)}.")
    try:
        return import_module(f"{package}.{target}")
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("pulumi_"):
            raise
        raise pulumi.RunError(
            f"{error.name} is not installed. Install it: pip install 'lastmile-sls[{target}]'"
        ) from error
