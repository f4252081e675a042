"""Builds a bundle: the runtime, the models and their manifest, the same bytes for the same spec and artifacts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import FILE, Manifest, TensorSpec, Version, digest, hash_file, render
from lastmile_sls.bundle.app import FOLDER, app_files
from lastmile_sls.bundle.bytecode import RUNTIME, BytecodeError, compile_bundle
from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts
from lastmile_sls.inspection.inspect import inspect
from lastmile_sls.spec import version as spec_version
from lastmile_sls.spec.contract import Column
from lastmile_sls.spec.model import Spec

MATRIX = "input"
_NUMBERS = (
    "BOOL",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "FP16",
    "FP32",
    "FP64",
)


@dataclass(frozen=True)
class BuiltBundle:
    """A bundle on disk."""

    folder: Path
    digest: str
    """`sha256:` and the hash of the manifest, which holds the hash of every file."""


def describe_versions(spec: Spec, folder: Path) -> list[Version]:
    """Return what the manifest of a function that serves them says of the spec's versions.

    Raises LastmileError for a model that cannot be read, whose pickle could run code without being trusted, or
    that does not take what the spec's contract says.
    """
    return [_version(index, spec, folder) for index in range(len(spec.versions))]


def build_bundle(
    spec: Spec,
    folder: Path,
    destination: Path,
    versions: Sequence[Version] | None = None,
    *,
    is_router: bool = True,
) -> BuiltBundle:
    """Build the bundle of one function.

    Args:
        spec: The spec; its files are there.
        folder: What its paths are relative to.
        destination: Where to; must not exist.
        versions: What its manifest says of them; those without an artifact are served elsewhere. By default, it
            serves all of the spec's (`describe_versions`).
        is_router: Whether callers reach it: the contract is checked there, and the user's application runs there.

    Raises LastmileError as `describe_versions` does, and for an application that is not there.
    """
    versions = describe_versions(spec, folder) if versions is None else list(versions)
    artifacts = {entry.id: folder / entry.artifact for entry in spec.versions}
    app = spec.endpoint.app if is_router else None
    files = app_files(app, folder) if app else {}
    try:
        _copy_runtime(destination / RUNTIME)
        for version in versions:
            if version.artifact:
                _copy(artifacts[version.id], destination / version.artifact)
        for name, path in files.items():
            _copy(path, destination / name)
        compile_bundle(destination)
        contract = contract_rules(spec) if is_router else None
        named = f"{FOLDER}/{app}" if app else None
        manifest = render(Manifest(spec.name, versions, _hashes(destination), contract, named))
        (destination / FILE).write_bytes(manifest)
    except BytecodeError as error:
        raise LastmileError(f"the bundle could not be compiled: {error}") from error
    except OSError as error:
        raise LastmileError(
            f"the bundle could not be written: {error.strerror or error}.", "Free space, then run again."
        ) from error
    return BuiltBundle(destination, digest(manifest))


def _version(index: int, spec: Spec, folder: Path) -> Version:
    entry = spec.versions[index]
    field = f"versions[{index}]"
    facts = _read(field, entry, folder / entry.artifact)
    inputs = _inputs(field, spec.contract.inputs, facts)
    columns = [column.name for column in inputs] if _is_table(entry, inputs) else []
    outputs = facts.outputs or _facts_of(spec.contract.outputs)
    return Version(
        id=entry.id,
        predictor=entry.framework,
        artifact=f"models/{entry.id}/{Path(entry.artifact).name}",
        entry=entry.entry,
        columns=columns,
        frame=entry.frame or facts.frame,
        inputs=_matrix(inputs) if columns else [_tensor(column) for column in inputs],
        outputs=[_tensor(column) for column in outputs],
    )


def _read(field: str, entry: spec_version.Version, artifact: Path) -> ModelFacts:
    facts = inspect(artifact, trust=entry.trusted, entry=entry.entry)
    if facts.framework != entry.framework:
        raise LastmileError(
            f"{field}.framework is {entry.framework!r}, but {entry.artifact} is a model of {facts.framework!r}.",
            f"Write framework: {facts.framework}, or name another artifact.",
        )
    return facts


def _inputs(field: str, contract: tuple[Column, ...], facts: ModelFacts) -> tuple[ColumnFacts, ...]:
    """Return the model's inputs, under the contract's names where the model knows only how many it takes."""
    if not contract:
        return facts.inputs
    if not facts.inputs:
        return _facts_of(contract)
    theirs, ours = [c.name for c in facts.inputs], [c.name for c in contract]
    if len(theirs) != len(ours) or (facts.named and theirs != ours):
        raise LastmileError(
            f"{field} takes {len(theirs)} inputs, {_some(theirs)}, but contract.inputs has {len(ours)}, {_some(ours)}.",
            "Make them the same, in the model's order; all versions of a deployment take the same inputs.",
        )
    return _facts_of(contract)


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def _facts_of(columns: tuple[Column, ...]) -> tuple[ColumnFacts, ...]:
    return tuple(ColumnFacts(column.name, column.datatype, column.shape) for column in columns)


def _is_table(entry: spec_version.Version, inputs: tuple[ColumnFacts, ...]) -> bool:
    """A model with named columns takes a table; ONNX and plain classes take tensors as they are named."""
    if entry.framework in ("onnx", "python"):
        return False
    return bool(inputs) and all(column.shape == (-1,) for column in inputs)


def _matrix(columns: tuple[ColumnFacts, ...]) -> list[TensorSpec]:
    """Return one matrix for a table of numbers, else one tensor per column."""
    if all(column.datatype in _NUMBERS for column in columns):
        return [TensorSpec(MATRIX, "FP64", [-1, len(columns)])]
    return [_tensor(column) for column in columns]


def _tensor(column: ColumnFacts) -> TensorSpec:
    return TensorSpec(column.name, column.datatype, list(column.shape))


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
