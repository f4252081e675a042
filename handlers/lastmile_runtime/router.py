"""Chooses the version that answers a request: pure, its draw comes in as an argument."""

from __future__ import annotations

from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.hashing import blake2b64

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from lastmile_runtime.throttle import Throttle

    Ranges = list[list[int]]

BUCKETS = 100_000
WHOLE = 10_000
"""What weights sum to: they are in hundredths of a percent."""
BUCKETS_PER_WEIGHT = BUCKETS // WHOLE
STICKY = ("header", "cookie", "input")
"""What may identify a caller."""


class Routing:
    """A routing document that was checked: which version answers which request."""

    __slots__ = (
        "challenger_timeout_s",
        "champion",
        "deadline_s",
        "document",
        "max_age_s",
        "only",
        "ranges",
        "rules",
        "salt",
        "shadows",
        "sticky",
        "throttle",
        "weights",
    )

    def __init__(self, document: Mapping[str, Any], versions: Iterable[str]) -> None:
        """Read a document. Raises BundleError unless it sends every request to one of `versions`."""
        known = list(versions)
        check(document, known)
        self.document = document
        self.champion: str = document["champion"]
        shares: dict[str, int] = document["weights"]
        named = [version for version in shares if version in known]
        self.weights = {version: shares.get(version, 0) for version in dict.fromkeys([*named, *known])}
        """Hundredths of a percent by version, those that the document names first; the others have none."""
        self.salt: str = document.get("salt") or ""
        self.only = self.weights.get(self.champion) == WHOLE
        """The champion answers whatever is not pinned or under a rule."""
        self.sticky: tuple[str, str] | None = next(iter((document.get("sticky") or {}).items()), None)
        """What identifies a caller: one of STICKY, and its name."""
        self.rules: list[dict[str, Any]] = document.get("rules") or []
        """By input value, the first that fits: `input`, `in` (values), `version`."""
        self.shadows: list[tuple[str, int]] = [
            (entry["version"], entry["percent"]) for entry in document.get("shadows") or []
        ]
        """Version and hundredths of a percent of the requests that it sees."""
        self.ranges: list[tuple[int, int, str]] = [
            (start, end, version)
            for version, ranges in (
                document.get("buckets") or allocate({}, self.weights, self.champion)
            ).items()
            for start, end in ranges
        ]
        """The buckets of the challengers, half open; the champion has the rest."""
        self.max_age_s: float = document.get("max_age_s", 5.0)
        """A copy older than this is read anew before it decides."""
        self.deadline_s: float = document.get("deadline_s", 0.5)
        """How long reading may keep a request waiting."""
        self.challenger_timeout_s: float = document.get("challenger_timeout_s", 1.0)
        """A challenger that takes longer is answered for by the champion."""
        self.throttle: Throttle | None = _throttle(document)
        """Refuses requests beyond a rate; None, as nearly always, when all are answered."""


class Choice:
    """The version that answers, the rule that chose it, and the bucket, if one was drawn.

    Rules: pin, input, sticky, weight, only; default (no document could be read), fallback (the contract's answer).
    """

    __slots__ = ("bucket", "failed", "rule", "version")

    def __init__(self, version: str, rule: str, bucket: int | None = None) -> None:
        self.version = version
        self.rule = rule
        self.bucket = bucket
        self.failed: str | None = None
        """The challenger that should have answered, and for which the champion did."""

    def route(self) -> str:
        """Return rule and bucket as the header X-Model-Route has them."""
        told = f"rule={self.rule}" if self.bucket is None else f"rule={self.rule}; bucket={self.bucket}"
        return told if self.failed is None else f"{told}; failed={self.failed}"


