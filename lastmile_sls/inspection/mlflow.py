"""What an MLflow model folder says: which framework's file it holds, what that takes, and what it needs installed.

`MLmodel` is read as plain YAML, and the model's file by the framework's own reader here: nothing of MLflow is imported
and nothing in the folder is run (mlflow.org/docs/latest/ml/model/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection import lightgbm, onnx, sklearn, xgboost
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts

NAME = "mlflow"
LABEL = "MLflow (a folder with the file MLmodel)"
FILE = "MLmodel"
_REQUIREMENTS = "requirements.txt"
_MAX_BYTES = 4 << 20
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class _Flavor:
    """How MLflow keeps one framework's models."""

    key: str
    """The entry that names the model's file."""
    readers: tuple[ModuleType, ...]
    """Which frameworks' files it may be, in the order in which they are asked."""


_FLAVORS: dict[str, _Flavor] = {
    "sklearn": _Flavor("pickled_model", (sklearn,)),
    "xgboost": _Flavor("data", (xgboost, sklearn)),
    "lightgbm": _Flavor("data", (lightgbm, sklearn)),
    "onnx": _Flavor("data", (onnx,)),
}
_DATATYPES = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
    "string": "BYTES",
}
_WRAP = (
    "Save it in its own flavour (mlflow.sklearn, xgboost, lightgbm or onnx), or write a Python class with a predict "
    "method that loads it, framework: python."
)


class _Loader(yaml.SafeLoader):
    """Merges nothing into mappings: a few lines that merge each other would fill the memory."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave `<<` as it is, for which there is no value."""


@dataclass(frozen=True)
class MlflowModel:
    """The model in a folder."""

    artifact: Path
    """Its file."""
    framework: str
    """What runs the file: sklearn, xgboost, lightgbm or onnx."""
    facts: ModelFacts
    """What is known of it, as of a model of the framework `mlflow`."""


def recognises(path: Path, head: bytes = b"") -> bool:
    """Tell whether a path is an MLflow model folder, which has no first bytes."""
    return (path / FILE).is_file()


def read(path: Path, *, trust: bool = False) -> ModelFacts:
    """Return what the folder says. Raises LastmileError as `open_folder` does."""
    return open_folder(path, trust=trust).facts


def open_folder(path: Path, *, trust: bool = False) -> MlflowModel:
    """Return the model in a folder. A pickle in it can run no code, unless it is trusted.

    Raises LastmileError for a folder that is not whole, leads out of itself, or holds a model of a flavour that is not
    served, with the way out.
    """
    document = _document(path)
    name, entry = _flavor(document)
    artifact = _artifact(path, name, entry)
    reader = _reader(path, name, artifact)
    found: ModelFacts = reader.read(artifact, trust=trust)
    requirements, notes = _requirements(path, found)
    if _has(entry, "code"):
        notes = (*notes, f"Its own code, in {entry['code']!r}, is not taken along.")
    facts = _with_signature(path, document.get("signature"), found)
    facts = replace(facts, framework=NAME, requirements=requirements, notes=(*facts.notes, *notes))
    return MlflowModel(artifact, reader.NAME, facts)


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.load(_text(path, FILE), Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, AttributeError, LookupError, RecursionError, ValueError) as error:
        told = str(error).replace("\n", " ")
        raise LastmileError(f"{FILE} is not YAML: {told}", "Save the model again.") from error
    if not isinstance(document, dict) or not isinstance(document.get("flavors"), dict):
        raise LastmileError(f"{FILE} names no flavors.", "Save the model again with MLflow.")
    return document


