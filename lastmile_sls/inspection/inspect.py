"""Looks at a model file: which framework made it, and what it takes and answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection import lightgbm, mlflow, onnx, python, sklearn, xgboost
from lastmile_sls.inspection.facts import ModelFacts
from lastmile_sls.inspection.sample import add_sample, read_sample

_HEAD_BYTES = 4096


class Reader(Protocol):
    """What each framework's module has."""

    NAME: str
    LABEL: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell whether a file, by its first bytes, is the framework's."""

    def read(self, path: Path, *, trust: bool = False) -> ModelFacts:
        """Return what the file says, without running anything in it unless it is trusted."""


_READERS: tuple[Reader, ...] = (lightgbm, xgboost, onnx, python, sklearn)
"""In the order in which they are asked; a pickle's first byte says least, so it comes last."""


def inspect(
    path: Path, *, sample: Path | None = None, trust: bool = False, entry: str | None = None
) -> ModelFacts:
    """Return what is known about a model file.

    Args:
        path: The file; or an MLflow model folder.
        sample: A CSV file with a header and rows as the model takes them.
        trust: Load a pickle in the ordinary way, which runs whatever code it holds.
        entry: The predictor's class, when a Python file has several.

    Raises LastmileError for a file that no framework's reader recognises or that its reader refuses, and for a
    sample that does not match.
    """
    found = reader(path)
    facts = found.read(path, trust=trust)
    if found.NAME == python.NAME:
        facts = replace(facts, entry=python.find_entry(path, entry))
    elif entry is not None:
        raise LastmileError(f"--entry is {entry!r}, but {path.name} is {found.LABEL}.", "Leave --entry out.")
    return facts if sample is None else add_sample(facts, read_sample(sample))


def reader(path: Path) -> Reader:
    """Return the module that reads a file. Raises LastmileError, listing what is recognised, when none does."""
    if mlflow.recognises(path):
        return mlflow
    head = _head(path)
    for candidate in _READERS:
        if candidate.recognises(path, head):
            return candidate
    labels = "\n".join(f"  {candidate.LABEL}" for candidate in _READERS)
    raise LastmileError(
        f"{path.name} is no model file that lastmile recognises.", f"It recognises:\n{labels}"
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except IsADirectoryError:
        raise LastmileError(f"{path} is a folder.", "Name the model file in it.") from None
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror}.", "Name the model file.") from error
    if not head:
        raise LastmileError(f"{path.name} is empty.", "Save the model again.")
    return head
