"""Changes of a routing document: pure functions from one document to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from lastmile_runtime.router import WHOLE, Routing, allocate
from lastmile_sls.errors import LastmileError

Document = dict[str, Any]


def set_weights(document: Document, weights: Mapping[str, int], versions: Sequence[str]) -> Document:
    """Give versions new weights; the champion has what is left.

    Args:
        document: The document until now.
        weights: Hundredths of a percent by version; versions that are not named keep theirs.
        versions: What is deployed.

    Raises LastmileError for a version that is not deployed, and for weights that do not sum to 100 %.
    """
    for version in weights:
        check_deployed(version, versions)
    champion = document["champion"]
    shares = {version: weight for version, weight in document["weights"].items() if version in versions}
    shares = {**dict.fromkeys(versions, 0), **shares, **weights}
    others = sum(weight for version, weight in shares.items() if version != champion)
    if champion in weights and others + weights[champion] != WHOLE:
        total = percent(others + weights[champion])
        raise LastmileError(
            f"the weights sum to {total} %, but must sum to 100 %: {told(shares)}.",
            f"Leave {champion} out: the champion has what the others leave.",
        )
    if others > WHOLE:
        raise LastmileError(
            f"the challengers' weights sum to {percent(others)} %, but must sum to 100 % at most: "
            f"{told({v: w for v, w in shares.items() if v != champion})}.",
            "Lower one of them.",
        )
    shares[champion] = WHOLE - others
    return _with_weights(document, shares, champion)


def set_shadow(document: Document, version: str, share: int, versions: Sequence[str]) -> Document:
    """Let a version see a share of the requests (hundredths of a percent; 0 ends it). Raises LastmileError."""
    check_deployed(version, versions)
    shadows = [entry for entry in document.get("shadows") or [] if entry["version"] != version]
    if share:
        shadows.append({"version": version, "percent": share})
    return {**document, "shadows": shadows}


def set_throttle(document: Document, requests_per_s: float | None) -> Document:
    """Let each process answer so many requests a second and refuse the others; None lets all through."""
    rest = {name: value for name, value in document.items() if name != "throttle"}
    return rest if requests_per_s is None else {**rest, "throttle": {"requests_per_s": requests_per_s}}


def promote(document: Document, version: str, versions: Sequence[str]) -> Document:
    """Make a version the champion, with all of the traffic. Raises LastmileError."""
    check_deployed(version, versions)
    if version == document["champion"] and document["weights"].get(version) == WHOLE:
        raise LastmileError(f"{version} is the champion already, and has all of the traffic.")
    shares = {**dict.fromkeys(versions, 0), version: WHOLE}
    shadows = [entry for entry in document.get("shadows") or [] if entry["version"] != version]
    return _with_weights({**document, "shadows": shadows}, shares, version)


def check(document: Document, versions: Sequence[str]) -> None:
    """Raise BundleError unless functions that serve these versions take the document."""
    Routing(document, versions)


def used_versions(document: Document) -> set[str]:
    """Return the versions that the document sends requests to."""
    shared = {version for version, weight in document["weights"].items() if weight}
    named = [*(document.get("shadows") or ()), *(document.get("rules") or ())]
    return {document["champion"], *shared, *(entry["version"] for entry in named)}


def check_deployed(version: str, versions: Sequence[str]) -> None:
    """Raise LastmileError unless a version is deployed."""
    if version not in versions:
        raise LastmileError(
            f"version {version!r} is not deployed; the versions are {', '.join(versions)}.",
            "Add it to the spec and run `lastmile up` first.",
        )


def hundredths(text: str) -> int:
    """Return a percentage as hundredths of a percent. Raises ValueError with the rule."""
    try:
        value = Decimal(text.removesuffix("%").strip())
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a percentage.") from None
    if not value.is_finite() or not 0 <= value <= 100 or value != round(value, 2):
        raise ValueError(f"{text!r} must be 0 to 100, with two decimals at most.")
    return int(value * 100)


def percent(share: int) -> str:
    """Return hundredths of a percent as a percentage."""
    return f"{Decimal(share) / 100:f}".rstrip("0").rstrip(".") if share % 100 else str(share // 100)


def told(weights: Mapping[str, int]) -> str:
    """Return weights in words, the largest first."""
    shares = sorted(weights.items(), key=lambda share: -share[1])
    return ", ".join(f"{version} {percent(weight)} %" for version, weight in shares)


def told_route(route: Document) -> str:
    """Return where a document sends requests in words: the weights, the shadows, the throttle."""
    shadows = {entry["version"]: entry["percent"] for entry in route.get("shadows") or ()}
    parts = [told(route["weights"]), f"shadows {told(shadows)}" if shadows else "", told_throttle(route)]
    return "; ".join(filter(None, parts))


def told_throttle(route: Document) -> str:
    """Return in words how many requests are let through; empty when all are."""
    throttle = route.get("throttle")
    return f"throttled to {throttle['requests_per_s']:g} requests/s of each instance" if throttle else ""


def _with_weights(document: Document, shares: dict[str, int], champion: str) -> Document:
    before = document.get("buckets") or allocate({}, document["weights"], document["champion"])
    return {
        **document,
        "champion": champion,
        "weights": shares,
        "buckets": allocate(before, shares, champion),
    }
