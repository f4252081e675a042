"""Two functions of one deployment, each behind its cloud's own adapter: the router asks the other as that cloud wants it.

AWS's signatures are checked by botocore, its secrets are moto's; Cloud Run's and Azure's gates are written from their
documentation. moto and botocore come with the `conformance` extra.
"""

from __future__ import annotations

import contextlib
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lastmile_runtime.auth import KEY_HEADER
from lastmile_runtime.aws import Caller, Service
from lastmile_runtime.errors import BundleError
from lastmile_runtime.hashing import sha256
from lastmile_runtime.http import Request, Response
from lastmile_runtime.secrets import read_secrets
from lastmile_runtime.stores.sigv4 import Credentials, sign
from tests.lastmile_runtime.adapters import aws_samples as samples
from tests.lastmile_runtime.adapters import process, runtime_api
from tests.lastmile_runtime.bundles import (
    DOUBLER,
    MODEL,
    matrix,
    python_bundle,
    python_version,
    routing,
    write_bundle,
)
from tests.lastmile_runtime.calls.functions import KEYS, PATH, REMOTE
from tests.lastmile_runtime.calls.tokens import metadata
from tests.lastmile_runtime.fronts import front

pytestmark = pytest.mark.conformance
INFER = f"/v2/models/{MODEL}/infer"
REGION = "eu-west-1"
ALIAS = f"arn:aws:lambda:{REGION}:123456789012:function:predict-v2:live"
PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc")
SHARED_KEY = "between-the-two"
TRIPLER = """
class Model:
    def predict(self, inputs):
        if inputs["x"][0][0] == 13:
            raise RuntimeError("thirteen")
        return {"doubled": [[3 * value for value in row] for row in inputs["x"]]}
"""
USERS = {"x-api-key": "the-users-own", "authorization": "Bearer the-users-own"}
Ask = Callable[[str, dict[str, str], bytes], tuple[int, dict[str, str], Any]]
"""Path, headers and body to status, headers and document."""


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@pytest.mark.parametrize(
    ("service", "path", "headers"),
    [
        ("lambda", "/2015-03-31/functions/predict%3Alive/invocations", {}),
        ("lambda", f"/2015-03-31/functions/{ALIAS.replace(':', '%3A')}/invocations", {}),
        (
            "secretsmanager",
            "/",
            {
                "content-type": "application/x-amz-json-1.1",
                "x-amz-target": "secretsmanager.GetSecretValue",
            },
        ),
    ],
)
@pytest.mark.parametrize("body", [b"", b'{"a": "\xc3\xbc"}', bytes(2_000_000)], ids=len)
def test_signatures_of_posts_are_botocore_s(
    service: str, path: str, headers: dict[str, str], body: bytes, token: str | None
) -> None:
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Theirs

    sent = AWSRequest("POST", f"http://localhost:9000{path}", headers=dict(headers), data=body)
    auth.SigV4Auth(Theirs("KEY", "s/e+c=ret", token), service, REGION).add_auth(sent)
    now = time.strptime(sent.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    ours = sign(
        Credentials("KEY", "s/e+c=ret", token),
        REGION,
        "localhost:9000",
        path,
        now,
        service=service,
        method="POST",
        headers=headers,
        body=body,
    )
    theirs = {name.lower(): value for name, value in sent.headers.items()}
    assert {**headers, **ours} == theirs


@pytest.mark.parametrize("name", ["lambda", "secretsmanager"])
def test_services_are_where_botocore_finds_them(name: str) -> None:
    session = pytest.importorskip("botocore.session").Session()
    client: Any = None
    for partition in PARTITIONS:
        for region in session.get_available_regions(name, partition):
            client = session.create_client(
                name, region_name=region, aws_access_key_id="k", aws_secret_access_key="s"
            )
            ours = Service(name, region, Caller({}), {})
            assert f"https://{ours._client.address.name}" == client.meta.endpoint_url
    assert client is not None


@pytest.fixture(scope="module")
def vault() -> Iterator[tuple[str, Any]]:
    """moto's Secrets Manager: its URL, and a client of AWS's own for it."""
    moto = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    yield (
        url,
        boto3.client(
            "secretsmanager",
            region_name=REGION,
            endpoint_url=url,
            aws_access_key_id="k",
            aws_secret_access_key="s",
        ),
    )
    server.stop()


def read(url: str, places: dict[str, str]) -> dict[str, str]:
    into: dict[str, str] = {}
    read_secrets({**KEYS, "AWS_ENDPOINT_URL": url, "LASTMILE_SECRETS": json.dumps(places)}, into)
    return into


def named(secret: dict[str, Any]) -> str:
    """Return a secret's ARN as far as its name, as the plan has it: AWS adds a hyphen and six characters."""
    arn = str(secret["ARN"])
    assert arn[:-7].endswith(f":secret:{secret['Name']}")
    return arn[:-7]


def test_secrets_are_what_was_stored_last(vault: tuple[str, Any]) -> None:
    url, client = vault
    arns = {
        name: named(client.create_secret(Name=f"churn/{name}", SecretString=f'{name}: "ü"'))
        for name in ("A", "B")
    }
    assert read(url, arns) == {"A": 'A: "ü"', "B": 'B: "ü"'}
    client.put_secret_value(SecretId="churn/A", SecretString="new")
    assert read(url, {"A": arns["A"]}) == {"A": "new"}


def test_secrets_that_cannot_be_had_are_told_in_aws_s_word(vault: tuple[str, Any]) -> None:
    url, client = vault
    binary = named(client.create_secret(Name="binary", SecretBinary=b"hunter2"))
    gone = named(client.create_secret(Name="gone", SecretString="hunter2"))
    client.delete_secret(SecretId="gone")
    none = gone.replace("gone", "none")
    refused = {}
    for name, place in (("BINARY", binary), ("GONE", gone), ("NONE", none)):
        with pytest.raises(BundleError) as failed:
            read(url, {name: place})
        refused[name] = str(failed.value)
    answered = "cannot be had: AWS Secrets Manager answered"
    assert refused == {
        "BINARY": f"the secret of BINARY, {binary}, is binary, but a variable has text: store it as a SecretString.",
        "GONE": f"the secret of GONE, {gone}, {answered} 400 (InvalidRequestException).",
        "NONE": f"the secret of NONE, {none}, {answered} 404 (ResourceNotFoundException).",  # AWS itself: 400
    }


class Deployment:
    """The bundles of a router, which serves v1, and of the function that serves v2."""

    def __init__(self, folder: Path) -> None:
        self.router, self.other = folder / "router", folder / "other"
        process.copy_runtime(self.router)
        process.copy_runtime(self.other)
        v1 = python_version("v1")
        remote = python_version("v2")
        v2 = type(v1)("v2", "remote", "", inputs=remote.inputs, outputs=remote.outputs, remote=REMOTE.remote)
        self.router_digest = write_bundle(self.router, [v1, v2], {v1.artifact: DOUBLER})
        self.other_digest = python_bundle(self.other, TRIPLER, ("v2",))

    @staticmethod
    def routing(url: str) -> dict[str, str]:
        """Return what the router is told of versions and functions."""
        return {
            "LASTMILE_ROUTING": json.dumps(routing(v1=10_000, v2=0)),
            "LASTMILE_FUNCTIONS": json.dumps({"predict-v2": url}),
        }


OTHER = {"LASTMILE_ROUTING": json.dumps(routing(v2=10_000))}


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def check(router: Ask, other: Ask, own: dict[str, str]) -> None:
    """The router answers for both versions; for v2 as the other function does, whom it asks in its own name."""
    good = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
    for version, expected in (("v1", [2, 4]), ("v2", [3, 6]), ("v2", [3, 6])):
        status, headers, document = router(INFER, {**USERS, "x-model-version": version}, good)
        assert (status, document["outputs"][0]["data"]) == (200, expected)
        assert headers["x-model-version"] == version
    failing = json.dumps({"inputs": [matrix([[13, 2]])]}).encode()
    for body, expected_status in ((good, 200), (failing, 500)):
        found = router(INFER, {**USERS, "x-model-version": "v2"}, body)
        direct = other(f"{PATH}/infer", own, body)
        assert (found[0], found[2]) == (direct[0], direct[2])
        assert found[0] == expected_status


def answered(document: Any) -> tuple[int, dict[str, str], Any]:
    return document["statusCode"], document["headers"], json.loads(document["body"])


def require_signed(request: Request) -> None:
    """Have botocore make the signature of a request anew; it must be the one that the request has."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Theirs

    authorization = request.headers["authorization"]
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    url = f"http://{request.headers['host']}{request.path}"
    sent = AWSRequest(
        request.method, url, headers={name: request.headers[name] for name in names}, data=request.body
    )
    sent.context["timestamp"] = request.headers["x-amz-date"]
    auth = SigV4Auth(Theirs(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"]), "lambda", REGION)
    text = auth.string_to_sign(sent, auth.canonical_request(sent))
    assert authorization.endswith(f"Signature={auth.signature(text, sent)}")


def test_lambda_invokes_lambda(deployment: Deployment) -> None:
    pytest.importorskip("botocore.auth")
    run = runtime_api.running
    with run(runtime_api.BOOTSTRAP, deployment.other, deployment.other_digest, environ=OTHER) as other:

        def invoke(request: Request) -> Response:
            require_signed(request)
            assert request.path == f"/2015-03-31/functions/{ALIAS.replace(':', '%3A')}/invocations"
            assert b"the-users-own" not in request.body
            return Response(200, {}, json.dumps(other.invoke(json.loads(request.body))).encode())

        def ask(function: Any) -> Ask:
            return lambda path, headers, body: answered(
                function.invoke(samples.http_api(rawPath=path, headers=headers, body=body.decode()))
            )

        with front(invoke) as gate:
            environ = {**KEYS, "AWS_ENDPOINT_URL_LAMBDA": gate.url}
            environ.update(deployment.routing(f"lambda://{REGION}/{ALIAS}"))
            with run(
                runtime_api.BOOTSTRAP, deployment.router, deployment.router_digest, environ=environ
            ) as router:
                check(ask(router), ask(other), {})
    assert len(gate.asked) == 5
    assert gate.connections == 1


def over_http(function: process.FunctionProcess) -> Ask:
    def ask(path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
        status, found, content = function.exchange(raw(path, headers, body))
        return status, found, json.loads(content)

    return ask


def raw(path: str, headers: dict[str, str], body: bytes, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "connection: close", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name != "content-length"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def admit(request: Request, audience: str) -> None:
    """Cloud Run's gate: a token whose audience is the service, of an account that may invoke it."""
    scheme, _, token = request.headers["authorization"].partition(" ")
    payload = token.split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert (scheme, claims["aud"], claims["exp"] > time.time()) == ("Bearer", audience, True)
    assert "the-users-own" not in str(request.headers)


def test_cloud_run_asks_cloud_run(deployment: Deployment) -> None:
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(
            process.container(deployment.other, deployment.other_digest, None, **OTHER)
        )
        other.wait_until_it_listens()

        def pass_on(request: Request) -> Response:
            admit(request, gate.url)
            named = {
                name: value for name, value in request.headers.items() if name not in ("host", "connection")
            }
            return Response(*other.exchange(raw(request.path, named, request.body, request.method)))

        gate = stack.enter_context(front(pass_on))
        platform = stack.enter_context(metadata())
        environ = {"GCE_METADATA_HOST": platform.place, **deployment.routing(f"run+{gate.url}")}
        router = stack.enter_context(
            process.container(deployment.router, deployment.router_digest, None, **environ)
        )
        router.wait_until_it_listens()
        check(over_http(router), over_http(other), {})
    assert len(platform.asked) == 1
    assert len(gate.asked) == 5


def azure_function(folder: Path, digest: str, **environ: str) -> Callable[[Request], Response]:
    """Start a function app in this process; return what its host asks."""
    func = pytest.importorskip("azure.functions")
    from lastmile_runtime.adapters.azure import create

    known = {
        "WEBSITE_SITE_NAME": folder.name,
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": digest,
    }
    (predict,) = create({**known, **environ}).get_functions()
    context = SimpleNamespace(invocation_id="invocation-1")

    def answer(request: Request) -> Response:
        url = f"https://{folder.name}.azurewebsites.net{request.path}"
        given = func.HttpRequest(request.method, url, headers=request.headers, body=request.body)
        found = predict.get_user_function()(given, context)
        return Response(found.status_code, dict(found.headers), found.get_body())

    return answer


def test_azure_asks_azure(deployment: Deployment) -> None:
    hasher = sha256(len(SHARED_KEY))
    hasher.update(SHARED_KEY.encode())
    auth = json.dumps({"keys": [f"sha256:{hasher.hexdigest()}"]})
    other = azure_function(deployment.other, deployment.other_digest, LASTMILE_AUTH=auth, **OTHER)

    def ask(function: Callable[[Request], Response]) -> Ask:
        def answer(path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
            found = function(Request("POST", path, dict(headers), body))
            return found.status, found.headers, json.loads(found.body)

        return answer

    with front(other) as gate:
        environ = {"LASTMILE_FUNCTIONS_KEY": SHARED_KEY, **deployment.routing(f"key+{gate.url}")}
        router = azure_function(deployment.router, deployment.router_digest, **environ)
        check(ask(router), ask(other), {KEY_HEADER: SHARED_KEY})
        assert ask(other)(f"{PATH}/infer", USERS, b"{}")[0] == 401
    assert len(gate.asked) == 5
    assert all("the-users-own" not in str(request.headers) for request in gate.asked)
