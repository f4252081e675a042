"""Models that no reader carries, exported and served, beside scikit-learn; needs skl2onnx."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, SplineTransformer, StandardScaler
from sklearn.svm import SVC, SVR

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import Version
from lastmile_runtime.predictors.arrays import from_array
from lastmile_runtime.predictors.onnx import load
from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile.onnx_export import export
from lastmile_sls.compile.onnx_optimize import optimize
from lastmile_sls.compile.refusal import CannotCompile
from lastmile_sls.errors import LastmileError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
BINARY = (X[:, 0] > 0).astype(int)
TARGETS = np.column_stack([X[:, 0], X[:, 1]])
TABLE = pd.DataFrame(
    {"age": X[:, 0], "plan": np.where(X[:, 1] > 0, "gold", "free"), "visits": np.arange(60) % 4}
)


def served(path: Path, rows: Any, frame: bool) -> list[Tensor]:
    columns = list(rows.columns) if frame else [f"x{index}" for index in range(rows.shape[1])]
    predict = load(str(path), Version("v1", "onnx", path.name, columns=columns))
    if not frame:
        return predict([Tensor("input", "FP64", list(rows.shape), rows.ravel().tolist())])
    kinds = {"f": "FP64", "i": "INT64"}
    return predict(
        [Tensor(c, kinds.get(rows[c].dtype.kind, "BYTES"), [len(rows)], rows[c].tolist()) for c in columns]
    )


def check(model: Any, rows: Any, folder: Path, tolerance: float, outputs: tuple[str, ...] = ()) -> str:
    """Compare all answers, as exported and then optimised; return the type of the graph's first input."""
    pytest.importorskip("skl2onnx")
    path = folder / "model.onnx"
    export(model, rows[:1], path, outputs)
    optimize(path, folder / "optimised.onnx")
    names = outputs or [name for name in ("predict", "predict_proba") if hasattr(model, name)]
    for file in (path, folder / "optimised.onnx"):
        answers = served(file, rows, isinstance(rows, pd.DataFrame))
        assert [answer.name for answer in answers] == list(names)
        for answer in answers:
            expected = from_array(answer.name, getattr(model, answer.name)(rows))
            assert (answer.datatype, answer.shape) == (expected.datatype, expected.shape)
            if answer.datatype == "FP64":
                np.testing.assert_allclose(answer.data, expected.data, rtol=tolerance, atol=tolerance)
            else:
                assert answer.data == expected.data
    kind: str = onnxruntime.InferenceSession(str(path)).get_inputs()[0].type
    return kind


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(), GaussianNB(), MLPClassifier((4,), max_iter=20),
        make_pipeline(QuantileTransformer(n_quantiles=10), LogisticRegression()),
    ],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
@pytest.mark.parametrize(
    "labels",
    [BINARY, np.where(BINARY, "yes", "no"), BINARY == 1, BINARY.astype(np.int32)],
    ids=["int", "text", "bool", "int32"],
)
def test_classifiers_in_float64(tmp_path: Path, model: Any, labels: Any) -> None:
    assert check(model.fit(X, labels), X, tmp_path, 1e-9) == "tensor(double)"


def test_regressors_in_float64(tmp_path: Path) -> None:
    for model in (KNeighborsRegressor(), MLPRegressor(hidden_layer_sizes=(4,), max_iter=20)):
        assert check(model.fit(X, X[:, 0]), X, tmp_path, 1e-9) == "tensor(double)"
        assert check(model.fit(X, TARGETS), X, tmp_path, 1e-9) == "tensor(double)"


def test_what_is_not_to_be_had_in_float64_is_float32(tmp_path: Path) -> None:
    assert check(SVR().fit(X, X[:, 0]), X, tmp_path, 1e-5) == "tensor(float)"


def test_classes_alone(tmp_path: Path) -> None:
    check(SVC().fit(X, BINARY), X, tmp_path, 1e-9)
    check(KMeans(3, n_init=1, random_state=0).fit(X), X, tmp_path, 1e-9, ("predict",))


