"""Real frameworks, installed as for a function and stripped, still import all of themselves and predict the same."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lastmile_sls.bundle.dependencies.elf import MACHINES, foreign_binaries, machine
from lastmile_sls.bundle.dependencies.environment import Environment, Processor
from lastmile_sls.bundle.dependencies.install import Installed, install
from lastmile_sls.bundle.dependencies.resolve import resolve
from lastmile_sls.bundle.dependencies.strip import Stripped, strip
from lastmile_sls.bundle.dependencies.symbols import without_symbols
from tests.lastmile_sls.bundle.dependencies.libraries import loaded

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(
        sys.platform != "linux", reason="functions run on Linux, and what they load is run here"
    ),
]

LAMBDA_LIMIT = 250 * 1024 * 1024
"""Bytes of an unzipped function (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
ROWS = "rng = np.random.default_rng(1)\nX = rng.normal(size=(200, 6))\ny = (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)\n"
SCIKIT_LEARN = """
import numpy.testing, scipy.stats, sklearn.utils._testing
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVC
scale = ColumnTransformer([("a", StandardScaler(), [0, 1, 2]), ("b", QuantileTransformer(n_quantiles=50), [3, 4, 5])])
models = [LogisticRegression(), GradientBoostingClassifier(n_estimators=20, random_state=1), KNeighborsClassifier(),
          HistGradientBoostingClassifier(max_iter=20), RandomForestClassifier(n_estimators=20, random_state=1), SVC()]
answers = [make_pipeline(scale, model).fit(X, y).predict(X).tolist() for model in models]
answers.append(scipy.stats.norm.cdf(X).tolist())
"""
XGBOOST = """
import xgboost
model = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(X, y), 20)
answers = model.predict(xgboost.DMatrix(X)).tolist()
"""
LIGHTGBM = """
import lightgbm
options = {"objective": "binary", "num_threads": 1, "deterministic": True, "verbose": -1}
answers = lightgbm.train(options, lightgbm.Dataset(X, y), 20).predict(X).tolist()
"""
ONNXRUNTIME = """
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
answers = session.run(None, {"x": X.astype(np.float32)})[0].tolist()
"""
PREDICT = {
    "scikit-learn": SCIKIT_LEARN,
    "xgboost-cpu": XGBOOST,
    "lightgbm": LIGHTGBM,
    "onnxruntime": ONNXRUNTIME,
}
IMPORT_ALL = """
import pkgutil, importlib, os, sys, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
out, sys.stdout = sys.stdout, open(os.devnull, "w")
sys.argv = ["nobody"]
sides = ("tests", "test", "docs", "doc")
def walk(path, prefix):
    for found in pkgutil.iter_modules(path, prefix):
        last = found.name.rpartition(".")[2]
        if last in sides or last in ("__main__", "conftest") or "setup" in last:
            continue
        try:
            module = importlib.import_module(found.name)
        except BaseException:
            continue
        names.append(found.name)
        if found.ispkg:
            walk(module.__path__, found.name + ".")
names = []
walk([sys.path[0]], "")
out.write(__import__("json").dumps(sorted(names)))
out.flush()
os._exit(0)
"""


def here() -> Environment:
    """Return this machine as a function's environment."""
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    if name != "glibc":
        pytest.skip("wheels are chosen for glibc")
    processor: Processor = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Environment(python, processor, f"manylinux_{version.replace('.', '_')}")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two layers."""
    rng = np.random.default_rng(2)
    weights = [rng.normal(size=shape).astype(np.float32) for shape in ((6, 16), (16, 2))]
    held = [helper.make_tensor(f"w{i}", TensorProto.FLOAT, w.shape, w.ravel()) for i, w in enumerate(weights)]
    nodes = [
        helper.make_node("MatMul", ["x", "w0"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w1"], ["c"]),
        helper.make_node("Softmax", ["c"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, s]) for n, s in (("x", 6), ("y", 2))]
    graph = helper.make_graph(nodes, "layers", values[:1], values[1:], held)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    onnx.save(made, str(path))
    return path


@dataclass(frozen=True)
class Framework:
    """A framework that was installed, used, stripped, and used again."""

    installed: Installed
    stripped: Stripped
    answers: tuple[str, str]
    """Before and after."""
    modules: tuple[list[str], list[str]]
    """What could be imported, before and after."""


def run(program: str, *arguments: str) -> str:
    command = [sys.executable, "-I", "-S", "-B", "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def predict(name: str, folder: Path, model: Path) -> str:
    head = "import json, sys\nsys.path.insert(0, sys.argv[1])\nimport numpy as np\n"
    return run(f"{head}{ROWS}{PREDICT[name]}\nprint(json.dumps(answers))", str(folder), str(model))


@pytest.fixture(scope="module", params=PREDICT)
def framework(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, model: Path
) -> Framework:
    name, folder = request.param, tmp_path_factory.mktemp("framework") / "site"
    installed = install(resolve([name], here()), folder)
    before, modules = predict(name, folder, model), json.loads(run(IMPORT_ALL, str(folder)))
    stripped = strip(folder)
    after = predict(name, folder, model), json.loads(run(IMPORT_ALL, str(folder)))
    return Framework(installed, stripped, (before, after[0]), (modules, after[1]))


def test_it_predicts_the_same(framework: Framework) -> None:
    before, after = framework.answers
    assert len(json.loads(before)) > 5
    assert after == before


def test_whatever_could_be_imported_still_can(framework: Framework) -> None:
    before, after = framework.modules
    assert len(before) > 100
    assert after == before


def test_symbols_are_worth_taking_out(framework: Framework) -> None:
    """`lastmile_sls.bundle.dependencies.strip` says what was measured."""
    reasons = framework.stripped.bytes_by_reason
    assert framework.stripped.total_bytes > 0.15 * framework.installed.size_bytes
    assert reasons["symbols"] > 0.01 * framework.installed.size_bytes


def test_metadata_and_licences_are_there(framework: Framework) -> None:
    folder = framework.installed.folder
    find = "from importlib.metadata import version; print(version(sys.argv[2]))"
    for package in framework.installed.packages:
        told = run(f"import sys; sys.path.insert(0, sys.argv[1]); {find}", str(folder), package.name)
        assert told.strip() == package.version
    assert list(folder.rglob("LICENSE*"))


def test_it_is_well_below_the_limit_of_lambda(framework: Framework) -> None:
    left = framework.installed.size_bytes - framework.stripped.total_bytes
    assert left == sum(
        path.stat().st_size for path in framework.installed.folder.rglob("*") if path.is_file()
    )
    assert left < 0.75 * LAMBDA_LIMIT


@pytest.fixture(scope="module", params=get_args(Processor))
def function(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """All frameworks for a function on either processor, wherever this runs."""
    environment = Environment("3.13", request.param, "manylinux_2_34")
    return install(resolve(list(PREDICT), environment), tmp_path_factory.mktemp(request.param) / "site")


def test_either_processor_is_installed_for_and_loads_what_it_loaded(function: Installed) -> None:
    processor: Processor = "arm64" if list(function.folder.rglob("*aarch64-linux-gnu.so")) else "x86_64"
    binaries = [
        path for path in function.folder.rglob("*") if path.is_file() and machine(path) == MACHINES[processor]
    ]
    assert len(binaries) > 150
    assert foreign_binaries(function.folder, processor) == []
    for path in binaries:
        before = path.read_bytes()
        after = without_symbols(before)
        assert [without_headers(data, before) for _, _, data in loaded(before)] == [
            without_headers(data, after) for _, _, data in loaded(after)
        ]
        assert [place[:2] for place in loaded(before)] == [place[:2] for place in loaded(after)]


def without_headers(data: bytes, content: bytes) -> bytes:
    """Return loaded bytes without the file's own headers, which say where things are in the file."""
    segments, at = (int.from_bytes(content[start : start + 8], "little") for start in (32, 40))
    counts = [int.from_bytes(content[start : start + 2], "little") for start in (56, 60)]
    for start, size in ((0, 64), (segments, 56 * counts[0]), (at, 64 * counts[1])):
        data = data.replace(content[start : start + size], b"")
    return data


def test_what_the_image_must_have_is_told(function: Installed) -> None:
    assert function.system_libraries == {"libgomp.so.1": "lightgbm/lib/lib_lightgbm.so"}
