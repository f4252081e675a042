"""Clients that others wrote, unmodified, against a deployment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import tritonclient.http as triton

from tests.lastmile_sls.commands import Workspace

pytestmark = pytest.mark.conformance
EXAMPLE = Path(__file__).parents[2] / "examples" / "breast-cancer"


@pytest.fixture
def example(work: Workspace) -> Workspace:
    """The example's own spec and models, deployed."""
    (work.folder / "train.py").write_text((EXAMPLE / "train.py").read_text())
    spec = (EXAMPLE / "lastmile.yaml").read_text()
    (work.folder / "lastmile.yaml").write_text(f"{spec}\ntargets: {{local: {{port: {work.port}}}}}\n")
    subprocess.run([sys.executable, "train.py"], cwd=work.folder, check=True, stdout=subprocess.DEVNULL)
    work.run("up")
    return work


def test_tritonclient(example: Workspace) -> None:
    url, key = example.run("url").stdout.strip(), example.run("key").stdout.strip()
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    headers = {"x-api-key": key}
    assert client.is_server_live(headers)
    assert client.is_server_ready(headers)
    assert client.is_model_ready("breast-cancer", headers=headers)
    assert client.is_model_ready("breast-cancer", "v2", headers=headers)
    assert client.get_server_metadata(headers)["name"] == "lastmile"
    metadata = client.get_model_metadata("breast-cancer", headers=headers)
    assert metadata["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 30]}]
    rows = np.loadtxt(example.folder / "models" / "held_out.csv", delimiter=",", skiprows=1)[:20, :-1]
    tensor = triton.InferInput("input", list(rows.shape), "FP64")
    tensor.set_data_from_numpy(rows, binary_data=False)
    wanted = [triton.InferRequestedOutput(name, binary_data=False) for name in ("predict", "predict_proba")]
    for version, artifact in (("v1", "champion"), ("v2", "challenger")):
        answer = client.infer(
            "breast-cancer",
            [tensor],
            model_version=version,
            outputs=wanted,
            headers=headers,
            request_id="r-1",
        )
        model = joblib.load(example.folder / "models" / f"{artifact}.joblib")
        np.testing.assert_allclose(answer.as_numpy("predict_proba"), model.predict_proba(rows), atol=1e-6)
        np.testing.assert_array_equal(answer.as_numpy("predict"), model.predict(rows))
        assert answer.get_response()["id"] == "r-1"
        assert answer.get_response()["model_version"] == version


def test_tritonclient_is_told_what_is_wrong(example: Workspace) -> None:
    url, key = example.run("url").stdout.strip(), example.run("key").stdout.strip()
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    rows = np.zeros((1, 29))
    tensor = triton.InferInput("input", list(rows.shape), "FP64")
    tensor.set_data_from_numpy(rows, binary_data=False)
    wanted = [triton.InferRequestedOutput("predict", binary_data=False)]
    with pytest.raises(triton.InferenceServerException, match="30"):
        client.infer("breast-cancer", [tensor], outputs=wanted, headers={"x-api-key": key})
    with pytest.raises(triton.InferenceServerException, match="x-api-key"):
        client.infer("breast-cancer", [tensor], outputs=wanted, headers={"x-api-key": "wrong"})
