from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import Bundle, TensorSpec, Version
from lastmile_runtime.models import Models
from lastmile_runtime.tensors import Tensor
from lastmile_sls.compile.forest import Answer
from lastmile_sls.compile.pipeline import Impute, Linear, Pipeline
from lastmile_sls.compile.pipeline_file import write
from lastmile_sls.compile.readers.sklearn_pipeline import read
from tests.lastmile_runtime.bundles import write_bundle

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X[:, 0]


def test_floats_are_written_to_the_bit(tmp_path: Path) -> None:
    numbers = [0.1, 1e-310, -0.0, 1.7976931348623157e308, 2 / 3]
    write(Pipeline(5, [], Linear([numbers], [1e-17]), 5, [Answer("predict", "FP64")]), tmp_path / "m")
    read_back = json.loads((tmp_path / "m").read_bytes())["final"]["coefficients"][0]
    assert [value.hex() for value in read_back] == [value.hex() for value in numbers]


def test_a_missing_value_is_written_as_nan(tmp_path: Path) -> None:
    write(read(make_pipeline(SimpleImputer(), LinearRegression()).fit(X, Y)), tmp_path / "m")
    steps = json.loads((tmp_path / "m").read_bytes())["steps"]
    assert [step["kind"] for step in steps] == ["check", "impute", "check"]
    assert math.isnan(steps[1]["missing"])


def test_the_same_model_is_the_same_bytes(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y > 0)
    for name in ("one", "two"):
        assert write(read(model), tmp_path / name) == [tmp_path / name]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_trees_lie_beside_it(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), RandomForestRegressor(2)).fit(X, Y)
    written = write(read(model), tmp_path / "m.pipeline")
    assert written == [tmp_path / "m.pipeline", tmp_path / "m.pipeline.forest"]
    assert json.loads(written[0].read_bytes())["final"] == {"kind": "forest", "file": "m.pipeline.forest"}
    assert written[1].read_bytes().startswith(b"LMFOREST")


def test_a_bundle_serves_it_with_its_trees(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), RandomForestRegressor(2, random_state=0)).fit(X, Y)
    files = write(read(model), tmp_path / "model.pipeline")
    version = Version(
        "v1",
        "pipeline",
        "models/v1/model.pipeline",
        columns=["a", "b", "c"],
        inputs=[TensorSpec("input", "FP64", [-1, 3])],
        outputs=[TensorSpec("predict", "FP64", [-1])],
    )
    pinned = write_bundle(
        tmp_path / "bundle", [version], {f"models/v1/{file.name}": file.read_bytes() for file in files}
    )
    models = Models(Bundle(str(tmp_path / "bundle"), pinned))
    models.load("v1")
    (answer,) = models.predict("v1", [Tensor("input", "FP64", [2, 3], X[:2].ravel().tolist())])
    assert answer.data == pytest.approx(model.predict(X[:2]).tolist(), rel=1e-12)
    (tmp_path / "bundle" / "models" / "v1" / files[1].name).write_bytes(b"LMFOREST")
    with pytest.raises(RequestError, match=r"model.pipeline.forest has the size 8, but"):
        Models(Bundle(str(tmp_path / "bundle"), pinned)).load("v1")


def test_an_imputers_step_is_read_as_it_is() -> None:
    rows = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]])
    pipeline = read(SimpleImputer(add_indicator=True).fit(rows))
    imputer = pipeline.steps[1]
    assert isinstance(imputer, Impute)
    assert (imputer.fill[:2], imputer.keep, imputer.indicators) == ([2.0, 5.0], [0, 1], [1, 2])
    assert pipeline.width == 4
