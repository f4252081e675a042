"""Clients that others wrote, unmodified, against a deployment."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import tritonclient.http as triton
import yaml

from tests.lastmile_sls.commands import Workspace, ask, workspace

pytestmark = pytest.mark.conformance
EXAMPLE = Path(__file__).parents[2] / "examples" / "breast-cancer"
MODEL = "breast-cancer"
MODELS = {"v1": "champion", "v2": "challenger"}
VERTEX = f"projects/p-1/locations/europe-west1/endpoints/{MODEL}"
KSERVE = "kserve==0.21.0"
"""It needs an older psutil than ours, so it gets a virtual environment of its own."""


class Deployed:
    """The example, deployed: where it answers, and what its models predict for some of the held-out rows."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.url = work.run("url").stdout.strip()

    @cached_property
    def key(self) -> str:
        return self.work.run("key").stdout.strip()

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key}  # a new one each time: tritonclient leaves its own headers in it

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")

    @cached_property
    def columns(self) -> list[str]:
        with self._held_out.open() as file:
            return next(csv.reader(file))[:-1]

    @cached_property
    def rows(self) -> Any:
        return np.loadtxt(self._held_out, delimiter=",", skiprows=1)[:20, :-1]

    @cached_property
    def text(self) -> str:
        """The rows as CSV, without a header."""
        return "\n".join(",".join(map(repr, row)) for row in self.rows.tolist())

    def model(self, version: str) -> Any:
        return joblib.load(self.work.folder / "models" / f"{MODELS[version]}.joblib")

    def expected(self, version: str = "v1") -> list[int]:
        found: list[int] = self.model(version).predict(self.rows).tolist()
        return found

    @property
    def _held_out(self) -> Path:
        return self.work.folder / "models" / "held_out.csv"


def deploy(work: Workspace, **endpoint: str) -> Deployed:
    """Deploy the example's own models under the names of their columns, which they do not know themselves.

    The champion gets all that is not pinned, so that answers can be foretold.
    """
    (work.folder / "train.py").write_text((EXAMPLE / "train.py").read_text())
    spec = (EXAMPLE / "lastmile.yaml").read_text().replace("{v1: 90, v2: 10}", "{v1: 100, v2: 0}")
    for name, value in endpoint.items():
        spec = spec.replace(f"{name}: key", f"{name}: {value}")
    subprocess.run([sys.executable, "train.py"], cwd=work.folder, check=True, stdout=subprocess.DEVNULL)
    with (work.folder / "models" / "held_out.csv").open() as file:
        columns = [{"name": name, "datatype": "FP64"} for name in next(csv.reader(file))[:-1]]
    more = {"contract": {"inputs": columns}, "targets": {"local": {"port": work.port}}}
    (work.folder / "lastmile.yaml").write_text(yaml.safe_dump({**yaml.safe_load(spec), **more}))
    work.run("up")
    return Deployed(work)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The example behind a key."""
    with workspace(tmp_path_factory.mktemp("key")) as work:
        yield deploy(work)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The example without a key, for clients that can send none."""
    with workspace(tmp_path_factory.mktemp("public")) as work:
        yield deploy(work, auth="public")


@pytest.fixture(scope="module")
def kserve_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has KServe's SDK."""
    uv = Path(sys.executable).with_name("uv")
    if sys.version_info >= (3, 14) or not uv.exists():
        pytest.skip(f"{KSERVE} needs Python below 3.14, and uv beside it")
    folder = tmp_path_factory.mktemp("kserve") / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, KSERVE], check=True)
    return python


