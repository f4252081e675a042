"""The shape of `plan.json`: every decision about a deployment's resources, made before Pulumi starts.

`lastmile_sls` writes it, `lastmile_infra` reads it. Standard library only, so that a Pulumi program that
reads a plan imports nothing else of ours.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

FORMAT = "lastmile.plan/1"
Target = Literal["local", "aws", "gcp", "azure"]
Auth = Literal["key", "jwt", "public"]


class ShadowRouting(TypedDict):
    """A version that sees a share of the requests and never answers."""

    version: str
    percent: int
    """Hundredths of a percent."""


class Routing(TypedDict):
    """Which version answers which share of the requests: the routing document (see `lastmile_runtime.router`)."""

    champion: str
    weights: dict[str, int]
    """Hundredths of a percent by version id; they sum to 10 000."""
    shadows: list[ShadowRouting]
    sticky: dict[str, str] | None
    """One of `header`, `cookie`, `input`, and its name."""
    rules: list[dict[str, Any]]
    """`input`, `in` (values), `version`; the first that fits."""
    salt: str
    max_age_s: float
    challenger_timeout_s: float


class RoutingDocumentPlan(TypedDict):
    """The live routing document: made once, and from then on changed by `lastmile traffic` alone."""

    bucket: str
    path: str
    content: Routing


class QueuePlan(TypedDict):
    """The queue of requests that are answered later."""

    name: str
    max_attempts: int
    visibility_timeout_s: int
    retention_s: int


class BundlePlan(TypedDict):
    """What a function runs."""

    path: str
    """Relative to the plan's folder."""
    digest: str
    """`sha256:` and the hash of the bundle's manifest, which holds the hash of every file."""


class FunctionPlan(TypedDict):
    """One function: a bundle and the room it gets."""

    name: str
    versions: list[str]
    """What it serves itself."""
    calls: dict[str, str]
    """What it asks other functions for: the function by version. Of the router's function alone; nobody else may ask."""
    why: str
    """Why these versions share it, or have it alone."""
    bundle: BundlePlan
    memory_mb: int
    timeout_s: int
    idle_timeout_s: int
    concurrency: int
    min_instances: int
    max_instances: int
    routing: Routing
    """What it answers by: until it has read the live document, or for good where there is none."""
    routing_document: str | None
    """The live document's path in the bucket; None when there is nothing to route, or the router's function does it."""
    bucket: str | None
    """The bucket it reads and writes."""
    queue: str | None
    """The queue it sends to, and works on."""


class CorsPlan(TypedDict):
    """Which web pages may call the endpoint."""

    allow_origins: list[str]


class RateLimitPlan(TypedDict):
    """How much the endpoint takes."""

    requests_per_s: float
    burst: int


class EndpointPlan(TypedDict):
    """The deployment's HTTP endpoint."""

    name: str
    function: str
    auth: Auth
    jwt: dict[str, Any] | None
    """`issuer` and `audiences`, with auth jwt."""
    port: int | None
    """None: the first free one at creation, kept from then on."""
    cors: CorsPlan | None
    rate_limit: RateLimitPlan | None


class Plan(TypedDict):
    """The whole document."""

    format: str
    project: str
    """The Pulumi project: the model's name."""
    stack: str
    """The Pulumi stack: environment and target."""
    deployment: str
    """The prefix of every resource's name: model and environment."""
    target: Target
    tags: dict[str, str]
    functions: list[FunctionPlan]
    """The router's first."""
    bucket: str | None
    queue: QueuePlan | None
    routing: RoutingDocumentPlan | None
    endpoint: EndpointPlan
    keys: list[str]
    """Names of the API keys that are valid, the newest last."""


def render(plan: Plan) -> str:
    """Return the plan as text: the same plan is always the same bytes."""
    return json.dumps(plan, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read(path: Path) -> Plan:
    """Return the plan in a file. Raises ValueError when it is not a plan that this version reads."""
    plan = json.loads(path.read_text(encoding="utf-8"))
    found = plan.get("format") if isinstance(plan, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path} has the format {found!r}, but this version reads {FORMAT!r}.")
    return cast("Plan", plan)
