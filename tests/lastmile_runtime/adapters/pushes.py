"""Whoever signs Pub/Sub's pushes, for tests: an OpenID Connect provider on this machine, and its tokens."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

KEY = ec.generate_private_key(ec.SECP256R1())
AUDIENCE = "https://churn.example/_lastmile/queue"
ACCOUNT = "pusher@p.iam.gserviceaccount.com"


@contextmanager
def provider() -> Iterator[str]:
    """An OpenID Connect provider on this machine: its configuration, and its keys."""

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            key = {
                **jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True),
                "kid": "1",
                "use": "sig",
            }
            found = {"keys": [key]} if self.path == "/keys" else {"jwks_uri": f"{url}/keys"}
            content = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield url
        server.shutdown()
        thread.join()


def token(issuer: str, **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "email": ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 600,
    }
    return "Bearer " + jwt.encode({**claims, **changed}, KEY, "ES256", {"kid": "1"})
