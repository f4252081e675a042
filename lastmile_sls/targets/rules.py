"""The rules that every cloud has, each with its own numbers. Pure."""

from __future__ import annotations

from lastmile_sls.plan.cloud import gateway_of
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec, is_uri
from lastmile_sls.targets.environments import Cloud
from lastmile_sls.targets.limits import LIMITS, Limit, Measure, limit_of, waiting_at
from lastmile_sls.targets.refusal import Refusal

NAMES: dict[Target, str] = {
    "local": "this machine",
    "aws": "AWS Lambda",
    "gcp": "Cloud Run",
    "azure": "Azure Functions",
}
_CLOUDS: tuple[Cloud, ...] = ("aws", "gcp", "azure")


def out_of_limit(
    target: Target, measure: Measure, field: str, value: float, change: str, *, carrier: str | None = None
) -> list[Refusal]:
    """Return the refusal of a value that a limit does not allow; none where it does, or there is no limit."""
    limit = limit_of(target, measure)
    if limit is None or limit.allows(value):
        return []
    return [Refusal(field, value, _rule(target, limit, carrier), change)]


def nearest_allowed(
    target: Target, measure: Measure, field: str, value: float, carrier: str
) -> list[Refusal]:
    """Return the refusal of a value that a limit does not allow, with the nearest one that it does."""
    limit = limit_of(target, measure)
    if limit is None:
        return []
    choices = limit.choices or (limit.least, limit.most)
    change = f"Write {min(choices, key=lambda choice: abs(choice - value)):.12g}."
    return out_of_limit(target, measure, field, value, change, carrier=carrier)


def _rule(target: Target, limit: Limit, carrier: str | None) -> str:
    return f"{carrier or NAMES[target]} allows {limit.allowed} ({limit.stated})"


def memory(
    target: Target, spec: Spec, measure: Measure = "configured memory", carrier: str | None = None
) -> list[Refusal]:
    """Refuse memory that the target does not have."""
    wanted = spec.resources.memory_mb
    return out_of_limit(
        *(target, measure, "resources.memory_mb", wanted, _memory_change(target, measure, wanted)),
        carrier=carrier,
    )


def _memory_change(target: Target, measure: Measure, wanted: int) -> str:
    limit = limit_of(target, measure)
    assert limit is not None
    if limit.choices or limit.step:
        steps = limit.choices or tuple(
            limit.least + limit.step * n for n in range(int((limit.most - limit.least) / limit.step) + 1)
        )
        enough = next((step for step in steps if step >= wanted), None)
        if enough is not None:
            return f"Write {enough:g}."
    elif wanted < limit.least:
        return f"Write {limit.least:g}."
    return f"Lower it{_or_elsewhere('configured memory', wanted, target)}."


def _or_elsewhere(measure: Measure, value: float, but: Target) -> str:
    """Return in words which other clouds allow a value: `, or deploy to gcp`."""
    others = [
        cloud
        for cloud in _CLOUDS
        if cloud != but and any(limit.measure == measure and limit.allows(value) for limit in LIMITS[cloud])
    ]
    return f", or deploy to {' or '.join(others)}" if others else ""


def timeout(target: Target, spec: Spec) -> list[Refusal]:
    """Refuse a timeout that the function cannot take, or that what is in front of it does not wait for."""
    wanted, gateway = spec.resources.timeout_s, gateway_of(target, spec)
    field, change = "resources.timeout_s", f"Lower it{_or_elsewhere('timeout', wanted, target)}."
    found = out_of_limit(target, "timeout", field, wanted, change)
    limit = waiting_at(target, gateway)
    if found or limit is None or limit.allows(wanted):
        return found
    waits = {"http_api": "API Gateway's HTTP API", "front_door": "Azure Front Door"}.get(
        gateway, NAMES[target]
    )
    rule = f"{waits} waits {limit.most:g} s for an answer ({limit.source})"
    if gateway == "http_api":
        change = "Lower it, or write targets.aws.gateway: function_url, which waits 900 s."
    return [Refusal(field, wanted, rule, change)]


def payload(target: Target, spec: Spec) -> list[Refusal]:
    """Refuse payloads that the target cannot carry."""
    wanted = spec.endpoint.max_payload_mb
    if wanted is None:
        return []
    change = f"Lower it{_or_elsewhere('payload', wanted, target)}."
    return out_of_limit(target, "payload", "endpoint.max_payload_mb", wanted, change)


def rate_window(target: Target, spec: Spec) -> list[Refusal]:
    """Refuse a rate limit that is no number of requests in one of the windows in which a gateway counts."""
    limit = spec.endpoint.rate_limit
    windows = limit_of(target, "rate window")
    if limit is None or windows is None:
        return []
    carrier = {"gcp": "Cloud Armor", "azure": "Azure Front Door"}[target]
    change = f"Lower or raise it, within {windows.allowed}."
    found = out_of_limit(
        target, "requests in a window", "endpoint.rate_limit.burst", limit.burst, change, carrier=carrier
    )
    window_s = limit.burst / limit.requests_per_s
    if window_s in windows.choices:
        return found
    nearest = min(windows.choices, key=lambda choice: abs(choice - window_s))
    burst = nearest * limit.requests_per_s
    rule = (
        f"{carrier} counts requests in windows of {windows.allowed} ({windows.source}), and {limit.burst} at "
        f"{limit.requests_per_s:g} a second are {window_s:g} s"
    )
    fits = (
        f"Write burst: {burst:g}, which is {nearest:g} s." if burst == int(burst) else "Write another rate."
    )
    return [*found, Refusal("endpoint.rate_limit.burst", limit.burst, rule, fits)]


def artifacts(target: Target, spec: Spec) -> list[Refusal]:
    """Refuse artifacts that are not on this machine: nothing fetches them yet."""
    return [
        Refusal(
            f"versions[{index}].artifact",
            version.artifact,
            later_on(target),
            "Fetch the file and name its path.",
        )
        for index, version in enumerate(spec.versions)
        if is_uri(version.artifact)
    ]


def later_on(target: Target) -> str:
    """Return the rule by which a target does not get something yet."""
    return f"lastmile 0.1 does not carry it on {'the local target' if target == 'local' else target}"


def no_web_pages_with_iam(target: Target, spec: Spec) -> list[Refusal]:
    """Refuse web pages where the cloud asks every request for an identity: a browser's preflight brings none."""
    if spec.endpoint.auth != "iam" or spec.endpoint.cors is None:
        return []
    rule = (
        f"with endpoint.auth iam {NAMES[target]} asks a browser's preflight for a token too, and it has none"
    )
    return [
        Refusal(
            "endpoint.cors", spec.endpoint.cors.model_dump(), rule, "Use jwt for web pages, or take it out."
        )
    ]


def no_gpu(target: Target, spec: Spec) -> list[Refusal]:
    """Refuse a GPU."""
    if spec.resources.gpu is None:
        return []
    rule = f"{NAMES[target]} has none for functions"
    return [Refusal("resources.gpu", spec.resources.gpu, rule, "Take it out, or deploy to gcp.")]
