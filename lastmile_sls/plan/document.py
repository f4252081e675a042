"""The shape of `plan.json`: every decision about a deployment's resources, made before Pulumi starts.

`lastmile_sls` writes it, `lastmile_infra` reads it. Standard library only, so that a Pulumi program that
reads a plan imports nothing else of ours.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

FORMAT = "lastmile.plan/3"
Target = Literal["local", "aws", "gcp", "azure"]
Auth = Literal["key", "jwt", "iam", "public"]
Gateway = Literal["local", "http_api", "function_url", "direct", "load_balancer", "front_door"]
"""What is in front of the router's function: this machine's gateway, AWS's HTTP API or function URL, the address that
Cloud Run or Azure gives a function, Google's global load balancer, Azure's Front Door."""


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
    """The queue of work that waits: requests that are answered later, shadows, files to score."""

    name: str
    """In the deployment."""
    resource: str
    """In the cloud."""
    dead_letters: str
    """In the cloud: where messages are set aside."""
    max_attempts: int
    visibility_timeout_s: int
    retention_s: int
    dead_letters_s: int
    """How long what was set aside is kept, in seconds: long enough for somebody to see it."""
    workers: int | None
    """How many messages are worked on at once; None: as many as the function has instances."""


class SchedulePlan(TypedDict):
    """A clock that sends a message to the queue."""

    name: str
    """In the deployment."""
    resource: str
    """In the cloud."""
    cron: str
    """Cron's five fields, UTC."""
    expression: str
    """The same as the cloud writes it (see `lastmile_sls.plan.cron`)."""
    message: str
    """What is sent (see `lastmile_runtime.application.Application.work`)."""


class CallbackPlan(TypedDict):
    """Who may be told of an answer that came later."""

    urls: list[str]
    """What the URL that a caller names must begin with, one of them."""
    secret: str
    """The variable that has the signing secret."""


class BatchPlan(TypedDict):
    """Which files the schedule has scored."""

    input: str
    """A path in the deployment's bucket, or a store's URL (see `lastmile_runtime.stores`)."""
    output: str
    """The same."""
    format: Literal["csv", "jsonl", "parquet"]


Signal = Literal["errors", "latency", "throttles", "queue-age", "dead-letters"]
"""What alarms watch, by the same names on every cloud; the last two where there is a queue."""


class AlarmPlan(TypedDict):
    """When somebody is told."""

    signal: Signal
    resource: str
    """In the cloud."""
    description: str
    """For whoever is told: what it means, in a sentence."""
    threshold: float
    """Told at this or above. errors: percent of the answers; latency: the 95th percentile, in ms; throttles,
    dead-letters: a count; queue-age: the oldest message's, in seconds."""
    window_s: int
    """What the threshold is about."""


class OperationsPlan(TypedDict):
    """Who is told of what."""

    resource: str
    """In the cloud: what notifications go through."""
    notify: list[str]
    """E-mail addresses."""
    alarms: list[AlarmPlan]
    dashboard: str | None
    """Its name in the cloud; None: there is none."""


class AlertPlan(TypedDict):
    """When a budget's alert is sent."""

    percent: float
    """Of the month's limit."""
    of: Literal["actual", "forecast"]


class BudgetPlan(TypedDict):
    """What a month may cost, and who is told; what else is done `lastmile budget enforce` reads in the spec."""

    resource: str
    """In the cloud."""
    monthly_limit: str
    """A decimal number in the currency."""
    currency: str
    alerts: list[AlertPlan]
    notify: list[str]
    """E-mail addresses."""
    billing_account: str | None
    """Google: the account that it is of."""


class BundlePlan(TypedDict):
    """What a function runs."""

    path: str
    """Relative to the plan's folder."""
    digest: str
    """`sha256:` and the hash of the bundle's manifest, which holds the hash of every file."""


class PackagePlan(TypedDict):
    """The form in which a cloud takes a bundle."""

    form: Literal["zip", "image"]
    path: str
    """A zip file, or a folder with an OCI layout; relative to the plan's folder."""
    through: Literal["api", "bucket", "registry", "app"]
    """The way there: with the call that makes the function, by an object, by a registry, or into an app that is there."""
    base: str | None
    """The image that an image is built on, by digest."""
    key: str | None
    """The object's name in the bucket; None unless it goes through one."""


