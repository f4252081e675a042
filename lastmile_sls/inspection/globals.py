"""What a model's pickle may name, and what may be done with each name.

A pickle runs code in three ways: it calls what it names (REDUCE), makes an instance of a class that it
names (NEWOBJ), and hands a state to an instance (BUILD). So every exact, undotted (module, name) pair has a
role, and a pair without one is refused:

- `CALLS` are rebuilding functions; the ones called are ours (`rebuilders`), in place of the framework's.
- `CLASSES` may only be made empty, by `cls.__new__`, and be given a state. Those of scikit-learn derive from its
  own estimator, kernel, loss, scorer and splitter bases; their `__setstate__` stores attributes and calls
  nothing that the state holds (a test pins the few that define their own).
- `VALUES` are kept as they are and never called: array functions and metrics that a model holds on to.

Names of modules are never enough: `joblib.parallel` reaches `os.system`, `numpy.testing` has `runstring`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lastmile_sls.inspection import pairs, rebuilders

Pair = tuple[str, str]

_NUMPY_FUNCTIONS = [
    "abs",
    "absolute",
    "arccos",
    "arcsin",
    "arctan",
    "arctanh",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "deg2rad",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "log",
    "log10",
    "log1p",
    "log2",
    "mean",
    "median",
    "nan_to_num",
    "negative",
    "rad2deg",
    "reciprocal",
    "rint",
    "round",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]
_NUMPY_TYPES = [
    "bool",
    "bool_",
    "bytes_",
    "float16",
    "float32",
    "float64",
    "int16",
    "int32",
    "int64",
    "int8",
    "object_",
    "str_",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
]
_NUMPY_INTERNALS = ("numpy._core", "numpy.core")
"""numpy 2's name and numpy 1's, which every version reads."""
_SPARSE = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]

_LARGE = {("sklearn.gaussian_process.kernels", "Hyperparameter")}
"""Made as large as the file says; kernels make theirs anew, and keep none."""

CLASSES: frozenset[Pair] = pairs.CLASSES - _LARGE | {
    *((f"scipy.sparse._{kind}", f"{kind}_{form}") for kind in _SPARSE for form in ("matrix", "array")),
    ("scipy.interpolate._bsplines", "BSpline"),
    *(("lightgbm.sklearn", f"LGBM{name}") for name in ("Classifier", "Model", "Ranker", "Regressor")),
    *(("xgboost.sklearn", f"XGB{name}") for name in ("Classifier", "Model", "Ranker", "Regressor")),
    *(("xgboost.sklearn", f"XGBRF{name}") for name in ("Classifier", "Regressor")),
}
VALUES: frozenset[Pair] = pairs.VALUES | {
    ("numpy", "ndarray"),
    ("numpy", "matrix"),
    ("numpy", "memmap"),
    ("numpy.ma", "MaskedArray"),
    ("numpy.random._mt19937", "MT19937"),
    ("numpy.random._pcg64", "PCG64"),
    ("numpy.random.bit_generator", "SeedSequence"),
    ("scipy._lib.array_api_compat.numpy._aliases", "asarray"),
    *(("numpy", name) for name in (*_NUMPY_FUNCTIONS, *_NUMPY_TYPES)),
    *(("builtins", name) for name in ("bool", "dict", "float", "int", "list", "object", "str")),
}

CALLS: dict[Pair, Callable[..., Any]] = {
    **{(f"{core}.multiarray", "_reconstruct"): rebuilders.reconstruct for core in _NUMPY_INTERNALS},
    **{(f"{core}.multiarray", "scalar"): rebuilders.scalar for core in _NUMPY_INTERNALS},
    **{(f"{core}.numeric", "_frombuffer"): rebuilders.frombuffer for core in _NUMPY_INTERNALS},
    ("numpy", "dtype"): rebuilders.make_dtype,
    ("numpy.ma.core", "_mareconstruct"): rebuilders.masked_array,
    ("numpy.random._pickle", "__bit_generator_ctor"): rebuilders.bit_generator,
    ("numpy.random._pickle", "__randomstate_ctor"): rebuilders.random_state,
    ("numpy.random._pickle", "__generator_ctor"): rebuilders.generator,
    ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"): rebuilders.seed_sequence,
    ("sklearn.tree._tree", "Tree"): rebuilders.tree,
    **{
        (module, "newObj"): rebuilders.empty
        for module in (
            "sklearn.metrics._dist_metrics",
            "sklearn.neighbors._kd_tree",
            "sklearn.neighbors._ball_tree",
        )
    },
    **rebuilders.LOSS_MAKERS,
    **{
        (module, f"__pyx_unpickle_{name}"): rebuilders.rebuilt_loss((module, name))
        for module, name in rebuilders.LOSS_MAKERS
        if module in (rebuilders.LOSSES, rebuilders.LOSSES_BEFORE_1_9)
    },
    ("_codecs", "encode"): rebuilders.text_bytes,
    ("builtins", "bytearray"): rebuilders.byte_array,
    ("builtins", "bytes"): rebuilders.no_bytes,
    ("builtins", "set"): rebuilders.make_set,
    ("builtins", "slice"): rebuilders.make_slice,
    ("collections", "OrderedDict"): rebuilders.ordered,
    ("collections", "defaultdict"): rebuilders.defaulting,
}
