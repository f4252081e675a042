"""Looks at a model file: what made it, what goes in, what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection import lightgbm, onnx, python, sklearn, xgboost
from lastmile_sls.inspection.facts import ModelFacts
from lastmile_sls.inspection.sample import match, read_sample

_HEAD_BYTES = 4096


@dataclass(frozen=True)
class _Reader:
    label: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[..., ModelFacts]


_READERS = tuple(
    _Reader(module.LABEL, module.recognises, module.read)
    for module in (python, lightgbm, xgboost, sklearn, onnx)
)


def inspect(
    path: Path, *, sample: Path | None = None, trust: bool = False, entry: str | None = None
) -> ModelFacts:
    """Return what is found out about a model file, without running anything in it unless `trust` is given.

    Args:
        path: The model file.
        sample: A CSV file with rows as the model takes them.
        trust: Load a pickle whatever it does.
        entry: The class of a Python file.

    Raises LastmileError when the file is none that we know, or does not fit the sample.
    """
    reader = _reader(path)
    facts = (
        reader.read(path, trust=trust, entry=entry)
        if reader.read is python.read
        else reader.read(path, trust=trust)
    )
    if sample is None:
        return facts
    columns = match(sample, read_sample(sample), facts.inputs, named=facts.named)
    facts = replace(facts, inputs=columns)
    strings = [column.name for column in columns if column.datatype == "BYTES"]
    return replace(facts, frame=True) if strings and facts.framework == sklearn.NAME else facts


def _reader(path: Path) -> _Reader:
    if path.is_dir():
        raise LastmileError(f"{path} is a folder.", "Name the model file in it.")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise LastmileError(f"{path} cannot be read: {error.strerror}.") from error
    if not head:
        raise LastmileError(f"{path} is empty.")
    for reader in _READERS:
        if reader.recognises(path, head):
            return reader
    known = "; ".join(reader.label for reader in _READERS)
    raise LastmileError(f"{path.name} is no model file that we know.", f"Known are: {known}.")
