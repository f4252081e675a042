"""Writes the corpus' first files, from real models as small as they can be: `python -m tests.fuzz.seeds`.

It takes what the conformance tests take. What the fuzzer found lies beside them, named by its hash.
"""

from __future__ import annotations

import io
import json
import pickle
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from lastmile_runtime import manifest
from lastmile_runtime.manifest import Manifest, TensorSpec, Version
from lastmile_sls.compile import pipeline_file, readers
from lastmile_sls.compile.forest import Answer, CategorySplit, Forest, Leaf, Split, Tree
from lastmile_sls.compile.forest_file import render
from lastmile_sls.compile.readers import sklearn_pipeline
from tests.lastmile_runtime.predictors import onnx_file

CORPUS = Path(__file__).with_name("corpus")
Seeds = Iterator[tuple[str, bytes]]

X, Y = make_classification(40, 2, n_informative=2, n_redundant=0, random_state=0)
X[:, 1] = np.arange(40) % 5
WORDS = np.array([["a", "x"], ["b", "y"]] * 20, dtype=object)


def xgboost_files(suffix: str) -> Seeds:
    """Boosters of several objectives, with categories and with DART."""
    import xgboost

    data = xgboost.DMatrix(X, X[:, 1] % 2, feature_types=["float", "c"], enable_categorical=True)
    named = xgboost.DMatrix(X, X[:, 0], feature_names=["a", "b"])
    three = xgboost.DMatrix(X, np.arange(40) % 3)
    small = {"max_depth": 2, "verbosity": 0}
    trained = {
        "categories": xgboost.train({**small, "objective": "binary:logistic", "max_cat_to_onehot": 1}, data, 2),
        "dart": xgboost.train({**small, "booster": "dart", "rate_drop": 0.5}, named, 2),
        "classes": xgboost.train({**small, "objective": "multi:softprob", "num_class": 3}, three, 1),
        "counts": xgboost.train({**small, "objective": "count:poisson"}, xgboost.DMatrix(X, Y), 1),
        "best": xgboost.train(
            {**small, "objective": "reg:absoluteerror"}, named, 3, evals=[(named, "t")], early_stopping_rounds=1,
            verbose_eval=False,
        ),
    }  # fmt: skip
    for name, booster in trained.items():
        yield name, bytes(booster.save_raw(suffix))


def lightgbm_files() -> Seeds:
    """Boosters of several objectives, with categories, bagging and what is missing."""
    import lightgbm

    small: dict[str, Any] = {"num_leaves": 4, "min_data_in_leaf": 2, "verbose": -1, "cat_smooth": 0}
    small |= {"min_data_per_group": 1, "min_data_in_bin": 1, "cat_l2": 0, "max_cat_to_onehot": 1}
    holes = np.where(X > 1.5, np.nan, X)
    options: dict[str, tuple[dict[str, Any], Any, Any]] = {
        "categories": ({"objective": "binary"}, X, X[:, 1] % 2),
        "classes": ({"objective": "multiclass", "num_class": 3}, X, np.arange(40) % 3),
        "averages": (
            {"objective": "regression", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, holes, X[:, 0]
        ),
        "zeros": ({"objective": "poisson", "zero_as_missing": True}, X, Y),
    }  # fmt: skip
    for name, (more, rows, labels) in options.items():
        categorical: Any = [1] if name == "categories" else "auto"
        booster = lightgbm.train(
            {**small, **more}, lightgbm.Dataset(rows, labels, categorical_feature=categorical), 2
        )
        yield name, booster.model_to_string().split("\nfeature_importances", maxsplit=1)[0].encode()


def estimators() -> Iterator[tuple[str, Any]]:
    """Models whose pickles differ in what they call, make and set."""
    yield "linear", LinearRegression().fit(X, Y)
    yield "tree", DecisionTreeRegressor(max_depth=1).fit(X, Y)
    yield "forest", RandomForestClassifier(2, max_depth=1, random_state=np.random.RandomState(0)).fit(X, Y)
    yield "histogram", HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=2).fit(X, Y)
    yield "outliers", IsolationForest(n_estimators=2, max_samples=4, random_state=0).fit(X)
    yield "neighbours", KNeighborsClassifier(algorithm="kd_tree").fit(X[:6], Y[:6])
    columns = ColumnTransformer([("w", OneHotEncoder(), [0]), ("o", OrdinalEncoder(), [1])])
    yield "words", make_pipeline(columns, LogisticRegression()).fit(WORDS, Y)
    import lightgbm
    import xgboost

    yield "xgboost", xgboost.XGBRegressor(n_estimators=1, max_depth=1).fit(X, Y)
    yield "lightgbm", lightgbm.LGBMRegressor(n_estimators=1, num_leaves=2, verbose=-1).fit(X, Y)
    yield "labels", LogisticRegression().fit(X, np.array(["no", "yes"], dtype=object)[Y])


