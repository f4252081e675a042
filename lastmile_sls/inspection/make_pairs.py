"""Writes `pairs.py`: what of the installed scikit-learn a pickle may name, added to what is there already.

Run it once under each supported version, oldest first, and check the result in:
`python -m lastmile_sls.inspection.make_pairs`. Nothing else imports this module.
"""

from __future__ import annotations

import inspect
import pkgutil
import warnings
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from lastmile_sls.inspection import pairs

Pair = tuple[str, str]

# Whole packages that no fitted model needs: tests, network, file readers, testing tools.
_SKIPPED = (
    "conftest",
    "tests",
    "_build_utils",
    "datasets",
    "externals",
    "_testing",
    "_mocking",
    "estimator_checks",
)
_ROOTS = {
    "sklearn.base": ("BaseEstimator",),
    "sklearn._loss.link": ("BaseLink", "Interval"),
    "sklearn._loss.loss": ("BaseLoss",),
    "sklearn.calibration": ("_CalibratedClassifier",),
    "sklearn.cluster._birch": ("_CFNode", "_CFSubcluster"),
    "sklearn.cluster._bisect_k_means": ("_BisectingTree",),
    "sklearn.compose._column_transformer": ("_RemainderColsList", "make_column_selector"),
    "sklearn.ensemble._hist_gradient_boosting.predictor": ("TreePredictor",),
    "sklearn.gaussian_process.kernels": ("Hyperparameter", "Kernel"),
    "sklearn.metrics._scorer": ("_BaseScorer", "_PassthroughScorer", "_MultimetricScorer"),
    "sklearn.model_selection._split": ("BaseCrossValidator", "BaseShuffleSplit"),
    "sklearn.neural_network._stochastic_optimizers": ("BaseOptimizer",),
    "sklearn.utils._bunch": ("Bunch",),
    "sklearn.utils._metadata_requests": ("MetadataRequest", "MethodMetadataRequest"),
}
_NATIVE = {
    "sklearn._loss._loss": "Cy",
    "sklearn.linear_model._sgd_fast": "",
    "sklearn.metrics._dist_metrics": "",
    "sklearn.neighbors._ball_tree": "BallTree",
    "sklearn.neighbors._kd_tree": "KDTree",
}
_SCORES = (
    "f_classif",
    "f_regression",
    "chi2",
    "r_regression",
    "mutual_info_classif",
    "mutual_info_regression",
)
_LINE = 100


def main() -> None:
    """Write the table beside this module."""
    tables = {
        "CLASSES": pairs.CLASSES | set(_classes()),
        "DISTANCES": pairs.DISTANCES | set(_native("metrics", "neighbors")),
        "NATIVE_LOSSES": pairs.NATIVE_LOSSES | set(_native("_loss", "linear_model")),
        "VALUES": pairs.VALUES | set(_values()) | set(_native("metrics", "neighbors")),
    }
    place = Path(__file__).with_name("pairs.py")
    place.write_text(_render(tables), encoding="utf-8")


def _modules() -> Iterator[ModuleType]:
    sklearn = import_module("sklearn")
    warnings.simplefilter("ignore")
    for found in pkgutil.walk_packages(sklearn.__path__, "sklearn."):
        if not set(found.name.split(".")) & set(_SKIPPED):
            yield import_module(found.name)


def _classes() -> Iterator[Pair]:
    roots = tuple(_roots())
    for module in _modules():
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and kind.__name__ == name and issubclass(kind, roots):
                yield module.__name__, name


def _roots() -> Iterator[Any]:
    for module, names in _ROOTS.items():
        found = import_module(module)
        yield from (getattr(found, name) for name in names if hasattr(found, name))


def _native(*packages: str) -> Iterator[Pair]:
    for name, prefix in _NATIVE.items():
        if name.split(".")[1] in packages:
            for found, kind in inspect.getmembers(import_module(name), inspect.isclass):
                # PyFuncDistance calls a function that its state holds.
                if kind.__module__ == name and found.startswith(prefix) and "PyFunc" not in found:
                    yield name, found


def _values() -> Iterator[Pair]:
    metrics, selection = import_module("sklearn.metrics"), import_module("sklearn.feature_selection")
    for name in metrics.__all__:
        function = getattr(metrics, name)
        if inspect.isfunction(function) and not name.startswith(("check_", "get_", "make_")):
            yield function.__module__, function.__name__
    for name in _SCORES:
        yield getattr(selection, name).__module__, name
    clusters = import_module("sklearn.cluster._kmeans")
    for name in ("_kmeans_single_elkan", "_kmeans_single_lloyd"):
        if hasattr(clusters, name):
            yield clusters.__name__, name


def _render(tables: dict[str, frozenset[Pair]]) -> str:
    parts = [_HEAD]
    for name, found in tables.items():
        parts.append(f'{name} = _read("""\n{"".join(_lines(found))}""")\n')
    return "\n".join(parts)


def _lines(found: Iterable[Pair]) -> Iterator[str]:
    modules: dict[str, list[str]] = {}
    for module, name in sorted(found):
        modules.setdefault(module, []).append(name)
    for module, names in modules.items():
        line = module
        for name in names:
            if len(line) + len(name) > _LINE:
                yield line + "\n"
                line = module
            line += f" {name}"
        yield line + "\n"


_HEAD = '''"""The names in scikit-learn's modules, from 1.5 on, that a model's pickle may hold: generated by `make_pairs`.

Each line is a module and names in it. The table is data, so it is longer than a module should be.
"""

from __future__ import annotations


def _read(text: str) -> frozenset[tuple[str, str]]:
    lines = (line.split() for line in text.splitlines())
    return frozenset((module, name) for module, *names in filter(None, lines) for name in names)

'''

if __name__ == "__main__":
    main()
