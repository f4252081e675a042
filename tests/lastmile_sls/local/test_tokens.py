"""Routes that JSON Web Tokens open."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.lastmile_sls.local.conftest import World


class Issuer:
    """Publishes one key, and counts how often it is asked for it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.asked = 0
        published = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        keys = {"keys": [{**published, "kid": "k1", "use": "sig", "alg": "ES256"}]}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += self.path == "/keys"
                document = {
                    "/.well-known/openid-configuration": {"jwks_uri": f"{issuer.url}/keys"},
                    "/keys": keys,
                }
                content = json.dumps(document[self.path]).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def token(self, **changes: Any) -> str:
        claims = {"iss": self.url, "aud": "models", "exp": time.time() + 600, **changes}
        return jwt.encode(claims, self.key, "ES256", {"kid": "k1"})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    try:
        yield made
    finally:
        made.close()


def serve(world: World, issuer: Issuer) -> str:
    world.function()
    return world.route(auth="jwt", jwt={"issuer": issuer.url, "audiences": ["models"]}, keyDigests=None)


def ask(url: str, token: str | None, **headers: str) -> httpx.Response:
    given = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{url}/echo", headers={**given, **headers}, timeout=20)


def test_a_token_lets_in_and_stays_outside(world: World, issuer: Issuer) -> None:
    url = serve(world, issuer)
    answer = ask(url, issuer.token(), traceparent="00-1-2-01", tracestate="a=1")
    assert answer.status_code == 200
    seen = answer.json()["headers"]
    assert "authorization" not in seen
    assert (seen["traceparent"], seen["tracestate"]) == ("00-1-2-01", "a=1")


@pytest.mark.parametrize(
    "changes", [{"aud": "others"}, {"iss": "http://evil.example"}, {"exp": 1}, {"nbf": 9e9}]
)
def test_another_token_does_not(world: World, issuer: Issuer, changes: dict[str, Any]) -> None:
    refused = ask(serve(world, issuer), issuer.token(**changes))
    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        401,
        'Bearer error="invalid_token"',
    )
    assert refused.json()["detail"].startswith("the token is not valid: ")


def test_without_a_token_one_is_asked_for_and_an_api_key_is_none(world: World, issuer: Issuer) -> None:
    url = serve(world, issuer)
    for headers in ({}, {"x-api-key": "k-correct"}, {"authorization": "Basic eDp5"}):
        refused = ask(url, None, **headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert refused.json()["detail"] == "send a token: authorization: Bearer ..."


def test_a_token_that_somebody_else_signed_or_nobody_did_is_refused(world: World, issuer: Issuer) -> None:
    url = serve(world, issuer)
    claims = {"iss": issuer.url, "aud": "models", "exp": time.time() + 600}
    other = ec.generate_private_key(ec.SECP256R1())
    for token in (
        jwt.encode(claims, other, "ES256", {"kid": "k1"}),
        jwt.encode(claims, "", "none", {"kid": "k1"}),
        jwt.encode(claims, "a shared secret of more than 32 bytes", "HS256", {"kid": "k1"}),
    ):
        assert ask(url, token).status_code == 401


def test_the_keys_are_kept_across_requests_and_reloads(world: World, issuer: Issuer) -> None:
    url = serve(world, issuer)
    for _ in range(3):
        assert ask(url, issuer.token()).status_code == 200
    assert issuer.asked == 1
    world.function(memoryMb=300)
    assert ask(url, issuer.token()).status_code == 200
    assert issuer.asked == 1


def test_an_issuer_that_cannot_be_reached_is_said(world: World, issuer: Issuer) -> None:
    token = issuer.token()
    url = serve(world, issuer)
    issuer.server.shutdown()
    issuer.server.server_close()
    refused = ask(url, token)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["detail"] == f"the keys of {issuer.url} cannot be had; try again."
