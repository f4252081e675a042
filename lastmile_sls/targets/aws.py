"""What AWS can carry: Lambda behind an HTTP API or its own URL. Pure."""

from __future__ import annotations

from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import money, rules, work
from lastmile_sls.targets.limits import limit_of
from lastmile_sls.targets.refusal import Note, Refusal, missing

_SNAP_START = "https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"
_SNAP_START_FROM = (3, 12)
_FUNCTION_URLS = "https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html"
_DOMAIN_NAMES = (
    "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html"
)
_JWT = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html"
_RESERVED = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"


def refusals(spec: Spec) -> list[Refusal]:
    """Return every field of the spec that AWS cannot carry out; empty when it fits."""
    return [
        *_place(spec),
        *rules.artifacts("aws", spec),
        *rules.memory("aws", spec),
        *rules.timeout("aws", spec),
        *rules.payload("aws", spec),
        *rules.no_gpu("aws", spec),
        *_instances(spec),
        *_gateway(spec),
        *_environment(spec),
        *work.refusals("aws", spec),
        *money.refusals("aws", spec),
    ]


def _place(spec: Spec) -> list[Refusal]:
    if spec.targets.aws.region:
        return []
    change = "Add one, such as eu-west-1."
    return [missing("targets.aws.region", "what is deployed to AWS is deployed to a region", change)]


def _instances(spec: Spec) -> list[Refusal]:
    if not spec.targets.aws.snap_start:
        return []
    found = []
    if spec.resources.min_instances:
        rule = f"instances that are kept warm do not start from a snapshot ({_SNAP_START})"
        change = "Take out one of min_instances and targets.aws.snap_start."
        found.append(Refusal("resources.min_instances", spec.resources.min_instances, rule, change))
    python = spec.bundle.python
    if python is not None and tuple(map(int, python.split("."))) < _SNAP_START_FROM:
        rule = f"SnapStart needs Python 3.12 or newer ({_SNAP_START})"
        found.append(Refusal("bundle.python", python, rule, "Name a newer one, or take snap_start out."))
    return found


def _gateway(spec: Spec) -> list[Refusal]:
    if spec.targets.aws.gateway == "http_api":
        return _certificate(spec)
    found = []
    change = "Write targets.aws.gateway: http_api, or take it out."
    if spec.endpoint.rate_limit:
        rule = f"a function URL has no limit but the function's concurrency ({_FUNCTION_URLS})"
        limit = spec.endpoint.rate_limit.model_dump()
        found.append(Refusal("endpoint.rate_limit", limit, rule, change))
    if spec.endpoint.domain:
        rule = f"a function URL has no domain but AWS's own ({_FUNCTION_URLS})"
        found.append(Refusal("endpoint.domain", spec.endpoint.domain, rule, change))
    return found


def _certificate(spec: Spec) -> list[Refusal]:
    if spec.endpoint.domain is None or spec.targets.aws.hosted_zone or spec.targets.aws.certificate:
        return []
    rule = f"API Gateway takes a domain only with a certificate that is valid ({_DOMAIN_NAMES})"
    change = "Add targets.aws.hosted_zone, in which lastmile can prove one, or targets.aws.certificate."
    return [Refusal("endpoint.domain", spec.endpoint.domain, rule, change)]


def _environment(spec: Spec) -> list[Refusal]:
    """Refuse settings that are too large together: a function's variables have 4 KB."""
    from lastmile_sls.plan.make import settings_bytes

    limit, size = limit_of("aws", "environment"), settings_bytes(spec, "aws")
    assert limit is not None
    if limit.allows(size / 1024):
        return []
    rule = f"with all of it a function's variables take {size} bytes, and Lambda allows 4096 ({limit.source})"
    change = "Have fewer versions or secrets, or shorter names."
    return [Refusal("versions", [version.id for version in spec.versions], rule, change)]


def notes(spec: Spec) -> list[Note]:
    """Return what AWS does in its own way."""
    found = []
    if spec.resources.concurrency > 1:
        told = "an instance of Lambda answers one request at a time, so there are more instances"
        found.append(Note("resources.concurrency", told))
    if spec.resources.max_instances is not None:
        told = f"it is taken from the account's concurrency, {spec.resources.max_instances} of 1000 by default ({_RESERVED})"
        found.append(Note("resources.max_instances", told))
    if spec.targets.aws.snap_start:
        told = f"the snapshot of each version that was deployed is paid for until the deployment goes ({_SNAP_START})"
        found.append(Note("targets.aws.snap_start", told))
    if spec.endpoint.auth == "jwt" and spec.targets.aws.gateway == "http_api":
        told = f"API Gateway takes tokens that were signed with RSA alone ({_JWT}); others are 401"
        found.append(Note("endpoint.jwt", told))
    limit = limit_of("aws", "binary payload")
    assert limit is not None
    payload = spec.endpoint.max_payload_mb
    if payload is not None and not limit.allows(payload):
        told = f"binary ones above {limit.most:g} MB are too large: {limit.beyond} ({limit.source})"
        found.append(Note("endpoint.max_payload_mb", told))
    if spec.targets.aws.package == "zip" and spec.resources.processor is None:
        found.append(Note("resources.processor", "arm64, which costs a fifth less"))
    return found
