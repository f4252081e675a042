"""The spec's versions as they are bundled: what each takes and answers, and the predictor that was chosen for it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from lastmile_runtime.manifest import TensorSpec, Version
from lastmile_sls.bundle.cache import Cache, FileDigests, key_of
from lastmile_sls.bundle.needs import FREE
from lastmile_sls.bundle.served import Served
from lastmile_sls.certification.rows import Row
from lastmile_sls.compile import choice_file
from lastmile_sls.compile.choose import Choice, as_it_is, choose, served_files
from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection import mlflow
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts
from lastmile_sls.inspection.inspect import inspect
from lastmile_sls.inspection.sample import read_sample, rows_of
from lastmile_sls.spec import version as spec_version
from lastmile_sls.spec.contract import Column
from lastmile_sls.spec.model import Spec

MATRIX = "input"
TORCH_PYTHON = "LASTMILE_TORCH_PYTHON"
"""Names the Python that has torch, where the one that runs lastmile has none."""
_FACTS = "facts.json"
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


def describe(model: Choice) -> Served:
    """Return what is told about a version."""
    report = model.report
    return Served(
        model.version.id,
        model.version.predictor,
        model.size,
        report.rows if report else None,
        report.largest_difference if report else None,
        {refused.predictor: refused.why for refused in model.refused},
    )


def free_of_framework(models: Sequence[Choice]) -> list[str]:
    """Return the versions that need nothing of what they were trained with any more."""
    return [model.version.id for model in models if model.version.predictor in FREE]


Tell = Callable[[str], None]


def prepare_models(
    spec: Spec, folder: Path, scratch: Path, tell: Tell = lambda _: None, store: ChoiceStore | None = None
) -> list[Choice]:
    """Look at each version's model, and choose what serves it; return that in the spec's order.

    Args:
        spec: The spec; its files are there.
        folder: What its paths are relative to.
        scratch: A folder for what is compiled; it must outlive the result.
        tell: Told what is being done.
        store: Where choices are kept; those of unchanged models are taken from there.

    Raises LastmileError for a model that cannot be read, whose pickle could run code without being trusted, or
    that does not take what the spec's contract says.
    """
    return [_prepare(index, spec, folder, scratch, tell, store) for index in range(len(spec.versions))]


def _prepare(
    index: int, spec: Spec, folder: Path, scratch: Path, tell: Tell, store: ChoiceStore | None
) -> Choice:
    entry = spec.versions[index]
    place = scratch / "models" / entry.id
    place.mkdir(parents=True)
    field = f"versions[{index}]"
    artifact, framework, facts = _read(field, entry, spec, folder / entry.artifact, place, tell, store)
    inputs = _inputs(field, spec.contract.inputs, facts)
    columns = [column.name for column in inputs] if _is_table(framework, inputs) else []
    outputs = facts.outputs or _facts_of(spec.contract.outputs)
    original = Version(
        id=entry.id,
        predictor=framework,
        artifact=f"models/{entry.id}/{artifact.name}",
        entry=entry.entry,
        columns=columns,
        frame=entry.frame or facts.frame,
        inputs=_matrix(inputs) if columns else [_tensor(column) for column in inputs],
        outputs=[_tensor(column) for column in outputs],
    )
    rows: list[Row] = []
    if entry.sample and columns:
        datatypes = [column.datatype for column in inputs]
        rows = rows_of(facts, read_sample(folder / entry.sample), datatypes)

    def make(into: Path) -> Choice:
        if entry.compiled:
            return choose(original, artifact, inputs, into, sample=rows, tell=tell)
        return as_it_is(original, artifact, inputs, rows)

    if store is None:
        return make(place)
    return store.take([entry.compiled, original.to_json(), inputs, rows], artifact, make)


class ChoiceStore:
    """What former builds found out about models and chose for them, by all that it depends on."""

    def __init__(self, cache: Cache, digests: FileDigests, tools: Any) -> None:
        """`tools` is what chooses: lastmile's own digest, the libraries' versions, the interpreter."""
        self._cache = cache
        self._digests = digests
        self._tools = tools

    def facts(self, artifact: Path, asked: Any, look: Callable[[], ModelFacts]) -> ModelFacts:
        """Return what is known of a model, from a former build or found out now. Raises what `look` does."""
        key = key_of([self._tools, self._digests.of(artifact), asked])
        form = TypeAdapter(ModelFacts)

        def make(into: Path) -> None:
            (into / _FACTS).write_bytes(form.dump_json(look()))

        for _ in range(2):
            folder = self._cache.folder("facts", key, make)
            try:
                return form.validate_json((folder / _FACTS).read_bytes())
            except (OSError, ValueError):  # somebody changed it
                self._cache.drop("facts", key)
        return look()

    def take(self, asked: Any, artifact: Path, make: Callable[[Path], Choice]) -> Choice:
        """Return the choice for a model, from a former build or made now. Raises what `make` does."""
        files = [self._digests.of(path) for path in served_files(asked[1]["predictor"], artifact)]
        key = key_of([self._tools, files, json.loads(json.dumps(asked, default=asdict))])
        for _ in range(2):
            folder = self._cache.folder("models", key, lambda into: choice_file.write(make(into), into))
            try:
                return choice_file.read(folder, artifact)
            except (OSError, KeyError, TypeError, ValueError):  # somebody changed it
                self._cache.drop("models", key)
        return choice_file.read(folder, artifact)


def _read(
    field: str,
    entry: spec_version.Version,
    spec: Spec,
    artifact: Path,
    scratch: Path,
    tell: Tell,
    store: ChoiceStore | None,
) -> tuple[Path, str, ModelFacts]:
    """Return a version's model file, what runs it, and what is known of it."""
    if entry.framework == "mlflow" and mlflow.recognises(artifact):
        model = mlflow.open_folder(artifact, trust=entry.trusted)
        return model.artifact, model.framework, model.facts
    if entry.framework == "pytorch":
        from lastmile_sls.compile.torch_export import export

        tell(f"exporting {entry.id} to ONNX")
        exported = scratch / "model.onnx"
        names = [column.name for column in spec.contract.outputs]
        python = os.environ.get(TORCH_PYTHON) or sys.executable
        export(artifact, exported, _facts_of(spec.contract.inputs), names, python=python)
        return exported, "onnx", inspect(exported)

    def look() -> ModelFacts:
        return inspect(artifact, trust=entry.trusted, entry=entry.entry)

    facts = store.facts(artifact, [entry.trusted, entry.entry], look) if store else look()
    if facts.framework != entry.framework:
        raise LastmileError(
            f"{field}.framework is {entry.framework!r}, but {entry.artifact} is a model of {facts.framework!r}.",
            f"Write framework: {facts.framework}, or name another artifact.",
        )
    return artifact, entry.framework, facts


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
    return tuple(
        ColumnFacts(
            *(column.name, column.datatype, column.shape, column.minimum, column.maximum, column.categories)
        )
        for column in columns
    )


def _is_table(framework: str, inputs: tuple[ColumnFacts, ...]) -> bool:
    """A model with named columns takes a table; ONNX and plain classes take tensors as they are named."""
    if framework in ("onnx", "python"):
        return False
    return bool(inputs) and all(column.shape == (-1,) for column in inputs)


def _matrix(columns: tuple[ColumnFacts, ...]) -> list[TensorSpec]:
    """Return one matrix for a table of numbers, else one tensor per column."""
    if all(column.datatype in _NUMBERS for column in columns):
        return [TensorSpec(MATRIX, "FP64", [-1, len(columns)])]
    return [_tensor(column) for column in columns]


def _tensor(column: ColumnFacts) -> TensorSpec:
    return TensorSpec(column.name, column.datatype, list(column.shape))
