"""Chooses the version that answers a request: pure, its draw comes in as an argument."""

from __future__ import annotations

from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.hashing import blake2b64

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

BUCKETS = 100_000
WHOLE = 10_000
"""What weights sum to: they are in hundredths of a percent."""
_BUCKETS_PER_WEIGHT = BUCKETS // WHOLE


class Choice:
    """The version that answers, the rule that chose it (pin, sticky, weight, only), and the bucket, if one was drawn."""

    __slots__ = ("bucket", "rule", "version")

    def __init__(self, version: str, rule: str, bucket: int | None = None) -> None:
        self.version = version
        self.rule = rule
        self.bucket = bucket

    def route(self) -> str:
        """Return rule and bucket as the header X-Model-Route has them."""
        return f"rule={self.rule}" if self.bucket is None else f"rule={self.rule}; bucket={self.bucket}"


def choose(routing: dict[str, Any], pin: str | None, sticky_key: str | None, draw: int) -> Choice:
    """Return the version for a request.

    Args:
        routing: The routing document: champion, weights (hundredths of a percent by version), salt.
        pin: The version that the request asks for: an id, `champion` or `challenger`; None when it asks for none.
        sticky_key: What identifies the caller, who always meets the same version; None when nothing does.
        draw: A number in 0..99 999, the bucket of a caller without a key.

    Raises RequestError (404) for a pin that names no version.
    """
    if pin is not None:
        return Choice(resolve(routing, pin), "pin")
    champion: str = routing["champion"]
    if routing["weights"].get(champion) == WHOLE:
        return Choice(champion, "only")
    if sticky_key is not None:
        bucket = sticky_bucket(routing["salt"], sticky_key)
        return Choice(owner(routing, bucket), "sticky", bucket)
    return Choice(owner(routing, draw), "weight", draw)


def owner(routing: dict[str, Any], bucket: int) -> str:
    """Return the version that owns a bucket.

    Challengers own the low buckets, in the document's order, and the champion the rest. So raising one
    challenger's weight against the champion's moves callers only from the champion to that challenger; where
    challengers stand behind it in the document, their buckets shift up by as much.
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
    """Return the version that an id or an alias names.

    `challenger` is the version with the most weight beside the champion, the document's first among equals.
    Raises RequestError (404) when the name means no version.
    """
    champion: str = routing["champion"]
    weights: dict[str, int] = routing["weights"]
    if name == champion or name in weights:
        return name
    if name == "champion":
        return champion
    challengers = [version for version, weight in weights.items() if version != champion and weight > 0]
    if name == "challenger" and challengers:
        return max(challengers, key=lambda version: weights[version])
    if name == "challenger":
        raise RequestError(
            404, f"there is no challenger: no version beside the champion {champion!r} has a weight."
        )
    raise RequestError(404, f"version {name!r} is not deployed; the versions are {', '.join(weights)}.")


def sticky_bucket(salt: str, key: str) -> int:
    """Return the bucket of a key: uniform over the keys, and independent between salts."""
    # BLAKE2b's module starts in 0.3 ms. A CRC would be faster, but is linear: the CRCs of keys under two salts
    # differ by a constant, so two experiments would split the same callers the same way.
    return blake2b64(f"{salt}\0{key}".encode("utf-8", "surrogatepass")) % BUCKETS


def check(routing: dict[str, Any], versions: Iterable[str]) -> None:
    """Raise BundleError unless a routing document sends every request to a version that is in the bundle."""
    weights, known = routing.get("weights"), list(versions)
    if not isinstance(weights, dict) or not all(
        isinstance(weight, int) and weight >= 0 for weight in weights.values()
    ):
        raise BundleError(
            f"routing.weights is {weights!r}, but must give each version hundredths of a percent."
        )
    if sum(weights.values()) != WHOLE:
        raise BundleError(f"routing.weights sum to {sum(weights.values())}, but must sum to {WHOLE}.")
    for version in (routing.get("champion"), *weights):
        if version not in known:
            raise BundleError(
                f"routing names the version {version!r}, but the bundle holds {', '.join(known)}."
            )
    if weights.get(routing["champion"]) != WHOLE and not isinstance(routing.get("salt"), str):
        raise BundleError(
            f"routing.salt is {routing.get('salt')!r}, but must be a text where versions share the requests."
        )
