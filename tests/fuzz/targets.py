"""What is fuzzed: every reader of files that others made, each with what must hold for any bytes at all."""

from __future__ import annotations

import contextlib
import encodings
import functools
import importlib
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

from lastmile_runtime import forest_python, manifest
from lastmile_runtime.errors import BundleError
from lastmile_runtime.forest import evaluator, open_forest
from lastmile_runtime.manifest import Version
from lastmile_runtime.predictors import pipeline, trees
from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile import readers
from lastmile_sls.compile.forest import Forest
from lastmile_sls.compile.forest_file import render
from lastmile_sls.compile.onnx_external import total_bytes
from lastmile_sls.compile.torch_export import kind_of
from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection import globals as table
from lastmile_sls.inspection import python, sample, sklearn
from lastmile_sls.inspection.facts import ModelFacts, numbered_columns
from lastmile_sls.inspection.inspect import inspect, reader
from lastmile_sls.inspection.unpickler import read_pickle
from tests.fuzz import binary_mutators, mutators
from tests.fuzz.mutators import Mutator
from tests.fuzz.watch import only_reading
from tests.native import reference
from tests.native.evaluators import bits, outcome

ROWS = ([0.0, 1.0, -2.5], [math.nan, math.inf, -math.inf], [1e-36, 16777216.0, 1e300])
_MOST_VALUES = 2000
"""Rows of more columns are not evaluated."""


@dataclass(frozen=True)
class Target:
    """One reader, or several of the same files."""

    check: Callable[[bytes, Path], bool]
    """Writes the bytes to a folder and has them read; returns whether they were accepted.

    Whatever it raises is a finding.
    """
    mutate: Mutator = mutators.plain
    extra: dict[str, bytes] = field(default_factory=dict)
    """Files that lie beside the one that is changed."""


ALLOWED = ("import encodings.* *", "ctypes.dlopen None", "ctypes.dlsym *logf")
"""Text in a file's own encoding, and the C library's logarithm."""


def _accepts(content: bytes, path: Path, read: Callable[[Path], object], *allowed: str) -> bool:
    path.write_bytes(content)
    with only_reading(path.parent, len(content), (*ALLOWED, *allowed)):
        try:
            read(path)
        except (LastmileError, BundleError):
            return False
    return True


def _inspect(path: Path) -> None:
    """Inspect a file of any kind but a pickle, which has a target of its own."""
    if reader(path) is sklearn:
        raise LastmileError(f"{path.name} is a pickle.")
    inspect(path)


def _trees(framework: str, name: str, content: bytes, folder: Path) -> bool:
    """A tree model, once accepted, can be written, and evaluates as the plain reference does."""
    path = folder / name
    accepted = _accepts(content, path, _inspect)
    forests: list[Forest] = []
    if not _accepts(content, path, lambda path: forests.append(readers.read_file(path, framework))):
        return False
    forest = forests[0]
    (compiled := folder / "model.forest").write_bytes(render(forest))
    opened = open_forest(str(compiled))
    if forest.features * len(ROWS) <= _MOST_VALUES:
        rows = _rows(forest.features)
        margins, _ = opened.evaluate(rows)
        assert bits(margins) == bits(reference.margins(forest, rows))
        flat = [value for row in rows for value in row]
        inputs = [Tensor("input", "FP64", [len(rows), forest.features], flat)]
        answers = trees.load(str(compiled), Version("v1", "trees", compiled.name))(inputs)
        assert [answer.name for answer in answers] == [answer.name for answer in forest.answers]
    return accepted


def _rows(features: int) -> list[list[float]]:
    return [[*islice(cycle(row), features)] for row in ROWS]


def _forest(content: bytes, folder: Path) -> bool:
    """Both evaluators refuse a file in the same words, or evaluate it to the same bits."""
    path = folder / "model.forest"
    accepted = _accepts(content, path, lambda path: trees.load(str(path), Version("v1", "trees", path.name)))
    native, plain = (outcome(module.load, content) for module in (evaluator(), forest_python))
    assert native[0] == plain[0], (native, plain)
    if native[0] != "returned":
        assert native[1] == plain[1]
        return accepted
    if native[1].features * len(ROWS) <= _MOST_VALUES:
        rows = _rows(native[1].features)
        ours, theirs = (outcome(loaded.evaluate, rows) for loaded in (native[1], plain[1]))
        assert ours[0] == theirs[0], (ours, theirs)
        if ours[0] == "returned":
            assert [bits(numbers) for numbers in ours[1]] == [bits(numbers) for numbers in theirs[1]]
        else:
            assert ours[1] == theirs[1]
    return accepted


_TABLE = {*table.CALLS, *table.CLASSES, *table.VALUES}
_MODULES = sorted({module for module, _ in _TABLE})
"""A pickle may have these imported; all that are here are, before anything is read."""
_IMPORTS = tuple(f"import {module} *" for module in _MODULES)


def _pickle(content: bytes, folder: Path) -> bool:
    """Nothing but what is on the table is imported, and nothing run; joblib then does the same.

    But for boosters, which are native code's to load.
    """
    import joblib

    path = folder / "model.joblib"
    if not _accepts(content, path, sklearn.read, *_IMPORTS):
        return False
    if {"lightgbm", "xgboost"} & read_pickle(path).packages:
        return True
    with only_reading(folder, len(content), (*_IMPORTS, "pickle.find_class *")):
        joblib.load(path)
    return True


def _onnx(content: bytes, folder: Path) -> bool:
    path = folder / "model.onnx"
    accepted = _accepts(content, path, _inspect)
    return _accepts(content, path, total_bytes) or accepted