def _flavor(document: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    flavors = document["flavors"]
    for name in _FLAVORS:
        if isinstance(flavors.get(name), dict):
            return name, flavors[name]
    known = ", ".join(_FLAVORS)
    pyfunc = flavors.get("python_function")
    loader = f", loaded by {pyfunc['loader_module']}" if _has(pyfunc, "loader_module") else ""
    raise LastmileError(
        f"{FILE} has the flavors {', '.join(map(str, flavors))}{loader}, but one of them must be of {known}.",
        _WRAP,
    )


def _artifact(path: Path, name: str, entry: Mapping[str, Any]) -> Path:
    """Return the model's file, which must be one in the folder."""
    field = f"{FILE}: flavors.{name}.{_FLAVORS[name].key}"
    told = entry.get(_FLAVORS[name].key)
    if not isinstance(told, str) or not told:
        shown = f"a {type(told).__name__}" if isinstance(told, (dict, list)) else repr(told)
        raise LastmileError(f"{field} is {shown}, but must name the model's file.", "Save the model again.")
    parts = told.split("/")
    if {"", ".", ".."} & set(parts) or "\\" in told or "\0" in told:
        raise LastmileError(
            f"{field} is {told!r}, but must be a path inside the folder.", "Save the model again."
        )
    artifact = path
    try:
        for part in parts:
            artifact /= part
            if artifact.is_symlink():
                raise LastmileError(
                    f"{field} is {told!r}, a link or behind one.", "Put the file itself there."
                )
        found = artifact.is_file()
    except OSError as error:  # a name that is too long
        raise LastmileError(f"{field} is {told!r}: {error.strerror}.", "Save the model again.") from error
    if not found:
        raise LastmileError(f"{field} is {told!r}, but there is no such file.", "Copy the whole folder.")
    return artifact


def _reader(path: Path, name: str, artifact: Path) -> Any:
    if artifact.suffix == ".skops":
        raise LastmileError(
            f"{path.name}/{artifact.name} is in the format skops, which is not read here.",
            f"Save it with mlflow.{name}.save_model(..., serialization_format='pickle').",
        )
    with artifact.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for reader in _FLAVORS[name].readers:
        if reader.recognises(artifact, head):
            return reader
    labels = " or ".join(reader.LABEL for reader in _FLAVORS[name].readers)
    raise LastmileError(
        f"{path.name}/{artifact.name} is of the flavor {name}, but not {labels}.", "Save the model again."
    )


def _requirements(path: Path, found: ModelFacts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what must be installed, and what is to be said of the rest. MLflow itself is not needed."""
    if not (path / _REQUIREMENTS).is_file():
        return found.requirements, ()
    kept, notes = [], []
    for number, line in enumerate(_text(path, _REQUIREMENTS).splitlines(), 1):
        told = line.partition(" #")[0].strip()
        if not told or told.startswith("#"):
            continue
        try:
            requirement = Requirement(told)
        except (InvalidRequirement, RecursionError):
            requirement = None
        if requirement is None or requirement.url:
            notes.append(f"{_REQUIREMENTS}:{number} is left out: it is no package by name and version.")
        elif not requirement.name.lower().startswith("mlflow"):
            kept.append(told)
    names = {Requirement(told).name.lower() for told in kept}
    missing = [told for told in found.requirements if Requirement(told).name.lower() not in names]
    return (*kept, *missing), tuple(notes)


def _with_signature(path: Path, signature: Any, found: ModelFacts) -> ModelFacts:
    """Return the facts with the signature's inputs, where the model itself says less."""
    columns = _columns(signature)
    if not columns:
        return found
    ours, theirs = [column.name for column in found.inputs], [column.name for column in columns]
    if not ours:
        return replace(found, inputs=columns, named=True)
    if found.named:
        if ours == theirs:
            return found
        return found.with_note(
            f"The signature's columns differ from the model's own, which are served: {_some(ours)}."
        )
    if len(ours) != len(theirs):
        raise LastmileError(
            f"{path.name}: the signature has {len(theirs)} columns, but the model takes {len(ours)}.",
            "Save the model again with the signature of what it was trained on.",
        )
    named = tuple(replace(column, name=name) for column, name in zip(found.inputs, theirs, strict=True))
    return replace(found, inputs=named, named=True)


def _columns(signature: Any) -> tuple[ColumnFacts, ...]:
    """Return the columns of a signature that has them; of tensors, or none that is understood, nothing."""
    told = signature.get("inputs") if isinstance(signature, dict) else None
    try:
        entries = json.loads(told) if isinstance(told, str) else None
    except (RecursionError, ValueError) as error:
        raise LastmileError(f"{FILE}: signature.inputs is not JSON.", "Save the model again.") from error
    if not isinstance(entries, list):
        return ()
    named = [
        entry
        for entry in entries
        if _has(entry, "name") and _has(entry, "type") and entry["type"] in _DATATYPES
    ]
    if len(named) < len(entries) or len({entry["name"] for entry in named}) < len(named):
        return ()
    return tuple(ColumnFacts(entry["name"], _DATATYPES[entry["type"]]) for entry in named)


def _has(entry: Any, key: str) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get(key), str)


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def _text(path: Path, name: str) -> str:
    file = path / name
    if file.is_symlink():
        raise LastmileError(f"{path.name}/{name} is a link.", "Put the file itself there.")
    if (size := file.stat().st_size) > _MAX_BYTES:
        raise LastmileError(f"{path.name}/{name} has {size} bytes, but at most {_MAX_BYTES} are read.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LastmileError(f"{path.name}/{name} is not UTF-8 text.", "Save the model again.") from error
