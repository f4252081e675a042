"""Writes a Pulumi project: `Pulumi.yaml`, a constant `__main__.py`, `plan.json`, and the bundles beside them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from lastmile_sls.bootstrap import document as bootstrap
from lastmile_sls.bootstrap.document import BootstrapPlan
from lastmile_sls.engine.interface import Program
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Plan, render

MAIN = '''\
"""Carries out plan.json beside this file. lastmile writes the plan; `pulumi up` here does the rest."""

from pathlib import Path

import lastmile_infra

lastmile_infra.deploy(Path(__file__).resolve().parent / "plan.json")
'''
BOOTSTRAP_MAIN = '''\
"""Carries out plan.json beside this file: what the models of an account share. lastmile writes the plan."""

from pathlib import Path

import lastmile_infra.bootstrap

lastmile_infra.bootstrap.deploy(Path(__file__).resolve().parent / "plan.json")
'''
PLAN = "plan.json"
_COMPONENTS = "lastmile_infra"


def write_program(
    plan: Plan,
    bundles: Mapping[str, Path],
    folder: Path,
    *,
    eject: bool = False,
) -> Program:
    """Write the project into the folder; what is already right is left as it is.

    Args:
        plan: The plan.
        bundles: The built bundle of each function, by the path that the plan gives it; they are moved there.
        folder: Where to; made when missing.
        eject: Copy the components in as well, so that the project runs them and not the installed ones.

    Raises LastmileError when the folder cannot be written, or holds ejected components that `eject` would overwrite.
    """
    if eject and (folder / _COMPONENTS).exists():
        raise LastmileError(
            f"{folder / _COMPONENTS} is there already, and may hold changes of yours.",
            "Leave --eject out to keep it, or move it away to eject anew.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, bundle in bundles.items():
            _move(bundle, folder / path)
        if eject:
            _eject(folder)
        _write_files(folder, render(plan), MAIN, _settings(plan, folder))
    except OSError as error:
        raise _unwritable(folder, error) from error
    return Program(folder, plan["project"], plan["stack"])


def write_bootstrap(plan: BootstrapPlan, folder: Path) -> Program:
    """Write the project of what an account shares; what is already right is left as it is.

    Raises LastmileError when the folder cannot be written.
    """
    description = f"what the models in {plan['account']} on {plan['target']} share, written by lastmile"
    settings = _basic_settings(plan["project"], description, folder)
    if plan["backend"]:
        settings["backend"] = {"url": plan["backend"]}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_files(folder, bootstrap.render(plan), BOOTSTRAP_MAIN, settings)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return Program(folder, plan["project"], plan["stack"])


def write_plan(plan: Plan, folder: Path) -> None:
    """Write the plan of a project that is there. Raises LastmileError."""
    try:
        _write(folder / PLAN, render(plan))
    except OSError as error:
        raise _unwritable(folder, error) from error


def _write_files(folder: Path, plan: str, main: str, settings: Mapping[str, Any]) -> None:
    _write(folder / PLAN, plan)
    _write(folder / "__main__.py", main)
    _write(folder / "Pulumi.yaml", yaml.safe_dump(settings, sort_keys=False))


def _unwritable(folder: Path, error: OSError) -> LastmileError:
    return LastmileError(
        f"the Pulumi project in {folder} could not be written: {error.strerror or error}.",
        "Free space or mend the folder's rights, then run again.",
    )


def _settings(plan: Plan, folder: Path) -> dict[str, Any]:
    description = f"{plan['project']} on {plan['target']}, written by lastmile"
    ours = {"name": "lastmile", "path": _near(Path(sys.executable).parent, folder)}
    return {**_basic_settings(plan["project"], description, folder), "plugins": {"providers": [ours]}}


def _basic_settings(name: str, description: str, folder: Path) -> dict[str, Any]:
    runtime = {"name": "python", "options": runtime_options(folder)}
    return {"name": name, "description": description, "runtime": runtime}


def runtime_options(folder: Path) -> dict[str, str]:
    """Return Pulumi's options to find the interpreter that runs this, with no virtual environment active."""
    if sys.prefix == sys.base_prefix:
        return {}
    return {"virtualenv": _near(Path(sys.prefix), folder)}


def _near(path: Path, folder: Path) -> str:
    """Return the path relative to the folder when the virtual environment lies in one of its parents, else absolute.

    So a project that lies in a repository beside its virtual environment runs on every checkout.
    """
    folder = folder.resolve()
    return os.path.relpath(path, folder) if Path(sys.prefix).parent in folder.parents else str(path)


def _eject(folder: Path) -> None:
    spec = find_spec(_COMPONENTS)
    if spec is None or spec.origin is None:
        raise LastmileError(f"{_COMPONENTS} is not installed.", "Install lastmile-sls anew.")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(spec.origin).parent, folder / _COMPONENTS, ignore=ignore)


def _move(source: Path, destination: Path) -> None:
    """Put a bundle into its place; one that is there already, whole and the same, stays."""
    if destination.is_dir() and _same(source, destination):
        return
    old = destination.with_name(f".{destination.name}.old")
    half = destination.with_name(f".{destination.name}.new")
    for path in (old, half):
        shutil.rmtree(path, ignore_errors=True)
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, half)
    if destination.exists():
        destination.rename(old)
    half.rename(destination)
    shutil.rmtree(old, ignore_errors=True)


def _same(source: Path, destination: Path) -> bool:
    """Tell whether two bundles have the same manifest and hold files of the same names and sizes."""
    if not (destination / "manifest.json").is_file():
        return False
    if (destination / "manifest.json").read_bytes() != (source / "manifest.json").read_bytes():
        return False
    return _sizes(source) == _sizes(destination)


def _sizes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.lstat().st_size for path in folder.rglob("*") if path.is_file()
    }


def _write(path: Path, content: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return
    half = path.with_name(f".{path.name}.new")
    half.write_text(content, encoding="utf-8")
    half.replace(path)