def choose(routing: Routing, pin: str | None, sticky_key: str | None, draw: int) -> Choice:
    """Return the version for a request that no input rule decided.

    Args:
        routing: Which version answers what.
        pin: The version that the request asks for: an id, or an alias; None when it asks for none.
        sticky_key: What identifies the caller, who always meets the same version; None when nothing does.
        draw: A number in 0..99 999, the bucket of a caller without a key.

    Raises RequestError (404) for a pin that names no version.
    """
    if pin is not None:
        return Choice(resolve(routing, pin), "pin")
    if routing.only:
        return Choice(routing.champion, "only")
    if sticky_key is not None:
        bucket = sticky_bucket(routing.salt, sticky_key)
        return Choice(owner(routing, bucket), "sticky", bucket)
    return Choice(owner(routing, draw), "weight", draw)


def owner(routing: Routing, bucket: int) -> str:
    """Return the version that owns a bucket: a challenger that has it in its ranges, else the champion."""
    for start, end, version in routing.ranges:
        if start <= bucket < end:
            return version
    return routing.champion


def allocate(before: Mapping[str, Ranges], weights: Mapping[str, int], champion: str) -> dict[str, Ranges]:
    """Return the challengers' buckets for new weights, moving no caller that need not move.

    Args:
        before: The challengers' buckets until now; half-open ranges by version.
        weights: Hundredths of a percent by version, summing to 10 000.
        champion: The version that has what the others leave.

    A challenger whose weight rises keeps its buckets and takes the lowest of the champion's; one whose weight
    falls gives its last back to the champion. So callers move between the champion and the versions whose weight
    changed, and nowhere else.
    """
    kept = {
        version: _first(before.get(version, []), weight * BUCKETS_PER_WEIGHT)
        for version, weight in weights.items()
        if version != champion and weight
    }
    for version, ranges in kept.items():
        missing = weights[version] * BUCKETS_PER_WEIGHT - _size(ranges)
        taken = sorted([start, end] for others in kept.values() for start, end in others)
        kept[version] = _joined([*ranges, *_first(_gaps(taken), missing)])
    return kept


def _size(ranges: Ranges) -> int:
    return sum(end - start for start, end in ranges)


def _first(ranges: Ranges, count: int) -> Ranges:
    """Return the first `count` buckets of ranges."""
    found = []
    for start, end in ranges:
        if count > 0:
            found.append([start, min(end, start + count)])
            count -= end - start
    return found


def _gaps(taken: Ranges) -> Ranges:
    """Return the buckets that lie between sorted ranges."""
    edges = [0, *(edge for pair in taken for edge in pair), BUCKETS]
    return [[edges[i], edges[i + 1]] for i in range(0, len(edges), 2) if edges[i] < edges[i + 1]]


def _joined(ranges: Ranges) -> Ranges:
    """Return ranges in the order in which they were taken, those that continue the one before joined to it."""
    found: Ranges = []
    for start, end in ranges:
        if found and found[-1][1] == start:
            found[-1][1] = end
        else:
            found.append([start, end])
    return found


def resolve(routing: Routing, name: str) -> str:
    """Return the version that an id or an alias names.

    `challenger` is the version with the most weight beside the champion, the document's first among equals;
    `shadow` is the document's first shadow. Raises RequestError (404) when the name means no version.
    """
    champion, weights = routing.champion, routing.weights
    if name == champion or name in weights:
        return name
    if name == "champion":
        return champion
    if name == "challenger":
        challengers = [version for version, weight in weights.items() if version != champion and weight > 0]
        if challengers:
            return max(challengers, key=lambda version: weights[version])
        raise RequestError(
            404, f"there is no challenger: no version beside the champion {champion!r} has a weight."
        )
    if name == "shadow":
        if routing.shadows:
            return routing.shadows[0][0]
        raise RequestError(404, "there is no shadow: the routing document names none.")
    raise RequestError(404, f"version {name!r} is not deployed; the versions are {', '.join(weights)}.")


def sticky_bucket(salt: str, key: str) -> int:
    """Return the bucket of a key: uniform over the keys, and independent between salts."""
    # BLAKE2b's module starts in 0.3 ms. A CRC would be faster, but is linear: the CRCs of keys under two salts
    # differ by a constant, so two experiments would split the same callers the same way.
    return blake2b64(f"{salt}\0{key}".encode("utf-8", "surrogatepass")) % BUCKETS


