"""One bundle per function: each holds its own models, and the router's knows all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.manifest import Bundle
from lastmile_sls.bundle.groups import build_bundles
from lastmile_sls.bundle.models import prepare_models
from lastmile_sls.plan.grouping import group_versions
from lastmile_sls.spec.model import Spec
from tests.lastmile_sls.specs import make_spec

MODEL = "class Model:\n    def predict(self, inputs):\n        return inputs\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("one.py", "two.py", "app.py"):
        (folder / name).write_text(MODEL + "app = None\n")
    return folder


def pinned() -> Spec:
    def version(id_: str, artifact: str, *requirements: str) -> dict[str, Any]:
        return {
            "id": id_,
            "artifact": artifact,
            "framework": "python",
            "entry": "Model",
            "requirements": requirements,
        }

    return make_spec(
        versions=[
            version("v0", "two.py", "a==2"),
            version("v1", "one.py", "a==1"),
            version("v2", "two.py", "a==2"),
        ],
        contract={
            "inputs": [{"name": "x", "datatype": "FP64", "minimum": 0.0, "out_of_range": "reject"}],
            "outputs": [{"name": "y", "datatype": "FP64"}],
        },
        endpoint={"app": "app.py:app"},
    )


def build(folder: Path, destination: Path) -> dict[str, Bundle]:
    spec = pinned()
    built = build_bundles(
        spec,
        group_versions(spec, {}),
        prepare_models(spec, folder, destination / "scratch"),
        folder,
        destination,
    )
    return {name: Bundle(str(bundle.folder), bundle.digest) for name, bundle in built.items()}


def test_each_function_has_its_own_models_and_the_router_the_signatures_of_all(
    folder: Path, tmp_path: Path
) -> None:
    bundles = build(folder, tmp_path / "bundles")
    router, other = bundles["predict"], bundles["predict-v0"]
    assert [v.id for v in router.manifest.versions] == ["v0", "v1", "v2"]
    assert [v.predictor for v in router.manifest.versions] == ["remote", "python", "remote"]
    assert [v.remote for v in router.manifest.versions] == [
        {"function": "predict-v0", "digest": other.digest},
        None,
        {"function": "predict-v0", "digest": other.digest},
    ]
    assert [v.id for v in other.manifest.versions] == ["v0", "v2"]
    for asked, served in zip(
        (router.manifest.versions[0], router.manifest.versions[2]), other.manifest.versions, strict=True
    ):
        assert [t.to_json() for t in asked.inputs] == [t.to_json() for t in served.inputs]
        assert [t.to_json() for t in asked.outputs] == [t.to_json() for t in served.outputs]
        assert (asked.columns, asked.frame, asked.artifact) == (served.columns, served.frame, "")
    models = [
        {n for n in b.manifest.files if n.startswith("models/") and n.endswith(".py")}
        for b in (router, other)
    ]
    assert models == [{"models/v1/one.py"}, {"models/v0/two.py", "models/v2/two.py"}]


def test_contract_and_application_are_the_routers_alone(folder: Path, tmp_path: Path) -> None:
    bundles = build(folder, tmp_path / "bundles")
    router, other = bundles["predict"].manifest, bundles["predict-v0"].manifest
    assert router.contract is not None
    assert (other.contract, other.app) == (None, None)
    assert router.app == "app/app.py:app"
    assert not [name for name in other.files if name.startswith("app/")]


def test_another_model_elsewhere_is_another_digest_of_the_router(folder: Path, tmp_path: Path) -> None:
    before = build(folder, tmp_path / "before")
    assert build(folder, tmp_path / "same")["predict"].digest == before["predict"].digest
    (folder / "two.py").write_text(MODEL.replace("return inputs", "return {'y': [[1.0]]}"))
    after = build(folder, tmp_path / "after")
    assert after["predict-v0"].digest != before["predict-v0"].digest
    assert after["predict"].digest != before["predict"].digest


def test_agreeing_versions_have_the_one_bundle_as_ever(folder: Path, tmp_path: Path) -> None:
    spec = make_spec()
    (built,) = build_bundles(
        spec,
        group_versions(spec, {}),
        prepare_models(spec, folder, tmp_path / "scratch"),
        folder,
        tmp_path / "bundles",
    ).values()
    manifest = Bundle(str(built.folder), built.digest).manifest
    assert [(v.predictor, v.remote) for v in manifest.versions] == [("python", None), ("python", None)]