def test_a_transformer(tmp_path: Path) -> None:
    check(QuantileTransformer(n_quantiles=10).fit(X), X, tmp_path, 1e-9, ("transform",))


def test_a_frame_is_a_graph_with_an_input_per_column(tmp_path: Path) -> None:
    columns = ColumnTransformer(
        [("n", StandardScaler(), ["age", "visits"]), ("t", OneHotEncoder(), ["plan"])]
    )
    model = make_pipeline(columns, KNeighborsClassifier()).fit(TABLE, BINARY)
    check(model, TABLE, tmp_path, 1e-9)
    inputs = onnxruntime.InferenceSession(str(tmp_path / "model.onnx")).get_inputs()
    assert [(node.name, node.type) for node in inputs] == [
        ("age", "tensor(double)"), ("plan", "tensor(string)"), ("visits", "tensor(double)"),
    ]  # fmt: skip


def test_what_scikit_learn_refuses_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    path = tmp_path / "model.onnx"
    export(GaussianNB().fit(X, BINARY), X[:1], path)
    optimize(path, tmp_path / "optimised.onnx")
    rows = X[:3].copy()
    for value, told in ((np.nan, "missing (NaN)"), (-np.inf, "infinite")):
        rows[1, 2] = value
        with pytest.raises(RequestError) as refused:
            served(tmp_path / "optimised.onnx", rows, frame=False)
        assert refused.value.status == 400
        assert str(refused.value) == f"row 1: column 'x2' is {told}, but the model takes none."
    table = TABLE[["age"]].assign(visits=TABLE["visits"] * 1.0)
    export(GaussianNB().fit(table, BINARY), table[:1], path)
    table.loc[4, "visits"] = np.nan
    with pytest.raises(RequestError, match=r"^row 4: column 'visits' is missing \(NaN\), but"):
        served(path, table, frame=True)


def test_what_scikit_learn_takes_is_taken(tmp_path: Path) -> None:
    rows = X.copy()
    rows[::5, 1] = np.nan
    check(make_pipeline(SimpleImputer(), GaussianNB()).fit(rows, BINARY), rows, tmp_path, 1e-5)


@pytest.mark.parametrize(
    ("model", "precision"), [(GaussianNB(), "FP64"), (AdaBoostClassifier(n_estimators=5), "FP32")]
)
def test_it_says_how_exactly_the_graph_computes(tmp_path: Path, model: Any, precision: str) -> None:
    pytest.importorskip("skl2onnx")
    assert export(model.fit(X, BINARY), X[:1], tmp_path / "model.onnx") == precision


def refusal(model: Any, folder: Path, outputs: tuple[str, ...] = ()) -> CannotCompile:
    pytest.importorskip("skl2onnx")
    with pytest.raises(CannotCompile) as refused:
        export(model, X[:1], folder / "model.onnx", outputs)
    assert not (folder / "model.onnx").exists()
    return refused.value


def test_what_skl2onnx_cannot_convert_is_refused_with_its_reason(tmp_path: Path) -> None:
    error = refusal(make_pipeline(SplineTransformer(), LogisticRegression()).fit(X, BINARY), tmp_path)
    assert error.option == "ONNX converter"
    assert "MissingShapeCalculator: Unable to find a shape calculator" in error.message


def test_other_methods_are_refused(tmp_path: Path) -> None:
    error = refusal(SVC().fit(X, BINARY), tmp_path, ("predict", "decision_function"))
    assert error.message.startswith(
        "the model cannot be compiled: ONNX output is decision_function, but only"
    )


def test_without_skl2onnx_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(LastmileError) as refused:
        export(SVC().fit(X, BINARY), X[:1], tmp_path / "model.onnx")
    assert str(refused.value) == (
        "Exporting a model to ONNX takes skl2onnx, which is not installed.\nInstall it: pip install skl2onnx"
    )
