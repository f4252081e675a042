"""The cost tags of a deployment: one set, legal on every cloud and the same on all, so that costs add up across them.

Keys are kebab case. Values use `[a-z0-9_-]`, at most 63 characters, which is what Google Cloud's labels allow
(cloud.google.com/resource-manager/docs/labels-overview, 2026-11-23) and AWS and Azure allow as well. A character
outside it is written as `_` and two hexadecimal digits per UTF-8 byte, so every value can be read back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lastmile_sls.spec.model import Spec

FIXED_KEYS = ("model", "environment", "owner", "cost-center", "managed-by")
MAX_LENGTH = 63
MAX_TAGS = 50
"""AWS and Azure take 50 tags on a resource, Google Cloud 64 labels (design facts of 2026-11-23)."""
_KEY = re.compile(r"[a-z][a-z0-9-]{0,62}")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class TagError(ValueError):
    """A tag that no encoding makes legal."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        """The spec's field, dotted."""


def tag_set(spec: Spec) -> dict[str, str]:
    """Return the encoded tags of a spec. Raises TagError, which names the tag, its value and the rule."""
    fixed = {
        "model": spec.name,
        "environment": spec.environment,
        "owner": spec.owner,
        "cost-center": spec.cost_center,
        "managed-by": "lastmile",
    }
    for key in spec.tags:
        _check_key(key)
    tags = {**fixed, **spec.tags}
    if len(tags) > MAX_TAGS:
        raise TagError(
            "tags",
            f"tags are {len(tags)} with the fixed ones, but AWS and Azure allow {MAX_TAGS}. Take some out",
        )
    return {key: _encoded(key, value) for key, value in tags.items()}


def encode(value: str) -> str:
    """Write a value with `[a-z0-9_-]` only; `decode` reads it back."""
    return "".join(c if c in _PLAIN else "".join(f"_{byte:02x}" for byte in c.encode()) for c in value)


def decode(value: str) -> str:
    """Read a value that `encode` wrote. Raises ValueError for anything else."""
    raw = re.sub(rb"_([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), value.encode())
    text = raw.decode()
    if encode(text) != value:
        raise ValueError(f"{value!r} is not an encoded tag value")
    return text


def _encoded(key: str, value: str) -> str:
    encoded = encode(value)
    if len(encoded) > MAX_LENGTH:
        field = {"cost-center": "cost_center"}.get(key, key if key in FIXED_KEYS else f"tags.{key}")
        raise TagError(
            field,
            f"{field} is {value!r}, which takes {len(encoded)} characters as a tag, but clouds allow {MAX_LENGTH} "
            "(a capital or special character takes three). Shorten it",
        )
    return encoded


def _check_key(key: str) -> None:
    if key in FIXED_KEYS:
        raise TagError(
            f"tags.{key}", f"tags.{key} is set by lastmile. Use the spec's own field, or another key"
        )
    if not _KEY.fullmatch(key):
        suggestion = re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-0123456789")[:MAX_LENGTH]
        advice = f"Write {suggestion}" if suggestion else "Choose another"
        raise TagError(
            f"tags.{key}",
            f"tags has the key {key!r}, but a key is a-z, 0-9 and -, begins with a letter "
            f"and has at most 63 characters. {advice}",
        )