def pickles() -> Seeds:
    """Written by joblib, packed or not, and by pickle in an old and a new protocol."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        for name, estimator in estimators():
            joblib.dump(estimator, path, compress=3 if name in ("forest", "histogram") else 0)
            yield f"{name}-joblib", path.read_bytes()
            if name in ("linear", "words", "neighbours"):
                yield f"{name}-pickle-5", pickle.dumps(estimator, 5)
            if name in ("labels", "tree"):
                yield f"{name}-pickle-2", pickle.dumps(estimator, 2)


def onnx() -> Seeds:
    """Graphs with weights inside and outside, and one that answers with dictionaries."""
    yield "linear", onnx_file.linear()
    yield "identity", onnx_file.identity(onnx_file.Array("a", onnx_file.STRING, (-1, 2)))
    yield "zipped", onnx_file.zipped()
    outside = {"location": "weights.bin", "offset": "8", "length": "16"}
    entries = b"".join(
        _field(13, _field(1, key.encode()) + _field(2, told.encode())) for key, told in outside.items()
    )
    tensor = _field(8, b"w") + entries
    yield "outside", onnx_file.model([], [], [], (tensor,))
    branch = _field(5, _field(1, b"then_branch") + _field(6, _field(5, _field(8, b"v"))))
    yield "branch", onnx_file.model([_field(4, b"If") + branch], [], [])


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def mlflow() -> Seeds:
    """A folder's MLmodel as MLflow writes it, and its requirements behind a zero byte."""
    signature = json.dumps([{"type": "double", "name": "a"}, {"type": "long", "name": "b", "required": True}])
    document = (
        "artifact_path: model\nflavors:\n  lightgbm:\n    code: null\n    data: model.lgb\n    lgb_version: 4.6.0\n"
        "  python_function:\n    loader_module: mlflow.lightgbm\nmlflow_version: 3.1.0\nsignature:\n"
        f"  inputs: '{signature}'\n  outputs: null\nutc_time_created: '2026-01-01 00:00:00.0'\n"
    )
    yield "signature", document.encode()
    yield (
        "requirements",
        document.encode() + b"\0mlflow==3.1.0\nlightgbm==4.6.0 # x\nscipy>=1; python_version > '3'\n",
    )


def python() -> Seeds:
    """A plain class."""
    yield (
        "class",
        b"import os\nimport numpy as np\n\nclass A:\n    def predict(self, x):\n        return {'y': [1]}\n",
    )


def sample() -> Seeds:
    """Numbers, whole numbers, text, and cells in quotes."""
    yield "numbers", b"x0,x1,y\n1.5,2,0\n-1e3,,1\n"
    yield "text", b'a,b\n"x,""y""",true\nz,false\n'
    yield "mixed", b"\xef\xbb\xbfx0,x1\r\n007,nan\r\nNone,7\r\n"


def torch() -> Seeds:
    """The names in torch's archives are all that is looked at."""
    for name, members in {
        "script": ("model/data.pkl", "model/constants.pkl", "model/version"),
        "program": ("serialized_exported_program.json", "version"),
        "package": ("m/archive_format", "m/models/model.json"),
        "state": ("archive/data.pkl", "archive/version"),
    }.items():
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for member in members:
                archive.writestr(zipfile.ZipInfo(member), b"3")
        if name != "state":
            yield name, content.getvalue()


def pipelines() -> Seeds:
    """Compiled pipelines of several steps; the runtime reads them."""
    models = {
        "linear": make_pipeline(
            SimpleImputer(add_indicator=True), StandardScaler(), LogisticRegression()
        ).fit(np.where(X > 1.5, np.nan, X), Y),
        "polynomial": make_pipeline(PolynomialFeatures(), LinearRegression()).fit(X, Y),
        "words": make_pipeline(
            ColumnTransformer([("w", OneHotEncoder(), [0]), ("o", OrdinalEncoder(), [1])]),
            LogisticRegression(),
        ).fit(WORDS, Y),
        "scaler": StandardScaler().fit(X),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models.items():
            path = Path(folder) / "m"
            pipeline_file.write(sklearn_pipeline.read(model), path)
            yield name, path.read_bytes()


FOREST = Forest(
    features=2,
    outputs=2,
    trees=[
        Tree([Split(1, 0.5, 1, 2), Leaf([1.0]), Split(0, -1.0, 3, 4, True), Leaf([2.0]), Leaf([3.0])]),
        Tree([CategorySplit(1, {0, 40}, 1, 2), Leaf([1.0, 2.0]), Leaf([3.0, 4.0])], width=2),
    ],
    base=[0.5, -0.5],
    cast="float32",
    missing=-1.0,
    transform="softmax",
    answers=[Answer("predict", "INT64", labels=[0, 1]), Answer("predict_proba", "FP64", columns=2)],
)


def forests() -> Seeds:
    """Compiled trees; the runtime reads them."""
    yield "all", render(FOREST)
    yield (
        "outliers",
        render(readers.read_estimator(IsolationForest(n_estimators=1, max_samples=4, random_state=0).fit(X))),
    )


def manifests() -> Seeds:
    """A bundle of two versions."""
    tensor = TensorSpec("x", "FP64", [-1, 2])
    file = {"sha256": "0" * 64, "size": 3}
    versions = [
        Version(
            "v1", "python", "models/v1/m.py", entry="A", columns=["a", "b"], inputs=[tensor], outputs=[tensor]
        ),
        Version("v2", "remote", "", remote={"function": "f", "digest": "sha256:0"}),
    ]
    files = {"models/v1/m.py": file, "models/v1/w": {**file, "chunks": ["0" * 64]}}
    yield "two", manifest.render(Manifest("m", versions, files, {"inputs": []}, "app.py:app"))


def all_seeds() -> dict[str, dict[str, bytes]]:
    """Return the files of each target, by name. Every one of them is a file that its reader accepts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "xgboost-json": dict(xgboost_files("json")),
            "xgboost-ubj": dict(xgboost_files("ubj")),
            "lightgbm": dict(lightgbm_files()),
            "pickle": dict(pickles()),
            "onnx": dict(onnx()),
            "mlflow": dict(mlflow()),
            "python": dict(python()),
            "sample": dict(sample()),
            "torch": dict(torch()),
            "pipeline": dict(pipelines()),
            "forest": dict(forests()),
            "manifest": dict(manifests()),
        }


def main() -> None:
    """Write them."""
    for target, files in all_seeds().items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / f"seed-{name}").write_bytes(content)


if __name__ == "__main__":
    main()