def check(document: Mapping[str, Any], versions: Iterable[str]) -> None:
    """Raise BundleError unless a routing document sends every request to a version that is deployed."""
    known = list(versions)
    if not isinstance(document, dict):
        raise BundleError(f"the routing document is {document!r}, but must be an object.")
    weights = document.get("weights")
    if not isinstance(weights, dict) or not all(type(w) is int and w >= 0 for w in weights.values()):
        raise BundleError(
            f"routing.weights is {weights!r}, but must give each version hundredths of a percent."
        )
    if sum(weights.values()) != WHOLE:
        raise BundleError(f"routing.weights sum to {sum(weights.values())}, but must sum to {WHOLE}.")
    shared = [version for version, weight in weights.items() if weight]
    for version in (document.get("champion"), *shared, *_named(document)):
        if version not in known:
            raise BundleError(
                f"routing names the version {version!r}, but the bundle holds {', '.join(known)}."
            )
    if weights.get(document["champion"]) != WHOLE and not isinstance(document.get("salt"), str):
        raise BundleError(
            f"routing.salt is {document.get('salt')!r}, but must be a text where versions share the requests."
        )
    _check_sticky(document.get("sticky"))
    _check_buckets(document)
    for name in ("max_age_s", "deadline_s", "challenger_timeout_s"):
        value = document.get(name, 1)
        if type(value) not in (int, float) or not 0 <= value < 1e6:
            raise BundleError(f"routing.{name} is {value!r}, but must be a number of seconds.")


def _throttle(document: Mapping[str, Any]) -> Throttle | None:
    """Return what refuses requests, where the document has it. Raises BundleError."""
    found = document.get("throttle")
    if found is None:
        return None
    from lastmile_runtime.throttle import Throttle

    return Throttle(found)


def _named(document: Mapping[str, Any]) -> list[Any]:
    """Return the versions of the shadows and rules, whose shape this checks."""
    shadows, rules = document.get("shadows") or [], document.get("rules") or []
    for shadow in shadows:
        if not isinstance(shadow, dict) or type(shadow.get("percent")) is not int:
            raise BundleError(f"routing.shadows has {shadow!r}, but needs version and percent (hundredths).")
        if not 0 <= shadow["percent"] <= WHOLE:
            raise BundleError(
                f"routing.shadows has the percent {shadow['percent']}, but must be 0 to {WHOLE}."
            )
    for rule in rules:
        fits = (
            isinstance(rule, dict) and isinstance(rule.get("input"), str) and isinstance(rule.get("in"), list)
        )
        if not fits:
            raise BundleError(
                f"routing.rules has {rule!r}, but needs input, in (a list of values) and version."
            )
    return [entry.get("version") for entry in (*shadows, *rules)]


def _check_sticky(sticky: Any) -> None:
    if sticky is None:
        return
    if not isinstance(sticky, dict) or len(sticky) != 1 or not set(sticky) <= set(STICKY):
        raise BundleError(f"routing.sticky is {sticky!r}, but must have one of {', '.join(STICKY)}.")


def _check_buckets(document: Mapping[str, Any]) -> None:
    """Each challenger's ranges must be as many buckets as its weight says, and no bucket may have two owners."""
    buckets = document.get("buckets")
    if buckets is None:
        return
    champion, weights = document["champion"], document["weights"]
    try:
        ranges = sorted((start, end) for pairs in buckets.values() for start, end in pairs)
        sizes = {version: _size(pairs) for version, pairs in buckets.items() if pairs}
    except (AttributeError, TypeError, ValueError) as error:
        raise BundleError(f"routing.buckets is {buckets!r}, but must give each version ranges.") from error
    wanted = {v: w * BUCKETS_PER_WEIGHT for v, w in weights.items() if v != champion and w}
    edges = [edge for pair in ranges for edge in pair]
    if sizes != wanted or edges != sorted(edges) or (edges and not 0 <= edges[0] <= edges[-1] <= BUCKETS):
        raise BundleError(
            f"routing.buckets is {buckets!r}, but must share {BUCKETS} buckets as the weights say."
        )
