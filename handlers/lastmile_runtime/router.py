"""Chooses the version that answers a request: pure, its draw comes in as an argument."""

from __future__ import annotations

from typing import Any

from lastmile_runtime.errors import RequestError

BUCKETS = 100_000
_BUCKETS_PER_WEIGHT = BUCKETS // 10_000
"""Weights are in hundredths of a percent."""


class Choice:
    """The version that answers, the rule that chose it, and the bucket, where one was drawn."""

    __slots__ = ("bucket", "rule", "version")

    def __init__(self, version: str, rule: str, bucket: int | None = None) -> None:
        self.version = version
        self.rule = rule
        self.bucket = bucket

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Choice({self.version!r}, {self.rule!r}, {self.bucket!r})"

    def _key(self) -> tuple[str, str, int | None]:
        return self.version, self.rule, self.bucket


def choose(routing: dict[str, Any], pin: str | None, sticky_key: str | None, draw: int) -> Choice:
    """Return the version for a request.

    Args:
        routing: The routing document: champion, weights, salt.
        pin: The version that the request asks for: an id, or `champion`, or `challenger`.
        sticky_key: What identifies the caller; the same key always meets the same version.
        draw: A number in 0..99 999, for a caller without a key.

    Raises RequestError (404) for a pin that names no version.
    """
    if pin is not None:
        return Choice(resolve(routing, pin), "pin")
    weights = routing["weights"]
    if len(weights) == 1:
        return Choice(routing["champion"], "only")
    if sticky_key is not None:
        bucket = sticky_bucket(routing["salt"], sticky_key)
        return Choice(owner(routing, bucket), "sticky", bucket)
    return Choice(owner(routing, draw), "weight", draw)


def owner(routing: dict[str, Any], bucket: int) -> str:
    """Return the version that owns a bucket.

    Challengers own the low buckets, in the document's order, and the champion the rest: so raising one
    challenger's weight against the champion's moves callers only from the champion to that challenger,
    and, where there are several, only those that stand behind it.
    """
    champion: str = routing["champion"]
    end = 0
    for version, weight in routing["weights"].items():
        if version != champion:
            end += weight * _BUCKETS_PER_WEIGHT
            if bucket < end:
                return str(version)
    return champion


def resolve(routing: dict[str, Any], name: str) -> str:
    """Return the version that an id or an alias names. Raises RequestError (404) when it names none."""
    champion: str = routing["champion"]
    weights: dict[str, int] = routing["weights"]
    if name in weights:
        return name
    if name == "champion":
        return champion
    challengers = [version for version in weights if version != champion]
    if name == "challenger" and challengers:
        return max(challengers, key=lambda version: weights[version])
    raise RequestError(404, f"version {name!r} is not deployed; the versions are {', '.join(weights)}.")


def sticky_bucket(salt: str, key: str) -> int:
    """Return the bucket of a key: uniform, and independent between salts."""
    from hashlib import blake2b

    digest = blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8, key=salt.encode()[:64]).digest()
    return int.from_bytes(digest, "big") % BUCKETS
