"""The secret that callbacks are signed with: on this machine, a variable of the host's own."""

from __future__ import annotations

import hashlib
import os

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import supervise
from lastmile_sls.local.home import Place


def check_secret(variable: str) -> None:
    """Raise LastmileError unless the variable is set here, and is a secret of Standard Webhooks; it is never shown."""
    from lastmile_runtime.callbacks import open_callbacks
    from lastmile_runtime.errors import BundleError

    try:
        open_callbacks({"urls": ["https://example.com/"], "secret": variable}, os.environ)
    except BundleError as error:
        raise LastmileError(
            f"queue.callback.secret names {variable}, but: {error}",
            f"Make one and try again: export {variable}=whsec_$(openssl rand -base64 24)",
        ) from error


def give_to_host(place: Place, variable: str) -> None:
    """Have a running host that lacks the secret, or has another one, start anew with that of this process."""
    answer = supervise.ask(place, f"has {variable} {hashed(os.environ.get(variable, ''))}")
    if answer is not None and answer.get("has") is False:
        supervise.stop(place)
        supervise.ensure(place)


def hashed(value: str) -> str:
    """Return what tells a secret from another one, and nothing of it: secrets have at least 24 random bytes."""
    return hashlib.sha256(value.encode()).hexdigest()
