"""Google's metadata server as far as identity tokens go: https://docs.cloud.google.com/run/docs/securing/service-identity."""

from __future__ import annotations

import contextlib
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import unquote

from lastmile_runtime.http import Request, Response
from tests.lastmile_runtime.fronts import Front, front

IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity"


def token(audience: str, expires_in_s: float = 3600.0) -> str:
    """A token in Google's form, signed by nobody."""
    claims = {
        "aud": audience,
        "email": "router@p.iam.gserviceaccount.com",
        "exp": int(time.time() + expires_in_s),
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in [*parts, b"signature"])


@contextlib.contextmanager
def metadata(expires_in_s: float = 3600.0) -> Iterator[Front]:
    """Give whoever asks as Google wants it a token for the audience that is named."""

    def answer(request: Request) -> Response:
        name, _, audience = request.query.partition("=")
        if (
            request.headers.get("metadata-flavor") != "Google"
            or name != "audience"
            or request.path != IDENTITY
        ):
            return Response(403, {}, b"")
        return Response(200, {}, token(unquote(audience), expires_in_s).encode())

    with front(answer) as server:
        yield server
