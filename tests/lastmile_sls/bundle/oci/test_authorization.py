"""Challenges that a registry should not make: the login goes nowhere, and what is wrong is told."""

from __future__ import annotations

import contextlib
import email.message
import http.client

import pytest

from lastmile_sls.bundle.oci.authorization import Authorization
from lastmile_sls.bundle.oci.credentials import Login
from lastmile_sls.bundle.oci.reference import parse_registry_reference
from lastmile_sls.bundle.oci.transport import Answer, Transport
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.oci.registries import Answers, answering

LOGIN = Login("ada", "the-password")
BASIC = f"Basic {LOGIN.basic}"


def challenge(*lines: str) -> Answer:
    headers = http.client.HTTPMessage()
    for line in lines:
        headers["WWW-Authenticate"] = line
    assert isinstance(headers, email.message.Message)
    return Answer(401, headers, b"")


def authorization(login: Login | None = LOGIN, reference: str = "localhost:1/a:1") -> Authorization:
    scopes = ["repository:a:pull"]
    parsed = parse_registry_reference(reference)
    return Authorization(parsed, scopes, lambda _: login, Transport(), lambda _: None)


def test_basic_is_answered_once() -> None:
    found = authorization()
    assert found.renew(challenge('Basic realm="x"'))
    assert found.header == BASIC
    assert not found.renew(challenge('Basic realm="x"'))


@pytest.mark.parametrize("line", ["", "Negotiate", 'Digest realm="x"'])
def test_what_is_not_known_is_not_answered(line: str) -> None:
    found = authorization()
    assert not found.renew(challenge(line))
    assert found.header == ""


def test_basic_without_a_login_is_not_answered() -> None:
    assert not authorization(None).renew(challenge('Basic realm="x"'))


@pytest.mark.parametrize(
    "token", [b'{"token": "t"}', b'{"access_token": "t"}', b'{"token": "", "access_token": "t"}']
)
def test_a_token_under_either_name_and_rather_than_basic(token: bytes) -> None:
    with answering({"/token": (200, {}, token)}) as (address, asked):
        found = authorization()
        line = f'bearer Realm="http://{address}/token?account=x", service=s, scope="repository:a:pull registry:c:*"'
        assert found.renew(challenge('Basic realm="x"', line))
    assert found.header == "Bearer t"
    query = "account=x&service=s&scope=repository%3Aa%3Apull&scope=registry%3Ac%3A%2A"
    assert asked == [("GET", f"/token?{query}", BASIC)]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (403, b"no", "localhost:1/a:1: the token service {} answered 403 (no)."),
        (403, b"", "localhost:1/a:1: the token service {} answered 403."),
        (
            500,
            f"you sent {BASIC}, which is the-password".encode(),
            "localhost:1/a:1: the token service {} answered 500 (you sent Basic ***, which is ***).",
        ),
        (200, b"{}", "localhost:1/a:1: the token service {} gave no token."),
        (200, b'{"token": 1}', "localhost:1/a:1: the token service {} gave no token."),
        (200, b'{"token": "a\\r\\nHost: b"}', "localhost:1/a:1: the token service {} gave no token."),
        (200, b"[]", "the answer of {} is not a JSON object."),
    ],
)
def test_a_service_without_a_token_is_told(status: int, body: bytes, message: str) -> None:
    answers: Answers = {"/token": (status, {}, body)}
    with answering(answers) as (address, _), pytest.raises(LastmileError) as caught:
        authorization().renew(challenge(f'Bearer realm="http://{address}/token"'))
    assert caught.value.message == message.format(address)
    assert LOGIN.password not in str(caught.value)


@pytest.mark.parametrize("realm", ["", "token", "file:///etc/passwd", "ftp://r.io/token"])
def test_a_realm_that_is_no_url_is_told(realm: str) -> None:
    with pytest.raises(LastmileError) as caught:
        authorization().renew(challenge(f'Bearer realm="{realm}"'))
    assert caught.value.message == f"localhost:1/a:1: the registry names the token service {realm!r}, no URL."


def test_the_login_is_not_sent_without_tls() -> None:
    with answering({"/token": (200, {}, b'{"token": "t"}')}) as (address, asked):
        with pytest.raises(LastmileError) as caught:
            authorization(LOGIN, "r.io/a:1").renew(challenge(f'Bearer realm="http://{address}/token"'))
        assert asked == []
    told = f"r.io/a:1: the registry names the token service {address}, which is not encrypted."
    assert (caught.value.message, caught.value.hint) == (told, "The login was not sent.")


def test_a_login_is_looked_for_only_when_it_is_asked_for() -> None:
    asked: list[str] = []

    def find(registry: str) -> Login | None:
        asked.append(registry)
        return None

    parsed = parse_registry_reference("localhost:1/a:1")
    found = Authorization(parsed, [], find, Transport(), lambda _: None)
    assert asked == []
    with contextlib.suppress(LastmileError):
        found.renew(challenge('Basic realm="x"'))
    assert asked == ["localhost:1"]
    assert found.hint == "No login at localhost:1 was found: run docker login localhost:1."


def test_what_a_server_says_is_told_without_our_secrets() -> None:
    found = authorization()
    assert found.scrub("x") == "x"
    found.renew(challenge('Basic realm="x"'))
    assert found.scrub(f"{BASIC} the-password") == "Basic *** ***"
    token = authorization(Login(identity_token="an-identity"))
    with answering({"/token": (200, {}, b'{"token": "t-o-k-e-n"}')}) as (address, _):
        token.renew(challenge(f'Bearer realm="http://{address}/token"'))
    assert token.scrub("t-o-k-e-n an-identity") == "*** ***"