def test_tritonclient_over_json(example: Deployed) -> None:
    client, headers, rows = triton.InferenceServerClient(example.address), example.headers, example.rows
    assert client.is_server_live(headers)
    assert client.is_server_ready(headers)
    assert client.is_model_ready(MODEL, headers=headers)
    assert client.is_model_ready(MODEL, "v2", headers=headers)
    assert client.get_server_metadata(headers)["name"] == "lastmile"
    metadata = client.get_model_metadata(MODEL, headers=headers)
    assert metadata["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 30]}]
    tensor = triton.InferInput("input", list(rows.shape), "FP64")
    tensor.set_data_from_numpy(rows, binary_data=False)
    wanted = [triton.InferRequestedOutput(name, binary_data=False) for name in ("predict", "predict_proba")]
    for version in MODELS:
        answer = client.infer(
            MODEL, [tensor], model_version=version, outputs=wanted, headers=headers, request_id="r-1"
        )
        model = example.model(version)
        np.testing.assert_allclose(answer.as_numpy("predict_proba"), model.predict_proba(rows), atol=1e-6)
        np.testing.assert_array_equal(answer.as_numpy("predict"), model.predict(rows))
        assert answer.get_response()["id"] == "r-1"
        assert answer.get_response()["model_version"] == version


@pytest.mark.parametrize("named", [False, True])
def test_tritonclient_with_binary_tensors_as_it_does_by_default(example: Deployed, named: bool) -> None:
    client, rows = triton.InferenceServerClient(example.address), example.rows
    tensor = triton.InferInput("input", list(rows.shape), "FP64")
    tensor.set_data_from_numpy(rows)
    wanted = [triton.InferRequestedOutput("predict"), triton.InferRequestedOutput("predict_proba", False)]
    answer = client.infer(MODEL, [tensor], outputs=wanted if named else None, headers=example.headers)
    model, outputs = example.model("v1"), answer.get_response()["outputs"]
    sizes = {output["name"]: output.get("parameters") for output in outputs}
    in_json = None if named else {"binary_data_size": 320}
    assert sizes == {"predict": {"binary_data_size": 160}, "predict_proba": in_json}
    np.testing.assert_array_equal(answer.as_numpy("predict"), model.predict(rows))
    np.testing.assert_allclose(answer.as_numpy("predict_proba"), model.predict_proba(rows), atol=1e-6)


@pytest.mark.parametrize("binary", [False, True])
def test_tritonclient_is_told_what_is_wrong(example: Deployed, binary: bool) -> None:
    client, rows = triton.InferenceServerClient(example.address), np.zeros((1, 29))
    tensor = triton.InferInput("input", list(rows.shape), "FP64")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    wanted = [triton.InferRequestedOutput("predict", binary_data=binary)]
    with pytest.raises(triton.InferenceServerException, match="29 columns, but the model takes 30"):
        client.infer(MODEL, [tensor], outputs=wanted, headers=example.headers)
    with pytest.raises(triton.InferenceServerException, match="x-api-key"):
        client.infer(MODEL, [tensor], outputs=wanted, headers={"x-api-key": "wrong"})


def test_kserves_client(example: Deployed, kserve_python: Path) -> None:
    given = {"url": example.url, "key": example.key, "model": MODEL, "rows": example.rows.tolist()}
    script = Path(__file__).with_name("kserve_client.py")
    run = subprocess.run(
        [kserve_python, script], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    expected = example.expected()
    assert found["v1"] == {"ready": True, "predictions": expected, "version": "v1"}
    assert found["v2"] == {"live": True, "ready": True, "json": expected, "binary": expected}
    assert found["pinned"] == example.expected("v2")
    assert found["refused"] == 400


def test_mlflows_client(public: Deployed) -> None:
    scoring = pytest.importorskip(
        "mlflow.pyfunc.scoring_server.client", reason="mlflow-skinny is not installed"
    )
    host, _, port = public.address.partition(":")
    client = scoring.ScoringServerClient(host, port)
    client.wait_server_ready(timeout=30)
    assert client.get_version() == "0.1.0"
    frame = pd.DataFrame(public.rows, columns=public.columns)
    for data in (frame, public.rows, public.rows.tolist()):
        answer = client.invoke(data)
        assert answer.get_predictions("ndarray").tolist() == public.expected()
    assert client.invoke(frame, params={"temperature": 0.5}).get_predictions("ndarray").shape == (20,)
    with pytest.raises(Exception, match=r"error code 400, response: .*unknown inputs: 'more'"):
        client.invoke(frame.assign(more=1.0))


def test_boto3s_sagemaker_runtime(example: Deployed) -> None:
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=example.url,
        region_name="eu-west-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    # Whoever signs its requests for AWS sends our key beside the signature.
    event = "before-sign.sagemaker-runtime.InvokeEndpoint"
    client.meta.events.register(
        event, lambda request, **_: request.headers.add_header("x-api-key", example.key)
    )
    rows = example.rows.tolist()
    answer = client.invoke_endpoint(EndpointName=MODEL, Body=json.dumps({"instances": rows}))
    assert json.load(answer["Body"]) == {"predictions": example.expected()}
    assert (answer["InvokedProductionVariant"], answer["ContentType"]) == ("v1", "application/json")
    answer = client.invoke_endpoint(
        EndpointName=MODEL,
        Body=example.text,
        ContentType="text/csv",
        Accept="text/csv",
        TargetVariant="v2",
        InferenceId="claim-17",
    )
    assert answer["Body"].read().decode().split() == [str(value) for value in example.expected("v2")]
    assert answer["InvokedProductionVariant"] == "v2"
    sent = answer["ResponseMetadata"]["HTTPHeaders"]
    assert (sent["x-model-route"], sent["x-amzn-sagemaker-inference-id"]) == ("rule=pin", "claim-17")
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.invoke_endpoint(EndpointName=MODEL, Body=b"[[1, 2]]", ContentType="application/json")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert refused.value.response["Error"]["Message"].startswith("row 0 has 2 values, but there are 30: ")


def test_googles_vertex_client(example: Deployed) -> None:
    prediction = "google.cloud.aiplatform_v1.services.prediction_service"
    service = pytest.importorskip(prediction, reason="google-cloud-aiplatform is not installed")
    rest = pytest.importorskip(f"{prediction}.transports.rest")
    errors, credentials = map(pytest.importorskip, ("google.api_core.exceptions", "google.auth.credentials"))
    transport = rest.PredictionServiceRestTransport(
        host=example.url, credentials=credentials.AnonymousCredentials()
    )
    client = service.PredictionServiceClient(transport=transport)
    metadata = [("x-api-key", example.key)]
    rows = example.rows.tolist()
    answer = client.predict(endpoint=VERTEX, instances=rows, metadata=metadata)
    assert [int(value) for value in answer.predictions] == example.expected()
    assert (answer.deployed_model_id, answer.model_version_id) == ("v1", "v1")
    assert answer.model == f"projects/p-1/locations/europe-west1/models/{MODEL}"
    pinned = client.predict(endpoint=VERTEX, instances=rows, metadata=[*metadata, ("x-model-version", "v2")])
    assert [int(value) for value in pinned.predictions] == example.expected("v2")
    with pytest.raises(errors.BadRequest, match="row 0 has 2 values, but there are 30"):
        client.predict(endpoint=VERTEX, instances=[[1, 2]], metadata=metadata)


def test_azure_machine_learnings_score(example: Deployed) -> None:
    rows, score = example.rows.tolist(), f"{example.url}/score"
    frame = {"columns": example.columns, "index": list(range(20)), "data": rows}
    for document in ({"data": rows}, {"input_data": frame}):
        answer = ask(score, example.headers, document)
        assert (answer.status, answer.document) == (200, example.expected())
    pinned = ask(score, {**example.headers, "azureml-model-deployment": "v2"}, {"Inputs": {"data": rows}})
    assert pinned.document == {"Results": example.expected("v2")}
    assert pinned.headers["azureml-model-deployment"] == "v2"
    assert pinned.headers["x-model-route"] == "rule=pin"
    swagger = ask(f"{example.url}/swagger.json", example.headers, None).document
    row = swagger["definitions"]["ServiceInput"]["properties"]["data"]["items"]
    assert list(row["properties"]) == example.columns
    named = [dict(zip(row["properties"], values, strict=True)) for values in rows]
    assert ask(score, example.headers, {"data": named}).document == example.expected()


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        (f"/v1/models/{MODEL}:predict", None, '{"instances": [%s]}'),
        (f"/v1/{VERTEX}:rawPredict", None, '{"instances": [%s]}'),
        ("/invocations", None, '{"dataframe_split": {"data": [%s]}}'),
        (f"/endpoints/{MODEL}/invocations", "application/json", "[%s]"),
        ("/invocations", "text/csv; charset=utf-8", None),
    ],
)
def test_curl(example: Deployed, path: str, content_type: str | None, body: str | None) -> None:
    if not shutil.which("curl"):
        pytest.skip("there is no curl")
    header = ",".join(example.columns)
    content = body % example.text.replace("\n", "],[").join("[]") if body else f"{header}\n{example.text}\n"
    command = ["curl", "-sS", "--fail-with-body", "-H", f"x-api-key: {example.key}", "--data-binary", "@-"]
    command += ["-H", f"content-type: {content_type}"] if content_type else []
    run = subprocess.run(
        [*command, f"{example.url}{path}"], input=content, capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == {"predictions": example.expected()}