def _mlflow(content: bytes, folder: Path) -> bool:
    """The requirements, where there are any, follow MLmodel behind a zero byte."""
    told, parted, requirements = content.partition(b"\0")
    (folder / "requirements.txt").unlink(missing_ok=True)
    if parted:
        (folder / "requirements.txt").write_bytes(requirements)
    return _accepts(
        told, folder / "MLmodel", lambda path: inspect(path.parent), "compile * <unknown>", *_IMPORTS
    )


_FACTS = (
    ModelFacts("sklearn", inputs=numbered_columns(2), named=False),
    ModelFacts("xgboost", inputs=numbered_columns(2)),
    ModelFacts("xgboost", inputs=(*numbered_columns(1), *numbered_columns(1))),
    ModelFacts("python"),
)


def _sample(content: bytes, folder: Path) -> bool:
    def read(path: Path, facts: ModelFacts) -> None:
        found = sample.read_sample(path)
        merged = sample.add_sample(facts, found)
        sample.rows_of(merged, found, [column.datatype for column in merged.inputs])

    path = folder / "sample.csv"
    accepted = [_accepts(content, path, functools.partial(read, facts=facts)) for facts in _FACTS]
    return any(accepted)


def _pipeline(content: bytes, folder: Path) -> bool:
    def read(path: Path) -> None:
        pipeline.load(str(path), Version("v1", "pipeline", path.name))

    return _accepts(content, folder / "m", read)


_XGBOOST = (
    "binary:logistic", "multi:softprob", "multi:softmax", "reg:squarederror", "count:poisson", "binary:hinge", "gbtree",
    "dart", "[0.5,0.5]",
)  # fmt: skip
_LIGHTGBM = (
    b"objective=multiclass num_class:3", b"objective=poisson", b"objective=binary sigmoid:1", b"average_output", b"Tree=0",
    b"end of trees", b"num_tree_per_iteration=3", b"is_linear=1", b"cat_boundaries=0 1", b"cat_threshold=7", b"num_cat=1",
)  # fmt: skip
_PYTHON = (
    b"class A:\n    def predict(self, x): pass", b"import os.path, numpy as np", b"from . import a", b"# coding: latin-1",
    b"# coding: rot13", b"x = [[[[", b"'''", b"\\", b"f'{a!r:{b}}'", b"async def f(): pass", b"match a:\n  case [*_]: 1",
)  # fmt: skip
_YAML = (
    b"a: &a [1]", b"b: *a", b"<<: *a", b"&a", b"*a", b"!!timestamp 2001-99-99", b"!!int x", b"!!binary x", b"? [a]", b"|",
    b"- - - - -", b"flavors: {lightgbm: {data: model.lgb}}", b"2001-13-41", b"1:60:60", b"=", b"!!float _", b"0b_", b"0x_",
    b"model.lgb", b"sklearn>=1; python_version > '3'", b"a @ https://b/c", b"mlflow==3", b"[[[[[[[[[[[[[[[[", b"\"\\ud800\"",
)  # fmt: skip
_CSV = (
    b'"',
    b'""',
    b"nan",
    b"true",
    b"01",
    b"1e999",
    b"\r",
    b"a,b",
    b"1;2",
    b"\xef\xbb\xbf",
    b"\0",
    b"99999999999999999",
)

TARGETS: dict[str, Target] = {
    "xgboost-json": Target(
        functools.partial(_trees, "xgboost", "model.json"),
        functools.partial(mutators.json_document, tokens=_XGBOOST),
    ),
    "xgboost-ubj": Target(
        functools.partial(_trees, "xgboost", "model.ubj"),
        functools.partial(mutators.ubjson_document, tokens=_XGBOOST),
    ),
    "lightgbm": Target(
        functools.partial(_trees, "lightgbm", "model.txt"),
        functools.partial(mutators.lines, tokens=_LIGHTGBM),
    ),
    "pickle": Target(_pickle, binary_mutators.pickled),
    "onnx": Target(_onnx, binary_mutators.protobuf, {"weights.bin": bytes(64)}),
    "mlflow": Target(
        _mlflow,
        functools.partial(mutators.lines, tokens=_YAML),
        {"model.lgb": b"tree\nmax_feature_idx=1\nfeature_names=a b\nobjective=binary\n"},
    ),
    "python": Target(
        lambda content, folder: _accepts(
            content,
            folder / "model.py",
            lambda path: (inspect(path), python.find_entry(path, None)),
            "compile * *model.py",
        ),
        functools.partial(mutators.lines, tokens=_PYTHON),
    ),
    "sample": Target(_sample, functools.partial(mutators.lines, tokens=_CSV)),
    "torch": Target(lambda content, folder: _accepts(content, folder / "model.pt", kind_of)),
    "pipeline": Target(_pipeline, mutators.json_document),
    "forest": Target(_forest),
    "manifest": Target(
        lambda content, folder: _accepts(
            content, folder / "manifest.json", lambda path: manifest.parse(path.read_bytes())
        ),
        mutators.json_document,
    ),
}


_WITH_PICKLES = ("mlflow", "pickle")


def import_first(name: str) -> None:
    """Import what may be imported while a target reads, so that it is not then: codecs, and what pickles name."""
    modules = [f"encodings.{module.name}" for module in pkgutil.iter_modules(encodings.__path__)]
    modules += ["email.parser", *(_MODULES if name in _WITH_PICKLES else ())]
    for module in modules:
        # Some are another system's codecs, or another version's of scikit-learn.
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
