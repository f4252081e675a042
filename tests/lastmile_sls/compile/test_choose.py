"""What serves a version: the fastest predictor that was proved, and why not a faster one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from lastmile_runtime import predictors
from lastmile_runtime.manifest import Bundle, Version
from lastmile_sls.bundle.build import build_bundle
from lastmile_sls.bundle.models import describe, free_of_framework, prepare_models
from lastmile_sls.certification.first_answer import NoAnswerError, example, measure
from lastmile_sls.cli import lastmile
from lastmile_sls.compile import choose as choosing
from lastmile_sls.compile.choose import Choice
from lastmile_sls.compile.forest import Forest, Leaf
from lastmile_sls.compile.readers import read_estimator
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.grouping import group_versions
from lastmile_sls.spec.model import Spec
from tests.lastmile_sls.specs import make_spec

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(120, 3)).astype(np.float32)
CLASSES = (ROWS[:, 0] + ROWS[:, 1] > 0).astype(int)
BOOSTED = GradientBoostingClassifier(n_estimators=5, random_state=0)


def spec_of(folder: Path, *estimators: Any, requirements: tuple[str, ...] = ()) -> Spec:
    versions = []
    for index, estimator in enumerate(estimators, start=1):
        joblib.dump(estimator.fit(ROWS, CLASSES), folder / f"v{index}.joblib")
        pins = [requirements[index - 1]] if requirements else []
        versions.append(
            {"id": f"v{index}", "artifact": f"v{index}.joblib", "framework": "sklearn", "requirements": pins}
        )
    return make_spec(versions=versions, traffic={"champion": "v1"})


def chosen(folder: Path, *estimators: Any) -> list[Choice]:
    return prepare_models(spec_of(folder, *estimators), folder, folder / "scratch")


def test_trees_are_compiled_and_certified(tmp_path: Path) -> None:
    (model,) = chosen(tmp_path, BOOSTED)
    assert (model.version.predictor, model.version.artifact) == ("trees", "models/v1/model.forest")
    assert model.refused == []
    assert model.report is not None
    assert model.report.passed
    assert model.report.by_kind["thresholds"] > 20
    assert [spec.name for spec in model.version.outputs] == ["predict", "predict_proba"]


def test_a_pipeline_is_compiled_to_steps_and_says_why_it_is_no_forest(tmp_path: Path) -> None:
    (model,) = chosen(tmp_path, make_pipeline(StandardScaler(), LogisticRegression()))
    assert model.version.predictor == "pipeline"
    (refused,) = model.refused
    assert refused.predictor == "trees"
    assert refused.why.startswith("estimator is Pipeline, but only the ensembles of trees")


def test_what_has_no_reader_is_exported_to_onnx(tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    (model,) = chosen(tmp_path, GaussianNB())
    assert (model.version.predictor, model.version.artifact) == ("onnx", "models/v1/optimized.onnx")
    assert [refused.predictor for refused in model.refused] == ["trees", "pipeline"]
    assert model.report is not None
    assert model.report.refused > 0  # what scikit-learn refuses, missing and infinite values
    assert model.report.tolerances == {"predict_proba": 1e-9}


def test_a_graph_that_computes_in_float32_is_given_its_room(tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    (model,) = chosen(tmp_path, AdaBoostClassifier(n_estimators=5))
    assert model.version.predictor == "onnx"
    assert model.report is not None
    assert model.report.tolerances == {"predict_proba": 2e-6}


def test_a_graph_that_answers_otherwise_is_not_served(tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    (model,) = chosen(tmp_path, KNeighborsClassifier())
    assert model.version.predictor == "sklearn"
    assert model.refused[2].why.startswith("it does not predict the same: extreme row [")


def test_what_nothing_carries_keeps_its_framework(tmp_path: Path) -> None:
    pytest.importorskip("skl2onnx")
    (model,) = chosen(tmp_path, make_pipeline(SplineTransformer(), LogisticRegression()))
    assert (model.version.predictor, model.version.artifact) == ("sklearn", "models/v1/v1.joblib")
    assert [refused.predictor for refused in model.refused] == ["trees", "pipeline", "onnx"]
    assert all("Spline" in refused.why for refused in model.refused[1:])
    assert describe(model).certified_rows is None


def test_a_compiled_model_that_differs_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def wrong(estimator: Any, outputs: Any = ()) -> Forest:
        forest = read_estimator(estimator, outputs)
        leaf = next(node for node in forest.trees[0].nodes if isinstance(node, Leaf))
        leaf.values = [leaf.values[0] + 1e-6]
        return forest

    monkeypatch.setattr(choosing, "read_estimator", wrong)
    (model,) = chosen(tmp_path, BOOSTED)
    assert model.version.predictor != "trees"
    assert model.refused[0].why.startswith("it does not predict the same: ")
    assert "predict_proba is " in model.refused[0].why


def test_without_the_original_nothing_is_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = predictors.load

    def without_framework(path: str, version: Version) -> predictors.Predict:
        if version.predictor == "sklearn":
            raise ImportError("no module of that name")
        return load(path, version)

    spec = spec_of(tmp_path, BOOSTED)
    monkeypatch.setattr(predictors, "load", without_framework)
    (model,) = prepare_models(spec, tmp_path, tmp_path / "scratch")
    assert model.version.predictor == "sklearn"
    assert model.refused[0].why == (
        "the original cannot be loaded here (ImportError: no module of that name), "
        "so nothing would prove that it predicts the same"
    )


def test_the_sample_is_certified_with_and_must_be_the_models(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_text("x0,x1,x2\n0.5,1,2\n1,2,3\n")
    (model,) = prepare_models(with_sample(spec_of(tmp_path, BOOSTED)), tmp_path, tmp_path / "scratch")
    assert model.report is not None
    assert model.report.by_kind["sample"] == 2
    (tmp_path / "sample.csv").write_bytes(b"\x80\x81")
    with pytest.raises(LastmileError, match=r"^sample\.csv:1 is not UTF-8 text\."):
        prepare_models(with_sample(spec_of(tmp_path, BOOSTED)), tmp_path, tmp_path / "again")


def with_sample(spec: Spec) -> Spec:
    (version,) = spec.versions
    return spec.model_copy(update={"versions": (version.model_copy(update={"sample": "sample.csv"}),)})


def test_versions_that_need_no_framework_any_more_share_a_function(tmp_path: Path) -> None:
    pins = ("scikit-learn==1.4.0", "scikit-learn==1.5.2")
    spec = spec_of(tmp_path, BOOSTED, LogisticRegression(), requirements=pins)
    assert len(group_versions(spec, {})) == 2
    models = prepare_models(spec, tmp_path, tmp_path / "scratch")
    assert [group.versions for group in group_versions(spec, {}, free_of_framework(models))] == [("v1", "v2")]


def test_the_first_answer_is_measured_on_the_bundle(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, BOOSTED)
    models = prepare_models(spec, tmp_path, tmp_path / "scratch")
    built = build_bundle(spec, tmp_path, tmp_path / "bundle", models)
    (version,) = Bundle(str(built.folder), built.digest).manifest.versions
    inputs = example(version, spec.contract.inputs)
    assert inputs is not None
    found = measure(built.folder, spec.name, version, inputs, rounds=1)
    assert 0 < found.seconds < 60
    assert 1e6 < found.memory_bytes < 100e6, "nothing of scikit-learn is in it"
    (built.folder / version.artifact).write_bytes(b"LMFOREST")
    with pytest.raises(NoAnswerError, match="has the size 8, but"):
        measure(built.folder, spec.name, version, inputs, rounds=1)


def test_inspect_says_what_serves_and_why(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, BOOSTED, make_pipeline(SplineTransformer(), LogisticRegression()))
    (tmp_path / "lastmile.yaml").write_text(spec.model_dump_json(exclude_defaults=True))
    told = CliRunner().invoke(lastmile, ["inspect", "--spec", str(tmp_path / "lastmile.yaml")])
    assert told.exit_code == 0, told.output
    assert "v1: trees, " in told.output
    assert "largest difference 0; first answer after " in told.output
    assert "not by trees: estimator is Pipeline" in told.output
    found = CliRunner().invoke(lastmile, ["inspect", "--json", "--spec", str(tmp_path / "lastmile.yaml")])
    first, second = json.loads(found.output)["predictors"]
    assert (first["predictor"], first["not_taken"], first["largest_difference"]) == ("trees", {}, 0.0)
    assert first["first_answer_s"] > 0
    assert (second["predictor"], list(second["not_taken"])) == (
        "sklearn",
        ["trees", "pipeline", "onnx"],
    )
