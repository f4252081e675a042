"""From a model file that each framework wrote, through `lastmile init` and `up`, to the model's own predictions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
import xgboost
from sklearn.linear_model import LogisticRegression, Ridge

from tests.lastmile_sls.commands import Workspace, ask

pytestmark = pytest.mark.conformance
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 4))
BINARY = (X[:, 0] + X[:, 1] > 0).astype(int)
MANY = np.digitize(X[:, 0], [-0.5, 0.5])
ROWS = X[:10]


def deploy(work: Workspace, artifact: str, *options: str) -> None:
    (work.folder / "lastmile.yaml").unlink()
    work.run("init", artifact, "--name", "model", *options)
    with (work.folder / "lastmile.yaml").open("a") as spec:
        spec.write(f"\ntargets: {{local: {{port: {work.port}}}}}\n")
    work.run("up")


def infer(work: Workspace, tensors: list[dict[str, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    url, key = work.run("url").stdout.strip(), work.run("key").stdout.strip()
    answer = ask(f"{url}/v2/models/model/infer", {"x-api-key": key}, {"inputs": tensors})
    assert answer.status == 200, answer.document
    return {o["name"]: np.array(o["data"]).reshape(o["shape"]) for o in answer.document["outputs"]}


def matrix(rows: Any, name: str = "input", datatype: str = "FP64") -> list[dict[str, Any]]:
    return [{"name": name, "shape": list(rows.shape), "datatype": datatype, "data": rows.ravel().tolist()}]


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_xgboost_binary(work: Workspace, suffix: str) -> None:
    model = xgboost.XGBClassifier(n_estimators=10).fit(X, BINARY)
    model.save_model(work.folder / f"model.{suffix}")
    deploy(work, f"model.{suffix}")
    found = infer(work, matrix(ROWS))
    np.testing.assert_allclose(found["predict_proba"], model.predict_proba(ROWS), atol=1e-6)
    np.testing.assert_array_equal(found["predict"], model.predict(ROWS))


def test_xgboost_many_classes(work: Workspace) -> None:
    model = xgboost.XGBClassifier(n_estimators=10).fit(X, MANY)
    model.save_model(work.folder / "model.ubj")
    deploy(work, "model.ubj")
    found = infer(work, matrix(ROWS))
    np.testing.assert_allclose(found["predict_proba"], model.predict_proba(ROWS), atol=1e-6)


def test_xgboost_regression(work: Workspace) -> None:
    model = xgboost.XGBRegressor(n_estimators=10).fit(X, X[:, 0])
    model.save_model(work.folder / "model.json")
    deploy(work, "model.json")
    np.testing.assert_allclose(infer(work, matrix(ROWS))["predict"], model.predict(ROWS), atol=1e-6)


@pytest.mark.parametrize("labels", [BINARY, MANY], ids=["binary", "many"])
def test_lightgbm_classes(work: Workspace, labels: Any) -> None:
    model = lightgbm.LGBMClassifier(n_estimators=10, verbose=-1).fit(X, labels)
    model.booster_.save_model(work.folder / "model.txt")
    deploy(work, "model.txt")
    found = infer(work, matrix(ROWS))
    np.testing.assert_allclose(found["predict_proba"], model.predict_proba(ROWS), atol=1e-9)


def test_lightgbm_regression(work: Workspace) -> None:
    model = lightgbm.LGBMRegressor(n_estimators=10, verbose=-1).fit(X, X[:, 0])
    model.booster_.save_model(work.folder / "model.txt")
    deploy(work, "model.txt")
    np.testing.assert_allclose(infer(work, matrix(ROWS))["predict"], model.predict(ROWS), atol=1e-9)


@pytest.mark.parametrize("zipmap", [True, False])
def test_onnx(work: Workspace, zipmap: bool) -> None:
    model = LogisticRegression().fit(X, MANY)
    onnx = skl2onnx.to_onnx(model, X[:1].astype(np.float32), options={id(model): {"zipmap": zipmap}})
    path = work.folder / "model.onnx"
    path.write_bytes(onnx.SerializeToString())
    deploy(work, "model.onnx")
    session = onnxruntime.InferenceSession(path)
    (name,) = [tensor.name for tensor in session.get_inputs()]
    label, probabilities = session.run(None, {name: ROWS.astype(np.float32)})
    found = list(infer(work, matrix(ROWS, name, "FP32")).values())
    np.testing.assert_array_equal(found[0], label)
    expected = [[row[key] for key in row] for row in probabilities] if zipmap else probabilities
    np.testing.assert_allclose(found[1], expected, atol=1e-6)


TRAIN_BY_NAME = """
import joblib
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

frame = pd.read_csv("rows.csv")
columns = make_column_transformer((StandardScaler(), ["age"]), (OneHotEncoder(handle_unknown="ignore"), ["city"]))
model = make_pipeline(columns, RandomForestClassifier(n_estimators=5, random_state=0)).fit(frame, ["no", "yes"] * 10)
joblib.dump(model, "model.joblib", compress=3)
"""


def test_sklearn_columns_by_name(work: Workspace) -> None:
    frame = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0] * 5, "city": ["Rom", "Ulm", "Rom", "Bern"] * 5})
    frame.to_csv(work.folder / "rows.csv", index=False)
    # In a process of its own: where pulumi is imported, dill is too, and pickles then name dill's functions.
    subprocess.run([sys.executable, "-c", TRAIN_BY_NAME], cwd=work.folder, check=True)
    model = joblib.load(work.folder / "model.joblib")
    deploy(work, "model.joblib", "--sample", "rows.csv")
    ask_for = [
        {"name": "age", "shape": [4], "datatype": "FP64", "data": frame["age"][:4].tolist()},
        {"name": "city", "shape": [4], "datatype": "BYTES", "data": frame["city"][:4].tolist()},
    ]
    found = infer(work, ask_for)
    assert found["predict"].tolist() == model.predict(frame[:4]).tolist()
    np.testing.assert_allclose(found["predict_proba"], model.predict_proba(frame[:4]), atol=1e-12)


def test_sklearn_many_outputs(work: Workspace) -> None:
    model = Ridge().fit(X, X[:, :2])
    joblib.dump(model, work.folder / "model.joblib")
    deploy(work, "model.joblib")
    np.testing.assert_allclose(infer(work, matrix(ROWS))["predict"], model.predict(ROWS), atol=1e-9)


def test_the_json_of_init(work: Workspace) -> None:
    model = xgboost.XGBRegressor(n_estimators=2).fit(pd.DataFrame(X, columns=list("abcd")), X[:, 0])
    model.save_model(Path(work.folder) / "model.json")
    (work.folder / "lastmile.yaml").unlink()
    document = json.loads(work.run("init", "model.json", "--json").stdout)
    assert [column["name"] for column in document["content"]["contract"]["inputs"]] == list("abcd")
