"""An API key: random, made once, kept in its record, which only its owner can read."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.kind import Kind

_BYTES = 32


class Key(Kind):
    """Outputs: `value`, and `digest` (`sha256:` and hexadecimal), by which the gateway knows it."""

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Make the value the first time and keep it from then on."""
        value = record.outputs.get("value") or secrets.token_urlsafe(_BYTES)
        return {"value": value, "digest": digest(value)}


def digest(value: str) -> str:
    """Return how the gateway knows a key."""
    return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"


KIND = Key()
