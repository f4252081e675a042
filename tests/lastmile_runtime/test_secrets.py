"""Secrets are in the environment before a model is, or the function does not start and says which one is missing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.errors import BundleError
from lastmile_runtime.http import Request, Response
from lastmile_runtime.secrets import read_secrets
from tests.lastmile_runtime.bundles import python_bundle, routing
from tests.lastmile_runtime.fronts import Front, front
from tests.lastmile_runtime.test_boundary import COSTLY, HANDLERS

KEYS = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-secret"
OTHER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:a/b"
REFERENCE = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/db)"
# A model that reads its secret while its module is imported, started as an adapter does.
NEEDS_IT = """
import os
PASSWORD = os.environ["DB_PASSWORD"]
class Model:
    def predict(self, inputs):
        return {"doubled": [[len(PASSWORD)]]}
"""
START = """
import os, sys
sys.path.insert(0, sys.argv[1])
from lastmile_runtime import jsons
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
application = start(os.environ, Log("predict", lambda line: None), keeps_running=False)
body = b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}'
answer = application.handle(Request("POST", "/v2/models/breast-cancer/infer", {}, body))
print(jsons.dumps({"answer": jsons.loads(answer.body), "loaded": sorted(sys.modules)}))
"""


@contextmanager
def vault(values: dict[str, Any]) -> Iterator[Front]:
    """Secrets Manager with these secrets, asked for by name: a document or an answer, by ARN."""

    def answer(request: Request) -> Response:
        named = {arn.split(":", 6)[6]: value for arn, value in values.items()}
        found = named.get(json.loads(request.body)["SecretId"])
        if found is None:
            return Response(400, {"x-amzn-errortype": "ResourceNotFoundException"}, b"{}")
        return found if isinstance(found, Response) else Response(200, {}, json.dumps(found).encode())

    with front(answer) as server:
        yield server


def read(server: Front, places: Any, **environ: str) -> dict[str, str]:
    into: dict[str, str] = {}
    document = places if isinstance(places, str) else json.dumps(places)
    endpoint = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.url}
    read_secrets({**KEYS, **endpoint, "LASTMILE_SECRETS": document, **environ}, into)
    return into


def test_a_secret_is_asked_for_by_its_name_and_put_under_the_variables() -> None:
    with vault({ARN: {"SecretString": "grün\n"}}) as server:
        assert read(server, {"DB_PASSWORD": ARN}) == {"DB_PASSWORD": "grün\n"}
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.headers["content-type"]) == (
        "POST",
        "/",
        "application/x-amz-json-1.1",
    )
    assert asked.headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert (
        "/eu-west-1/secretsmanager/aws4_request, SignedHeaders=content-type;host;"
        in asked.headers["authorization"]
    )


def test_several_are_asked_for_at_once_each_in_its_region() -> None:
    both = threading.Barrier(2, timeout=20)

    def answer(request: Request) -> Response:
        both.wait()
        return Response(200, {}, json.dumps({"SecretString": json.loads(request.body)["SecretId"]}).encode())

    with front(answer) as server:
        assert read(server, {"A": ARN, "B": OTHER}) == {"A": "db-secret", "B": "a/b"}
    regions = {request.headers["authorization"].split("/")[2] for request in server.asked}
    assert regions == {"eu-west-1", "us-east-1"}


def test_credentials_are_asked_for_once() -> None:
    found = {"AccessKeyId": "K", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}
    with (
        front(lambda _: Response(200, {}, json.dumps(found).encode())) as platform,
        vault({ARN: {"SecretString": "1"}, OTHER: {"SecretString": "2"}}) as server,
    ):
        places = json.dumps({"A": ARN, "B": OTHER})
        environ = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": platform.url,
            "AWS_ENDPOINT_URL": server.url,
            "LASTMILE_SECRETS": places,
        }
        into: dict[str, str] = {}
        read_secrets(environ, into)
    assert into == {"A": "1", "B": "2"}
    assert len(platform.asked) == 1


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "cannot be had: AWS Secrets Manager answered 400 (ResourceNotFoundException)."),
        (Response(200, {}, b"hunter2"), "cannot be had: the answer is not AWS Secrets Manager's."),
        (Response(200, {}, b'["hunter2"]'), "cannot be had: the answer is not AWS Secrets Manager's."),
        (
            {"SecretBinary": "aHVudGVyMg=="},
            "is binary, but a variable has text: store it as a SecretString.",
        ),
        ({"Name": "hunter2"}, "has no value."),
    ],
)
def test_a_secret_that_cannot_be_had_is_named_with_its_arn_and_never_its_value(
    found: Any, message: str
) -> None:
    with (
        vault({ARN: found, OTHER: {"SecretString": "hunter2"}}) as server,
        pytest.raises(BundleError) as refused,
    ):
        read(server, {"GOOD": OTHER, "DB_PASSWORD": ARN})
    assert str(refused.value) == f"the secret of DB_PASSWORD, {ARN}, {message}"


@pytest.mark.parametrize("value", ["hunter\0002", "hunter\ud800"])
def test_a_value_that_no_variable_can_have(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    with vault({ARN: {"SecretString": value}}) as server:
        environ = {"AWS_ENDPOINT_URL": server.url, "LASTMILE_SECRETS": json.dumps({"DB_PASSWORD": ARN})}
        with pytest.raises(BundleError) as refused:
            read_secrets({**KEYS, **environ})
    assert (
        str(refused.value) == f"the secret of DB_PASSWORD, {ARN}, has characters that no variable can have."
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "LASTMILE_SECRETS is not JSON: "),
        ("[]", "LASTMILE_SECRETS must be an object: the ARN of a secret by variable."),
        *(
            (
                json.dumps({"DB": place}),
                "LASTMILE_SECRETS has no ARN of a secret for 'DB'; it must be arn:PARTITION:",
            )
            for place in (
                "hunter2",
                7,
                "arn:aws:ssm:eu-west-1:1:parameter/x",
                "arn:aws:secretsmanager::1:secret:x",
            )
        ),
    ],
)
def test_what_names_no_secrets(document: str, message: str) -> None:
    with vault({}) as server, pytest.raises(BundleError) as refused:
        read(server, document)
    assert str(refused.value).startswith(message)
    assert "hunter2" not in str(refused.value)
    assert server.asked == []


def test_a_function_that_is_nobody_has_no_secrets() -> None:
    with pytest.raises(BundleError) as refused:
        read_secrets({"LASTMILE_SECRETS": json.dumps({"DB": ARN})}, {})
    assert str(refused.value) == (
        f"the secret of DB, {ARN}, cannot be had: the environment has no credentials of AWS."
    )
    with front(lambda _: Response(403, {}, b"")) as platform:
        url = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": platform.url}
        with pytest.raises(BundleError) as refused:
            read_secrets({"LASTMILE_SECRETS": json.dumps({"DB": ARN}), **url}, {})
    assert str(refused.value) == (
        f"the secret of DB, {ARN}, cannot be had: there are no credentials of AWS: OSError: {platform.place} gives this "
        "function no credentials: it answered 403."
    )


@pytest.mark.parametrize(
    "text", [REFERENCE, REFERENCE.upper(), "@Microsoft.KeyVault(VaultName=v;SecretName=db)"]
)
def test_a_reference_that_azure_could_not_resolve_is_no_secret(text: str) -> None:
    environ = {"WEBSITE_SITE_NAME": "churn", "APPSETTING_DB_PASSWORD": text, "DB_PASSWORD": text}
    with pytest.raises(BundleError) as refused:
        read_secrets(environ, {})
    assert str(refused.value) == (
        "DB_PASSWORD is still a reference to Key Vault, which Azure could not resolve: the secret must be there, and the "
        "app's identity may read it."
    )
    into: dict[str, str] = {}
    read_secrets({"WEBSITE_SITE_NAME": "churn", "DB_PASSWORD": "resolved"}, into)
    assert into == {}


def started(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    known = {
        **KEYS,
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": python_bundle(folder, NEEDS_IT),
        "LASTMILE_ROUTING": json.dumps(routing()),
    }
    command = [sys.executable, "-I", "-c", START, str(HANDLERS)]
    return subprocess.run(command, env={**known, **environ}, capture_output=True, text=True, check=False)


def test_a_model_has_its_secret_when_it_is_imported_and_nothing_costly_is(tmp_path: Path) -> None:
    with vault({ARN: {"SecretString": "hunter2"}}) as server:
        run = started(
            tmp_path, AWS_ENDPOINT_URL=server.url, LASTMILE_SECRETS=json.dumps({"DB_PASSWORD": ARN})
        )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["answer"]["outputs"][0]["data"] == [7]
    assert not set(found["loaded"]) & (COSTLY | {"threading", "obstore", "boto3", "datetime"})


def test_without_secrets_nothing_of_them_is_imported(tmp_path: Path) -> None:
    run = started(tmp_path, DB_PASSWORD="hunter2")
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["answer"]["outputs"][0]["data"] == [7]
    assert not {"lastmile_runtime.secrets", "lastmile_runtime.aws"} & set(found["loaded"])


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"LASTMILE_SECRETS": json.dumps({"DB_PASSWORD": "hunter2"})},
            "LASTMILE_SECRETS has no ARN of a secret",
        ),
        (
            {"WEBSITE_SITE_NAME": "churn", "DB_PASSWORD": REFERENCE},
            "DB_PASSWORD is still a reference to Key Vault, which Azure could not resolve",
        ),
    ],
)
def test_a_function_without_its_secrets_does_not_start(
    tmp_path: Path, environ: dict[str, str], message: str
) -> None:
    run = started(tmp_path, **environ)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith(f"lastmile_runtime.errors.BundleError: {message}")
    assert "hunter2" not in run.stderr
