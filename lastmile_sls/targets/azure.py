"""What Azure can carry: Functions Flex Consumption, or Container Apps for images. Pure."""

from __future__ import annotations

from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import money, rules, work
from lastmile_sls.targets.limits import Measure
from lastmile_sls.targets.refusal import Note, Refusal, missing

_CONTAINER_APPS = "Azure Container Apps"
_RATE = "https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-rate-limit"
_METRICS = (
    "https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/"
    "microsoft-storage-storageaccounts-queueservices-metrics"
)
_BILLING = "https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan"


def refusals(spec: Spec) -> list[Refusal]:
    """Return every field of the spec that Azure cannot carry out; empty when it fits."""
    return [
        *_place(spec),
        *rules.artifacts("azure", spec),
        *_memory(spec),
        *rules.timeout("azure", spec),
        *rules.payload("azure", spec),
        *rules.no_gpu("azure", spec),
        *_instances(spec),
        *_identities(spec),
        *_domain(spec),
        *_rate_limit(spec),
        *_secrets(spec),
        *work.refusals("azure", spec),
        *money.refusals("azure", spec),
    ]


def _is_container(spec: Spec) -> bool:
    return spec.targets.azure.package == "image"


def _place(spec: Spec) -> list[Refusal]:
    azure = spec.targets.azure
    found: list[Refusal] = []
    if not azure.location:
        rule = "what is deployed to Azure is deployed to a location"
        found.append(missing("targets.azure.location", rule, "Add one, such as westeurope."))
    if _is_container(spec) and not azure.base_image:
        rule = "an image is built on one that has Python"
        change = "Name one, such as docker.io/library/python:3.13-slim, or oci:FOLDER for an OCI layout on this machine."
        found.append(missing("targets.azure.base_image", rule, change))
    return found


def _memory(spec: Spec) -> list[Refusal]:
    if _is_container(spec):
        return rules.memory("azure", spec, "memory of containers", _CONTAINER_APPS)
    return rules.memory("azure", spec, carrier="Azure Functions Flex Consumption")


def _instances(spec: Spec) -> list[Refusal]:
    most = spec.resources.max_instances
    if most is None:
        return []
    measure: Measure = "instances of containers" if _is_container(spec) else "instances"
    carrier = _CONTAINER_APPS if _is_container(spec) else "Azure Functions Flex Consumption"
    return rules.out_of_limit(
        *("azure", measure, "resources.max_instances", most, "Lower it."), carrier=carrier
    )


def _identities(spec: Spec) -> list[Refusal]:
    if spec.endpoint.auth != "iam":
        return []
    if _is_container(spec):
        rule = "Container Apps answers for some seconds before its check of identities is in place"
        change = "Use key or jwt, or targets.azure.package: zip."
        return [Refusal("endpoint.auth", "iam", rule, change)]
    why = "with endpoint.auth iam, callers ask Entra for a token"
    needed = {"tenant": f"{why}, and it is a tenant's", "application": f"{why} for an application"}
    found: list[Refusal] = [
        missing(f"targets.azure.{name}", rule, "Add its id.")
        for name, rule in needed.items()
        if not getattr(spec.targets.azure, name)
    ]
    if not spec.targets.azure.callers:
        rule = "without it, everybody could call who gets a token for the application"
        found.append(missing("targets.azure.callers", rule, "Add the object ids of those who may."))
    return [*found, *rules.no_web_pages_with_iam("azure", spec)]


def _domain(spec: Spec) -> list[Refusal]:
    """Refuse a domain that is not in its zone."""
    domain, zone = spec.endpoint.domain, (spec.targets.azure.dns_zone or "").partition("/")[2]
    if domain is None or not zone or domain == zone or domain.endswith(f".{zone}"):
        return []
    rule = f"targets.azure.dns_zone is {zone}, in which it is not"
    return [Refusal("endpoint.domain", domain, rule, "Name the zone that it is in.")]


def _rate_limit(spec: Spec) -> list[Refusal]:
    limit = spec.endpoint.rate_limit
    if limit is not None and _is_container(spec):
        rule = "Container Apps cannot tell whether a request came through Front Door, which counts them"
        change = "Take it out, or write targets.azure.package: zip."
        return [Refusal("endpoint.rate_limit", limit.model_dump(), rule, change)]
    return rules.rate_window("azure", spec)


def _secrets(spec: Spec) -> list[Refusal]:
    if not spec.secrets or spec.targets.azure.key_vault:
        return []
    return [
        missing(
            "targets.azure.key_vault", "secrets are in a Key Vault", "Add its name, and its resource_group."
        )
    ]


def notes(spec: Spec) -> list[Note]:
    """Return what Azure does in its own way."""
    found = []
    if not _is_container(spec):
        told = f"an instance that answers is paid for at least a second ({_BILLING})"
        found.append(Note("resources", told))
        if spec.resources.max_instances is None:
            found.append(Note("resources.max_instances", "100, which is Azure Functions' own"))
    found += _work_notes(spec)
    if spec.endpoint.rate_limit:
        told = "requests are counted in windows, so a burst can come at the end of one and the beginning of the next"
        found.append(Note("endpoint.rate_limit", told))
        told = f"Front Door counts well from about 200 requests a minute on, and less exactly below ({_RATE})"
        found.append(Note("endpoint.rate_limit", told))
    return found


def _work_notes(spec: Spec) -> list[Note]:
    """Return what Azure does in its own way with work that waits, and with who is told of what."""
    found = []
    if spec.queue is not None:
        told = "a message that fails comes again after 10 s, and what was set aside is kept for 7 days"
        found.append(Note("queue", told))
    if spec.operations is not None and (spec.queue or spec.schedule):
        told = f"nobody is told of a queue from which nothing is taken: there is no metric of one queue ({_METRICS})"
        found.append(Note("operations.alarms.queue_age_s", told))
    if spec.operations is not None and not spec.endpoint.rate_limit:
        told = "requests that Azure refuses itself are counted only by Front Door, which a rate limit or a domain brings"
        if not spec.endpoint.domain:
            found.append(Note("operations.alarms.throttles", told))
    if spec.budget is not None:
        found.append(Note("budget.currency", "it is the subscription's, whatever is written here"))
    return found
