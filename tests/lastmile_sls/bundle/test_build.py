"""A bundle: the same bytes from the same inputs, every file hashed, nothing in it that was not looked at."""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Mapping
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import Bundle, digest
from lastmile_sls.bundle.build import BuiltBundle, build_bundle
from lastmile_sls.bundle.models import prepare_models
from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.model import Spec
from tests.lastmile_sls.specs import make_spec

ROWS = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("one.py", "two.py"):
        (folder / name).write_text("class Model:\n    def predict(self, inputs):\n        return inputs\n")
    return folder


def sklearn_spec(contract: Mapping[str, object] | None = None, **version: object) -> Spec:
    return make_spec(
        versions=[{"id": "v1", "artifact": "m.joblib", "framework": "sklearn", **version}],
        traffic={},
        contract=contract or {},
    )


def build(spec: Spec, folder: Path, destination: Path) -> BuiltBundle:
    """Build the bundle of a function that serves everything."""
    scratch = destination.with_name(f"{destination.name}-scratch")
    return build_bundle(spec, folder, destination, prepare_models(spec, folder, scratch))


def test_the_same_spec_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = build(make_spec(), folder, tmp_path / "first")
    second = build(make_spec(), folder, tmp_path / "second")
    assert first.digest == second.digest
    contents = [
        {str(p.relative_to(b.folder)): p.read_bytes() for p in b.folder.rglob("*") if p.is_file()}
        for b in (first, second)
    ]
    assert contents[0] == contents[1]


def test_every_file_is_in_the_manifest_and_verifies(folder: Path, tmp_path: Path) -> None:
    built = build(make_spec(), folder, tmp_path / "bundle")
    assert built.digest == digest((built.folder / "manifest.json").read_bytes())
    bundle = Bundle(str(built.folder), built.digest)
    there = {p.relative_to(built.folder).as_posix() for p in built.folder.rglob("*") if p.is_file()}
    runtime = bundle.verify_runtime()
    assert there - {"manifest.json"} == {*bundle.manifest.files, *runtime}
    assert all(name.startswith("lastmile_runtime/") for name in runtime)
    assert not any(name.startswith("lastmile_runtime/") for name in bundle.manifest.files)
    assert {"lastmile_runtime/adapters/local.py", "models/v1/one.py", "models/v2/two.py"} <= there
    # The runtime is compiled in one file, which its first module reads; what the machine has cached is left behind.
    cached = [name for name in there if name.endswith(".pyc") and name.startswith("lastmile_runtime/")]
    assert [name.rpartition("/")[2].partition(".")[0] for name in cached] == ["__init__"]
    for name in bundle.manifest.files:
        bundle.verify(name)


@pytest.mark.parametrize("name", ["lastmile_runtime/router.py", "lastmile_runtime.json"])
def test_a_file_of_the_runtimes_that_was_changed_is_refused_by_its_name(
    folder: Path, tmp_path: Path, name: str
) -> None:
    built = build(make_spec(), folder, tmp_path / "bundle")
    with (built.folder / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(BundleError, match=rf"^{re.escape(name)} has the size "):
        Bundle(str(built.folder), built.digest).verify_runtime()


def test_a_model_that_is_not_to_be_compiled_is_served_as_it_is(folder: Path, tmp_path: Path) -> None:
    joblib.dump(LogisticRegression().fit(ROWS, [0, 1, 1, 0]), folder / "m.joblib")
    built = build(sklearn_spec(compiled=False), folder, tmp_path / "bundle")
    (version,) = json.loads((built.folder / "manifest.json").read_text())["versions"]
    assert (version["predictor"], version["artifact"]) == ("sklearn", "models/v1/m.joblib")
    assert (built.folder / "models/v1/m.joblib").read_bytes() == (folder / "m.joblib").read_bytes()


def test_a_sklearn_classifier_is_described(folder: Path, tmp_path: Path) -> None:
    joblib.dump(LogisticRegression().fit(ROWS, [0, 1, 1, 0]), folder / "m.joblib")
    built = build(sklearn_spec(), folder, tmp_path / "bundle")
    (version,) = json.loads((built.folder / "manifest.json").read_text())["versions"]
    assert version == {
        "id": "v1",
        "predictor": "pipeline",
        "artifact": "models/v1/model.pipeline.json",
        "entry": None,
        "columns": ["x0", "x1"],
        "frame": False,
        "inputs": [{"name": "input", "datatype": "FP64", "shape": [-1, 2]}],
        "outputs": [
            {"name": "predict", "datatype": "INT64", "shape": [-1]},
            {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]},
        ],
    }


def test_the_contract_names_what_the_model_only_counts(folder: Path, tmp_path: Path) -> None:
    joblib.dump(LinearRegression().fit(ROWS, [0.0, 1.0, 1.5, 0.0]), folder / "m.joblib")
    contract = {"inputs": [{"name": "age", "datatype": "FP64"}, {"name": "income", "datatype": "FP64"}]}
    built = build(sklearn_spec(contract), folder, tmp_path / "bundle")
    (version,) = json.loads((built.folder / "manifest.json").read_text())["versions"]
    assert version["columns"] == ["age", "income"]


def test_a_contract_that_is_not_the_models_is_refused(folder: Path, tmp_path: Path) -> None:
    joblib.dump(LinearRegression().fit(ROWS, [0.0, 1.0, 1.5, 0.0]), folder / "m.joblib")
    contract = {"inputs": [{"name": "age", "datatype": "FP64"}]}
    with pytest.raises(LastmileError) as caught:
        build(sklearn_spec(contract), folder, tmp_path / "bundle")
    assert caught.value.message == "versions[0] takes 2 inputs, x0, x1, but contract.inputs has 1, age."


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(Path(os.environ["CANARY"])),)


def test_a_pickle_that_could_run_code_is_not_bundled_unless_trusted(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    monkeypatch.setenv("CANARY", str(canary))
    (folder / "m.joblib").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(LastmileError, match="mkdir"):
        build(sklearn_spec(), folder, tmp_path / "bundle")
    assert not canary.exists()
    assert not (tmp_path / "bundle").exists()


def test_the_users_application_is_bundled_and_named(folder: Path, tmp_path: Path) -> None:
    (folder / "app.py").write_text("raise SystemExit('it was run')\napp = None\n")
    built = build(make_spec(endpoint={"app": "app.py:app"}), folder, tmp_path / "bundle")
    bundle = Bundle(str(built.folder), built.digest)
    assert bundle.manifest.app == "app/app.py:app"
    assert Path(bundle.verify("app/app.py")).read_bytes() == (folder / "app.py").read_bytes()
    assert "app" not in json.loads(
        (build(make_spec(), folder, tmp_path / "without").folder / "manifest.json").read_text()
    )


def test_an_application_that_is_not_there_leaves_no_bundle(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LastmileError, match="there is no such file"):
        build(make_spec(endpoint={"app": "app.py:app"}), folder, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()
