"""JSON Web Tokens (RFC 7519), verified by PyJWT against the keys that the issuer publishes."""

from __future__ import annotations

import threading
import time
from typing import Any

from lastmile_runtime.errors import RequestError

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA")
"""Asymmetric ones only: with a shared secret, whoever can check a token can make one."""
_KEYS_KEPT_S = 300
_TIMEOUT_S = 5
_LEEWAY_S = 30
_CHALLENGE = {"www-authenticate": 'Bearer error="invalid_token"'}


class TokenVerifier:
    """Verifies tokens of one issuer (OpenID Connect Discovery 1.0 says where its keys are)."""

    def __init__(self, issuer: str, audiences: list[str]) -> None:
        self._issuer = issuer
        self._audiences = audiences
        self._keys: Any = None
        self._found_at = 0.0
        self._lock = threading.Lock()

    def check(self, authorization: str) -> None:
        """Raise RequestError unless the header holds a valid token: 401, or 503 when there are no keys to check with."""
        import jwt

        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise RequestError(401, "send a token: authorization: Bearer ...", {"www-authenticate": "Bearer"})
        try:
            key = self._client().get_signing_key_from_jwt(token.strip()).key
            jwt.decode(
                token.strip(),
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audiences,
                issuer=self._issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise RequestError(
                503, f"the keys of {self._issuer} cannot be had; try again.", {"retry-after": "5"}
            ) from error
        except (jwt.PyJWTError, ValueError) as error:
            raise RequestError(401, f"the token is not valid: {error}.", _CHALLENGE) from error

    def _client(self) -> Any:
        import jwt

        with self._lock:
            if self._keys is None or time.monotonic() - self._found_at > _KEYS_KEPT_S:
                self._keys = jwt.PyJWKClient(self._keys_url(), timeout=_TIMEOUT_S, lifespan=_KEYS_KEPT_S)
                self._found_at = time.monotonic()
            return self._keys

    def _keys_url(self) -> str:
        import json
        from urllib.request import urlopen

        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            with urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the issuer that the spec names
                return str(json.load(answer)["jwks_uri"])
        except (OSError, ValueError, KeyError) as error:
            raise RequestError(
                503, f"the keys of {self._issuer} cannot be had; try again.", {"retry-after": "5"}
            ) from error
