"""Builds a bundle: the runtime, the models and their manifest, the same bytes for the same spec and artifacts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import FILE, RUNTIME_FILES, Manifest, digest, hash_file, render, render_files
from lastmile_sls.bundle.app import FOLDER, app_files
from lastmile_sls.bundle.bytecode import RUNTIME, BytecodeError, compile_bundle
from lastmile_sls.bundle.libraries import FOLDER as LIBRARIES
from lastmile_sls.bundle.libraries import Libraries
from lastmile_sls.compile.choose import Choice
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.contract import Column
from lastmile_sls.spec.model import Spec


@dataclass(frozen=True)
class BuiltBundle:
    """A bundle on disk."""

    folder: Path
    digest: str
    """`sha256:` and the hash of the manifest, which holds the hash of every file."""
    libraries: Libraries | None = None
    """The packages in it."""
    place: str = LIBRARIES
    """The folder that they are in."""


@dataclass(frozen=True)
class Layout:
    """How a target wants a bundle's files."""

    libraries: str = LIBRARIES
    """The folder of its packages."""
    at_root: str | None = None
    """The folder of the runtime whose files lie at the bundle's root as well."""


LAYOUTS: dict[Target, Layout] = {
    "local": Layout(),
    "aws": Layout(),
    "gcp": Layout(),
    "azure": Layout(".python_packages/lib/site-packages", "adapters/azure_app"),
}


def build_bundle(
    spec: Spec,
    folder: Path,
    destination: Path,
    models: Sequence[Choice],
    *,
    is_router: bool = True,
    libraries: Libraries | None = None,
    interpreter: Path | None = Path(sys.executable),
    layout: Layout = LAYOUTS["local"],
) -> BuiltBundle:
    """Build the bundle of one function.

    Args:
        spec: The spec; its files are there.
        folder: What its paths are relative to.
        destination: Where to; must not exist.
        models: What its manifest says of the versions, and their files; those without are served elsewhere.
        is_router: Whether callers reach it: the contract is checked there, and the user's application runs there.
        libraries: The packages that it carries.
        interpreter: A Python of the function's version, which compiles it; None leaves it uncompiled.
        layout: How the target wants it.

    Raises LastmileError for an application that is not there, and ChangedError for packages that are not what they were.
    """
    versions = [model.version for model in models]
    app = spec.endpoint.app if is_router else None
    files = app_files(app, folder) if app else {}
    try:
        _copy_runtime(destination / RUNTIME)
        for model in models:
            for path in model.files:
                _copy(path, (destination / model.version.artifact).with_name(path.name))
        for name, path in files.items():
            _copy(path, destination / name)
        for path in sorted((destination / RUNTIME / layout.at_root).iterdir()) if layout.at_root else ():
            _copy(path, destination / path.name)
        if interpreter is not None:
            compile_bundle(destination, str(interpreter))
        hashes = _hashes(destination)
        runtime = {name: hashes.pop(name) for name in list(hashes) if name.startswith(f"{RUNTIME}/")}
        (destination / RUNTIME_FILES).write_bytes(render_files(runtime))
        hashes[RUNTIME_FILES] = hash_file(str(destination / RUNTIME_FILES))
        if libraries is not None:
            libraries.copy_to(destination / layout.libraries)
            hashes |= {f"{layout.libraries}/{name}": entry for name, entry in libraries.files.items()}
        contract = contract_rules(spec) if is_router else None
        named = f"{FOLDER}/{app}" if app else None
        place = layout.libraries if libraries is not None else None
        manifest = render(Manifest(spec.name, versions, hashes, contract, named, place))
        (destination / FILE).write_bytes(manifest)
        _set_modes(destination)
    except BytecodeError as error:
        raise LastmileError(f"the bundle could not be compiled: {error}") from error
    except OSError as error:
        raise LastmileError(
            f"the bundle could not be written: {error.strerror or error}.", "Free space, then run again."
        ) from error
    return BuiltBundle(destination, digest(manifest), libraries, layout.libraries)


def _set_modes(folder: Path) -> None:
    """Give all files the same rights, whatever the user's mask is."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def contract_rules(spec: Spec) -> dict[str, Any] | None:
    """Return the contract as the runtime checks it: the inputs that have a rule; None when none has."""
    rules = [found for column in spec.contract.inputs if (found := _rule(column))]
    return {"inputs": rules, "fallback": spec.contract.fallback} if rules else None


def _rule(column: Column) -> dict[str, Any]:
    """Return an input's rule; empty when whatever is sent is accepted and nothing was seen in training."""
    limits = {"minimum": column.minimum, "maximum": column.maximum, "categories": column.categories}
    known = {name: value for name, value in limits.items() if value is not None}
    actions = {"missing": column.missing, "out_of_range": column.out_of_range, "unknown": column.unknown}
    chosen = {name: action for name, action in actions.items() if action != "accept"}
    if not known and not chosen:
        return {}
    found = {"name": column.name, "datatype": column.datatype, **known, **chosen}
    return found if column.impute is None else {**found, "impute": column.impute}


def _copy(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, destination)


def _copy_runtime(destination: Path) -> None:
    found = find_spec(RUNTIME)
    assert found is not None
    assert found.origin is not None
    ignored = shutil.ignore_patterns("__pycache__", "py.typed")
    shutil.copytree(Path(found.origin).parent, destination, ignore=ignored, copy_function=shutil.copy)


def _hashes(folder: Path) -> dict[str, dict[str, Any]]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hash_file(str(path), path.stat().st_size) for path in files}
