"""Models of every framework, built for every target, within its limits, and answering under its own runtime contract.

PyTorch is among them where there is a Python with torch; see test_torch.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import mlflow
import numpy as np
import pytest
import skl2onnx
import xgboost
import yaml
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lastmile_sls.build.check import check_project
from lastmile_sls.build.prepare import Prepared, prepare
from lastmile_sls.bundle.dependencies.elf import foreign_binaries
from lastmile_sls.plan.document import Target
from tests.conformance.test_torch import torch_python
from tests.lastmile_sls.bundle.oci.bases import BaseFolder
from tests.lastmile_sls.commands import PLACES

pytestmark = pytest.mark.conformance
TORCH = torch_python()
TARGETS: tuple[Target, ...] = ("local", "aws", "gcp", "azure")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
PLAIN = """
class Model:
    def predict(self, inputs):
        return {"total": [float(sum(row)) for row in inputs["x"]]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    base = BaseFolder(made / "base")
    base.tag(base.image())
    for name, model in {
        "boosting": GradientBoostingClassifier(n_estimators=20),
        "forest": RandomForestClassifier(20),
        "line": make_pipeline(StandardScaler(), LogisticRegression()),
        "bayes": GaussianNB(),
        "neighbours": KNeighborsClassifier(),
    }.items():
        joblib.dump(model.fit(X, Y), made / f"{name}.joblib")
    xgboost.XGBClassifier(n_estimators=10).fit(X, Y).save_model(made / "xgb.ubj")
    lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(X, Y).booster_.save_model(made / "lgbm.txt")
    line = LogisticRegression().fit(X, Y)
    (made / "line.onnx").write_bytes(
        skl2onnx.to_onnx(
            line, X[:1].astype(np.float32), options={id(line): {"zipmap": False}}
        ).SerializeToString()
    )
    mlflow.sklearn.save_model(
        GradientBoostingClassifier(n_estimators=5).fit(X, Y),
        made / "mlflow",
        serialization_format="cloudpickle",
    )
    (made / "plain.py").write_text(PLAIN)
    if TORCH:
        script = (
            "import torch; torch.manual_seed(0); "
            "model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)); "
            f"torch.jit.script(model.eval()).save({str(made / 'net.pt')!r})"
        )
        subprocess.run([TORCH, "-c", script], check=True)
    return made


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    place = tmp_path_factory.mktemp("places")
    if TORCH:
        os.environ["LASTMILE_TORCH_PYTHON"] = TORCH
    yield {**os.environ, "LASTMILE_HOME": str(place / "home")}
    os.environ.pop("LASTMILE_TORCH_PYTHON", None)
    shutil.rmtree(place)


def version(id_: str, artifact: str, framework: str = "sklearn", **more: Any) -> dict[str, Any]:
    return {"id": id_, "artifact": artifact, "framework": framework, "trusted": True, **more}


SETS = {
    "compiled": [
        version("boosting", "boosting.joblib"), version("forest", "forest.joblib"), version("line", "line.joblib"),
        version("xgb", "xgb.ubj", "xgboost"), version("lgbm", "lgbm.txt", "lightgbm"),
        version("mlflow", "mlflow", "mlflow"),
    ],
    "onnx": [version("onnx", "line.onnx", "onnx"), version("bayes", "bayes.joblib")],
    "as they are": [
        version("neighbours", "neighbours.joblib", compiled=False), version("boosting", "boosting.joblib", compiled=False),
        version("xgb", "xgb.ubj", "xgboost", compiled=False), version("lgbm", "lgbm.txt", "lightgbm", compiled=False),
    ],
    "plain": [version("plain", "plain.py", "python", entry="Model")],
    **({"torch": [version("net", "net.pt", "pytorch")]} if TORCH else {}),
}  # fmt: skip
SERVED_BY = {
    "compiled": {"trees", "pipeline"},
    "onnx": {"onnx"},
    "as they are": {"sklearn", "xgboost", "lightgbm"},
    "plain": {"python"},
    "torch": {"onnx"},
}
PAIRS = [
    (name, target)
    for name in SETS
    for target in TARGETS
    if name != "as they are" or target in ("local", "aws")
]
"""The frameworks themselves take minutes to install and to import; every cloud on x86-64 takes the same wheels of them."""
MOST_MB = {"compiled": 5, "onnx": 140, "as they are": 262, "plain": 5, "torch": 140}


def build(folder: Path, name: str, target: Target, environ: Mapping[str, str], **changes: Any) -> Prepared:
    versions = SETS[name]
    spec: dict[str, Any] = {
        "name": "models",
        "environment": name.replace(" ", "-"),
        "owner": "o",
        "cost_center": "c",
        "versions": versions,
        "traffic": {"champion": versions[0]["id"]},
        "resources": {"processor": "x86_64"},
        "targets": {**PLACES, "gcp": {**PLACES["gcp"], "base_image": "oci:base"}},
        **changes,
    }
    if name == "plain":
        spec["contract"] = {
            "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
            "outputs": [{"name": "total", "datatype": "FP64"}],
        }
    if name == "torch":
        spec["contract"] = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]}
    path = folder / f"{name.replace(' ', '-')}.yaml"
    path.write_text(yaml.safe_dump(spec))
    return prepare(path, target, environ)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the packages are for x86_64")
@pytest.mark.parametrize(("name", "target"), PAIRS)
def test_every_framework_for_every_target(
    folder: Path, environ: Mapping[str, str], name: str, target: Target
) -> None:
    prepared = build(folder, name, target, environ)
    assert {served.predictor for served in prepared.predictors} <= SERVED_BY[name]
    size = sum(path.stat().st_size for path in prepared.bundle("predict").rglob("*") if path.is_file())
    assert size < MOST_MB[name] * 1e6
    (checked,) = check_project(prepared, environ, starts=1).values()
    assert checked.passed, "\n".join(checked.summary())
    answered = [check.message for check in checked.checks if check.name.startswith("answers of ")]
    assert len(answered) == len(SETS[name]) * len(checked.results)
    assert all("5 as expected" in message for message in answered)


def test_packages_for_arm64_hold_nothing_else(folder: Path, environ: Mapping[str, str]) -> None:
    prepared = build(folder, "onnx", "aws", environ, resources={"processor": "arm64"})
    libraries = prepared.bundle("predict") / "libraries"
    assert len(list(libraries.rglob("*.so*"))) > 5
    assert foreign_binaries(libraries, "arm64") == []
    assert len(foreign_binaries(libraries, "x86_64")) > 5
