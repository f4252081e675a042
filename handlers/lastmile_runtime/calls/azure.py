"""Functions on Azure, which let in who has the key that this deployment's functions share."""

from __future__ import annotations

from lastmile_runtime.auth import KEY_HEADER
from lastmile_runtime.calls.https import HttpsFunction, address_of
from lastmile_runtime.errors import BundleError
from lastmile_runtime.stores.az import ISSUERS

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = "LASTMILE_FUNCTIONS_KEY"


def open_url(function: str, url: str, deadline_s: float, environ: Mapping[str, str]) -> HttpsFunction | None:
    """Return the function at `key+https://HOST`; None for anything else. Raises BundleError when there is no key."""
    address = address_of(url, ISSUERS)
    if address is None:
        return None
    key = environ.get(_KEY, "")
    if not key:
        raise BundleError(f"{_KEY} is not set, but the function {function!r} is asked with it.")
    if not (key.isascii() and key.isprintable()):
        raise BundleError(f"{_KEY} has characters that no header can carry; make the key anew.")
    return HttpsFunction(address, lambda _: {KEY_HEADER: key}, deadline_s)
