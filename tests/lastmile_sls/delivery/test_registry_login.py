"""Each cloud's registry is told whoever its own library says that we are; Docker's logins are the second choice."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lastmile_sls.bundle.oci.credentials import Login
from lastmile_sls.bundle.oci.transport import Transport
from lastmile_sls.delivery.registry_login import registry_credentials
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.registries import answering
from tests.lastmile_sls.delivery.kudu import TOKEN

ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
GOOGLE = "europe-west3-docker.pkg.dev"
ACR = "own.azurecr.io"
MISSING = {
    ECR: ("boto3", "boto3, which logs in at", "aws"),
    GOOGLE: ("google.auth", "google-auth, which logs in at", "gcp"),
    ACR: ("azure.identity", "azure-identity, which logs in at Azure,", "azure"),
}


def login_at(registry: str, environ: dict[str, str]) -> Login | None:
    return registry_credentials(environ, lambda _: None)(registry)


@pytest.fixture
def docker(tmp_path: Path) -> dict[str, str]:
    """An environment in which Docker knows nobody."""
    return {"DOCKER_CONFIG": str(tmp_path / "docker"), "HOME": str(tmp_path)}


def keep_login(docker: dict[str, str], registry: str) -> None:
    auth = base64.b64encode(b"ada:secret").decode()
    Path(docker["DOCKER_CONFIG"]).mkdir()
    document = {"auths": {registry: {"auth": auth}}}
    (Path(docker["DOCKER_CONFIG"]) / "config.json").write_text(json.dumps(document))


@pytest.mark.parametrize("registry", list(MISSING))
def test_the_extra_to_install_is_named(
    registry: str, docker: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, told, extra = MISSING[registry]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(LastmileError) as caught:
        login_at(registry, docker)
    assert caught.value.message.startswith(told)
    assert caught.value.message.endswith("is not installed.")
    assert caught.value.hint == f"Install it: pip install 'lastmile-sls[{extra}]'"


@pytest.mark.parametrize("registry", list(MISSING))
def test_dockers_login_takes_the_place_of_a_cloud_that_gives_none(
    registry: str, docker: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, MISSING[registry][0], None)
    keep_login(docker, registry)
    assert login_at(registry, docker) == Login("ada", "secret")


def test_other_registries_are_dockers(docker: dict[str, str]) -> None:
    for registry in ("ghcr.io", "127.0.0.1:5000", f"{ECR}.example.org", "public.ecr.aws", "azurecr.io"):
        assert login_at(registry, docker) is None


def test_a_token_of_googles_is_used_as_it_is(docker: dict[str, str]) -> None:
    for registry in (GOOGLE, "gcr.io", "eu.gcr.io"):
        found = login_at(registry, {**docker, "GOOGLE_OAUTH_ACCESS_TOKEN": "a-token"})
        assert found == Login("oauth2accesstoken", "a-token")


def test_googles_default_credentials_are_asked(
    docker: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    google_auth = pytest.importorskip("google.auth")
    asked: list[Any] = []

    def default(scopes: list[str]) -> tuple[Any, str]:
        asked.append(scopes)
        return SimpleNamespace(
            token="fresh", refresh=lambda request: asked.append(type(request).__name__)
        ), "p"

    monkeypatch.setattr(google_auth, "default", default)
    assert login_at(GOOGLE, docker) == Login("oauth2accesstoken", "fresh")
    assert asked == [["https://www.googleapis.com/auth/cloud-platform"], "Request"]

    def fail(scopes: list[str]) -> tuple[Any, str]:
        raise google_auth.exceptions.DefaultCredentialsError("Your default credentials were not found.\nmore")

    monkeypatch.setattr(google_auth, "default", fail)
    with pytest.raises(LastmileError) as caught:
        login_at(GOOGLE, docker)
    assert str(caught.value) == (
        f"Google gives no login at {GOOGLE}: Your default credentials were not found.\n"
        "Log in: gcloud auth application-default login."
    )


def test_ecr_is_asked_in_its_region(docker: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore")
    asked: list[tuple[str, str]] = []
    token = base64.b64encode(b"AWS:a:word").decode()

    def client(service: str, region_name: str) -> Any:
        asked.append((service, region_name))
        answer = {"authorizationData": [{"authorizationToken": token}]}
        return SimpleNamespace(get_authorization_token=lambda: answer)

    fake: Any = ModuleType("boto3")
    fake.client = client
    monkeypatch.setitem(sys.modules, "boto3", fake)
    assert login_at(ECR, docker) == Login("AWS", "a:word")
    login_at("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", docker)
    login_at("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", docker)
    assert asked == [("ecr", "eu-central-1"), ("ecr", "us-gov-west-1"), ("ecr", "cn-north-1")]


@pytest.fixture
def acr(azure_cli: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Answer in ACR's place; yield what it answers, and what it was asked."""
    answers: dict[str, Any] = {}
    forms: list[Any] = []
    exchange = Transport.exchange
    with answering(answers) as (address, _):

        def to_fake(self: Transport, method: str, url: str, headers: Any, body: Any = b"") -> Any:
            forms.append((method, url, body))
            return exchange(self, method, url.replace(f"https://{ACR}", f"http://{address}"), headers, body)

        monkeypatch.setattr(Transport, "exchange", to_fake)
        yield answers, forms


def test_an_entra_token_is_exchanged_at_acr(
    docker: dict[str, str], acr: tuple[dict[str, Any], list[Any]]
) -> None:
    answers, forms = acr
    answers["/oauth2/exchange"] = (200, {}, b'{"refresh_token": "of-the-registry"}')
    assert login_at(ACR, docker) == Login(identity_token="of-the-registry")
    body = f"grant_type=access_token&service={ACR}&access_token={TOKEN}"
    assert forms == [("POST", f"https://{ACR}/oauth2/exchange", body.encode())]


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, b"{}", f"{ACR} gives no login: it answered 401."),
        (200, b"{}", f"{ACR} gives no login: its answer has no refresh_token."),
    ],
)
def test_an_acr_that_refuses_is_told(
    docker: dict[str, str], acr: tuple[dict[str, Any], list[Any]], status: int, body: bytes, told: str
) -> None:
    acr[0]["/oauth2/exchange"] = (status, {}, body)
    with pytest.raises(LastmileError) as caught:
        login_at(ACR, docker)
    assert caught.value.message == told
    assert TOKEN not in str(caught.value)
