"""Functions on Cloud Run, which lets in who has a token of Google's with the service's URL as its audience.

https://docs.cloud.google.com/run/docs/authenticating/service-to-service (read 2026-11-29)
"""

from __future__ import annotations

from binascii import a2b_base64

from lastmile_runtime import jsons
from lastmile_runtime.calls.https import HttpsFunction, address_of
from lastmile_runtime.stores.exchange import quote
from lastmile_runtime.stores.gs import ISSUERS, METADATA_HEADERS, metadata_url
from lastmile_runtime.stores.token import Bearer, fetch

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping


def open_url(function: str, url: str, deadline_s: float, environ: Mapping[str, str]) -> HttpsFunction | None:
    """Return the function at `run+https://HOST`; None for anything else."""
    address = address_of(url, ISSUERS)
    if address is None:
        return None
    audience = url.partition("+")[2].rstrip("/")
    place = metadata_url(environ, f"identity?audience={quote(audience)}")

    def fetch_token(ends_at: float) -> tuple[str, float]:
        name, content = fetch(place, METADATA_HEADERS, ends_at)
        return _read(name, content)

    bearer = Bearer(fetch_token)

    def authorize(ends_at: float) -> dict[str, str]:
        return {"authorization": f"Bearer {bearer.current(ends_at)[0]}"}

    return HttpsFunction(address, authorize, deadline_s)


def _read(name: str, content: bytes) -> tuple[str, float]:
    """Return a JSON Web Token and when it expires; who signed it is for the called function's platform to check."""
    try:
        token = content.decode("ascii").strip()
        payload = token.split(".")[1].replace("-", "+").replace("_", "/")
        return token, float(jsons.loads(a2b_base64(payload + "=" * (-len(payload) % 4)))["exp"])
    except (ValueError, LookupError, TypeError):
        raise ValueError(f"{name} answered with what is no identity token") from None
