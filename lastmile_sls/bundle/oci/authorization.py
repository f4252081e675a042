"""Answers a registry's challenge: HTTP's Basic, or a token from the service that the registry names.

The exchange is that of distribution.github.io/distribution/spec/auth: token, and oauth for identity tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from lastmile_sls.bundle.oci.credentials import Credentials, Login
from lastmile_sls.bundle.oci.descriptor import parse_object
from lastmile_sls.bundle.oci.reference import RegistryReference
from lastmile_sls.bundle.oci.transport import Answer, Pause, Transport, reason, with_retries
from lastmile_sls.errors import LastmileError

_PARAMETER = re.compile(r'([A-Za-z_]+)=(?:"([^"]*)"|([^\s,"]+))')
_CLIENT = "lastmile-sls"


class Authorization:
    """What requests to a registry carry so that they are let in; empty until it was asked for."""

    def __init__(
        self,
        reference: RegistryReference,
        scopes: Sequence[str],
        credentials: Credentials,
        transport: Transport,
        pause: Pause,
    ) -> None:
        self.header = ""
        self._reference = reference
        self._scopes = scopes
        self._credentials = credentials
        self._transport = transport
        self._pause = pause
        self._login: Login | None = None

    @property
    def hint(self) -> str:
        """What to do when the registry lets nobody in with this."""
        registry = self._reference.registry
        if self._login:
            return f"The login at {registry} is not accepted or may not do this: run docker login {registry}."
        return f"No login at {registry} was found: run docker login {registry}."

    def scrub(self, text: str) -> str:
        """Return a text without our secrets: there are servers that say what they were sent."""
        login = self._login or Login()
        header = self.header.partition(" ")[2]
        for secret in filter(
            None, (header, login.basic if self._login else "", login.password, login.identity_token)
        ):
            text = text.replace(secret, "***")
        return text

    def renew(self, challenge: Answer) -> bool:
        """Get a new header after an answer of 401; tell whether it makes sense to ask again with it.

        Raises LastmileError when the token service refuses or cannot be reached.
        """
        self._login = self._login or self._credentials(self._reference.registry)
        offered = challenge.headers.get_all("www-authenticate") or []
        for line in offered:
            scheme, _, rest = line.strip().partition(" ")
            if scheme.lower() == "bearer":
                found = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
                return self._replace(f"Bearer {self._token(found)}")
        if self._login and any(line.strip().lower().startswith("basic") for line in offered):
            return self._replace(f"Basic {self._login.basic}")
        return False

    def _replace(self, header: str) -> bool:
        """Take a header; tell whether it is another one, for Basic's is the same however often it is made."""
        before, self.header = self.header, header
        return before != header

    def _token(self, challenge: dict[str, str]) -> str:
        realm = challenge.get("realm", "")
        parts = urlsplit(realm)
        if not parts.hostname or parts.scheme not in ("https", "http"):
            raise LastmileError(f"{self._reference}: the registry names the token service {realm!r}, no URL.")
        if parts.scheme == "http" and not self._reference.is_local:
            raise LastmileError(
                f"{self._reference}: the registry names the token service {parts.netloc}, which is not encrypted.",
                "The login was not sent.",
            )
        ours = {scope.rpartition(":")[0] for scope in self._scopes}
        theirs = [s for s in challenge.get("scope", "").split() if s.rpartition(":")[0] not in ours]
        scopes = [*self._scopes, *theirs]
        asked = [("service", challenge.get("service", "")), *(("scope", scope) for scope in scopes)]
        answer = with_retries(lambda: self._ask(realm, asked), parts.netloc, self._pause)
        if answer.status != 200:
            said = self.scrub(reason(answer))
            told = f"{self._reference}: the token service {parts.netloc} answered {answer.status}{said}."
            raise LastmileError(told, self.hint)
        document = parse_object(answer.body, f"the answer of {parts.netloc}")
        token: Any = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token.isprintable():
            raise LastmileError(f"{self._reference}: the token service {parts.netloc} gave no token.")
        return token

    def _ask(self, realm: str, asked: list[tuple[str, str]]) -> Answer:
        if self._login and self._login.identity_token:
            scope = " ".join(value for name, value in asked if name == "scope")
            form = {
                "grant_type": "refresh_token",
                "service": asked[0][1],
                "scope": scope,
                "client_id": _CLIENT,
                "refresh_token": self._login.identity_token,
            }
            kind = {"content-type": "application/x-www-form-urlencoded"}
            return self._transport.exchange("POST", realm, kind, urlencode(form).encode())
        headers = {"authorization": f"Basic {self._login.basic}"} if self._login else {}
        separator = "&" if urlsplit(realm).query else "?"
        return self._transport.exchange("GET", f"{realm}{separator}{urlencode(asked)}", headers)