class FunctionPlan(TypedDict):
    """One function: a bundle and the room it gets."""

    name: str
    """In the deployment."""
    resource: str
    """In the cloud: short enough for it, and as long as it may be where the cloud adds its own letters."""
    versions: list[str]
    """What it serves itself."""
    calls: dict[str, str]
    """What it asks other functions for: the function by version. Of the router's function alone; nobody else may ask."""
    why: str
    """Why these versions share it, or have it alone."""
    bundle: BundlePlan
    package: PackagePlan | None
    """None on this machine, which takes the bundle."""
    python: str | None
    """Such as 3.13; None on this machine."""
    processor: Literal["x86_64", "arm64"] | None
    """None on this machine."""
    entry: str | None
    """What the cloud is told to run: a handler; None where the package itself says it."""
    environment: dict[str, str]
    """The variables that are known before anything is made; none on this machine, whose host sets them."""
    secrets: dict[str, str]
    """Variables whose values are in the vault: the secret's name there by variable."""
    memory_mb: int
    cpu: float | None
    """Virtual processors; None where they follow from the memory."""
    generation: Literal["gen1", "gen2"] | None
    """Of Cloud Run's execution environment; None elsewhere."""
    gpu: str | None
    snapshot: bool
    """Whether instances start from the snapshot of a started one."""
    timeout_s: int
    idle_timeout_s: int
    concurrency: int
    min_instances: int
    max_instances: int | None
    """None: the cloud sets no limit of its own to this function."""
    log_retention_days: int | None
    """None where logs go to what is not the deployment's."""
    routing: Routing
    """What it answers by: until it has read the live document, or for good where there is none."""
    routing_document: str | None
    """The live document's path in the bucket; None when there is nothing to route, or the router's function does it."""
    bucket: str | None
    """The bucket it reads and writes."""
    queue: str | None
    """The queue it sends to, and works on."""
    jobs: str | None
    """The path in the bucket of answers that come later; None where none do."""
    callback: CallbackPlan | None
    """Who may be told of them."""
    batch: BatchPlan | None
    """The files it scores when the queue says so."""


class CorsPlan(TypedDict):
    """Which web pages may call the endpoint."""

    allow_origins: list[str]
    allow_methods: list[str]
    expose_headers: list[str]
    """What of an answer a page may read."""


class RateLimitPlan(TypedDict):
    """How much the endpoint takes."""

    requests_per_s: float
    burst: int
    count: int | None
    """Where the gateway counts in windows: requests in one. None where it has a bucket of tokens, as the two above say."""
    window_s: int | None


class DomainPlan(TypedDict):
    """A domain name of the user's."""

    name: str
    zone: str | None
    """The cloud's DNS zone in which records are made; None: the outputs say which the user makes."""
    certificate: str | None
    """AWS: a certificate that was there before, its ARN; None: one is made, and proven in the zone."""


class EndpointPlan(TypedDict):
    """The deployment's HTTP endpoint."""

    name: str
    function: str
    gateway: Gateway
    auth: Auth
    auth_at: Literal["gateway", "function", "nowhere"]
    """Who checks it; nowhere with auth public."""
    jwt: dict[str, Any] | None
    """`issuer` and `audiences`, with auth jwt."""
    callers: list[str]
    """With auth iam: the cloud's identities that may call."""
    timeout_s: int
    """When the gateway gives up; no earlier than the function."""
    domain: DomainPlan | None
    port: int | None
    """None: the first free one at creation, kept from then on."""
    cors: CorsPlan | None
    rate_limit: RateLimitPlan | None


class StoragePlan(TypedDict):
    """The deployment's bucket: versioned, encrypted, and nobody's but its own."""

    name: str
    adopted: str | None
    """The name of a bucket that was there before (Azure: ACCOUNT/CONTAINER); None: one is made."""
    expire_days: dict[str, int]
    """After how many days what lies below a prefix is deleted."""
    old_versions_days: int
    """After how many days former contents are deleted."""
    incomplete_uploads_days: int
    """After how many days the parts of an upload that nobody ended are deleted."""


class PlacePlan(TypedDict):
    """Where on a cloud."""

    account: str | None
    """AWS's account, Google's project, Azure's subscription; None: whoever deploys has one."""
    region: str
    resource_group: str | None
    """Azure: the resource group of what was there before."""
    vault: str | None
    """Azure: the Key Vault that has the secrets."""
    tenant: str | None
    """Azure, with auth iam: the Entra tenant."""
    application: str | None
    """Azure, with auth iam: the application that callers ask a token for."""


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
    place: PlacePlan | None
    """None on this machine."""
    identity: str
    """The name of the deployment's own identity in the cloud."""
    tags: dict[str, str]
    functions: list[FunctionPlan]
    """The router's first."""
    storage: StoragePlan | None
    queue: QueuePlan | None
    schedule: SchedulePlan | None
    operations: OperationsPlan | None
    budget: BudgetPlan | None
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
