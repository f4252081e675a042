"""For each limit of each target: a spec just inside is carried, one just outside is refused, and told exactly why."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.fit import TARGETS, fit, notes, refusals
from lastmile_sls.targets.limits import LIMITS, Measure
from lastmile_sls.targets.refusal import refuse
from tests.lastmile_infra.plans import spec_of

QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
HTTP_API = "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"
PUBSUB = "https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions"
RUN = "https://cloud.google.com/run"
MEMORY = f"{RUN}/docs/configuring/services/memory-limits"
GPU = f"{RUN}/docs/configuring/services/gpu"
ARMOR = "https://cloud.google.com/armor/docs/rate-limiting-overview"
WINDOWS = "10, 30, 60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600 s"
SCALE = "https://learn.microsoft.com/azure/azure-functions/functions-scale"
FLEX = "https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan"
RATE = "https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-rate-limit"
URL = {"aws": {"gateway": "function_url"}}
IMAGE = {"azure": {"package": "image", "base_image": "oci:base"}}
BASE = {"gcp": {"base_image": "oci:base"}}
DOMAIN = "predict.example.com"


def limited(rate: float, burst: int, **more: Any) -> dict[str, Any]:
    return {"endpoint": {"rate_limit": {"requests_per_s": rate, "burst": burst}, **more}}


def room(**resources: Any) -> dict[str, Any]:
    return {"resources": resources}


def logs(days: int) -> dict[str, Any]:
    return {"operations": {"notify": ["a@b.example"], "log_retention_days": days}}


def alerts(count: int) -> dict[str, Any]:
    """Return a budget with so many alerts for what was billed, and one for the forecast."""
    percents = list(range(10, 10 + count))
    return {"budget": {"monthly_limit": 10, "notify": ["a@b.example"], "alerts_percent": percents}}


def told(count: int) -> dict[str, Any]:
    """Return a budget that so many addresses are told of."""
    notify = [f"a{number}@b.example" for number in range(count)]
    billed = {"gcp": {"base_image": "oci:base", "billing_account": "012345-6789AB-CDEF01"}}
    return {"budget": {"monthly_limit": 10, "notify": notify}, "targets": billed}


def waits(seconds: int) -> dict[str, Any]:
    return {"queue": {"visibility_timeout_s": seconds}}


def secrets_of(count: int) -> dict[str, Any]:
    return {"secrets": {f"SECRET_{number:03}": "s" * 100 for number in range(count)}}


PAIRS: list[tuple[Target, Measure, dict[str, Any], dict[str, Any], str]] = [
    (
        *("aws", "configured memory", room(memory_mb=10240), room(memory_mb=10241)),
        (
            f"resources.memory_mb is 10241, but AWS Lambda allows 128 to 10240 MB ({QUOTAS})."
            " Lower it, or deploy to gcp."
        ),
    ),
    (
        *("aws", "configured memory", room(memory_mb=128), room(memory_mb=127)),
        f"resources.memory_mb is 127, but AWS Lambda allows 128 to 10240 MB ({QUOTAS}). Write 128.",
    ),
    (
        *("aws", "timeout", {**room(timeout_s=900), "targets": URL}, {**room(timeout_s=901), "targets": URL}),
        f"resources.timeout_s is 901, but AWS Lambda allows 1 to 900 s ({QUOTAS}). Lower it, or deploy to gcp.",
    ),
    (
        *("aws", "waiting at http_api", room(timeout_s=30), room(timeout_s=31)),
        (
            f"resources.timeout_s is 31, but API Gateway's HTTP API waits 30 s for an answer ({HTTP_API})."
            " Lower it, or write targets.aws.gateway: function_url, which waits 900 s."
        ),
    ),
    (
        *("aws", "payload", {"endpoint": {"max_payload_mb": 6}}, {"endpoint": {"max_payload_mb": 6.1}}),
        (
            f"endpoint.max_payload_mb is 6.1, but AWS Lambda allows at most 6 MB ({QUOTAS})."
            " Lower it, or deploy to gcp or azure."
        ),
    ),
    (
        *("aws", "environment", secrets_of(15), secrets_of(25)),
        (
            "versions is ['v1'], but with all of it a function's variables take 5107 bytes, and Lambda allows 4096"
            f" ({QUOTAS}). Have fewer versions or secrets, or shorter names."
        ),
    ),
    (
        *("aws", "log retention", logs(30), logs(31)),
        (
            "operations.log_retention_days is 31, but CloudWatch allows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400,"
            " 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 days"
            " (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html). Write 30."
        ),
    ),
    (
        *("aws", "budget alerts", alerts(9), alerts(10)),
        (
            f"budget.alerts_percent is {list(map(float, range(10, 20)))}, but with forecast_percent there are 11 alerts,"
            " and a budget has at most 10 (https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_CreateBudget.html)."
            " Name fewer."
        ),
    ),
    (
        *("gcp", "attempts", {"queue": {"max_attempts": 5}}, {"queue": {"max_attempts": 4}}),
        f"queue.max_attempts is 4, but Pub/Sub allows 5 to 100 ({PUBSUB}). Write 5.",
    ),
    (
        *("gcp", "visibility", waits(600), waits(601)),
        f"queue.visibility_timeout_s is 601, but Pub/Sub allows 10 to 600 s ({PUBSUB}). Write 600.",
    ),
    (
        *("gcp", "retention", {"queue": {"retention_s": 600}}, {"queue": {"retention_s": 599}}),
        f"queue.retention_s is 599, but Pub/Sub allows 600 to 2678400 s ({PUBSUB}). Write 600.",
    ),
    (
        *("gcp", "log retention", logs(3650), logs(3651)),
        (
            "operations.log_retention_days is 3651, but Cloud Logging allows 1 to 3650 days"
            " (https://cloud.google.com/logging/docs/buckets). Write 3650."
        ),
    ),
    (
        *("gcp", "budget addresses", told(5), told(6)),
        (
            "budget.notify is ['a0@b.example', 'a1@b.example', 'a2@b.example', 'a3@b.example', 'a4@b.example',"
            " 'a5@b.example'], but a budget tells at most 5"
            " (https://cloud.google.com/billing/docs/reference/budget/rest/v1/billingAccounts.budgets). Name fewer, or an"
            " address of a list of people."
        ),
    ),
    (
        *("azure", "log retention", logs(30), logs(29)),
        (
            "operations.log_retention_days is 29, but Azure Monitor allows 30 to 730 days"
            " (https://learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure). Write 30."
        ),
    ),
    (
        *("azure", "budget alerts", alerts(4), alerts(5)),
        (
            "budget.alerts_percent is [10.0, 11.0, 12.0, 13.0, 14.0], but with forecast_percent there are 6 alerts, and a"
            " budget has at most 5 (https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update). Name fewer."
        ),
    ),
    (
        *("gcp", "configured memory", room(memory_mb=32768), room(memory_mb=32769)),
        (f"resources.memory_mb is 32769, but Cloud Run allows 128 to 32768 MB ({MEMORY}). Lower it."),
    ),
    (
        *("gcp", "memory beside nvidia-l4", room(gpu="nvidia-l4", memory_mb=16384)),
        room(gpu="nvidia-l4", memory_mb=16383),
        f"resources.memory_mb is 16383, but Cloud Run with nvidia-l4 allows 16384 to 32768 MB ({GPU}). Write 16384.",
    ),
    (
        *("gcp", "memory beside nvidia-rtx-pro-6000"),
        {
            **room(gpu="nvidia-rtx-pro-6000", memory_mb=81920),
            "targets": {"gcp": {"base_image": "oci:base", "region": "europe-west4"}},
        },
        room(gpu="nvidia-rtx-pro-6000", memory_mb=81919),
        (
            f"resources.memory_mb is 81919, but Cloud Run with nvidia-rtx-pro-6000 allows 81920 to 180224 MB ({GPU},"
            " unverified). Write 81920.\n"
            "targets.gcp.region is 'europe-west1', but nvidia-rtx-pro-6000 is in us-central1, europe-west4, asia-southeast1,"
            f" asia-south2 ({GPU}). Name one of these, or take nvidia-l4."
        ),
    ),
    (
        *("gcp", "payload", {"endpoint": {"max_payload_mb": 32}}, {"endpoint": {"max_payload_mb": 33}}),
        (
            f"endpoint.max_payload_mb is 33.0, but Cloud Run allows at most 32 MB ({RUN}/quotas)."
            " Lower it, or deploy to azure."
        ),
    ),
    (
        *("gcp", "rate window", limited(10, 600, domain=DOMAIN), limited(10, 500, domain=DOMAIN)),
        (
            f"endpoint.rate_limit.burst is 500, but Cloud Armor counts requests in windows of {WINDOWS} ({ARMOR}), and"
            " 500 at 10 a second are 50 s. Write burst: 600, which is 60 s."
        ),
    ),
    (
        *("gcp", "requests in a window", limited(100_000, 1_000_000, domain=DOMAIN)),
        limited(100_001, 1_000_010, domain=DOMAIN),
        (
            f"endpoint.rate_limit.burst is 1000010, but Cloud Armor allows 1 to 1000000 ({ARMOR}). Lower or raise it,"
            f" within {WINDOWS}."
        ),
    ),
    (
        *("azure", "configured memory", room(memory_mb=2048), room(memory_mb=1024)),
        (
            f"resources.memory_mb is 1024, but Azure Functions Flex Consumption allows 512, 2048, 4096 MB ({FLEX})."
            " Write 2048."
        ),
    ),
    (
        *("azure", "configured memory", room(memory_mb=4096), room(memory_mb=4097)),
        (
            f"resources.memory_mb is 4097, but Azure Functions Flex Consumption allows 512, 2048, 4096 MB ({FLEX})."
            " Lower it, or deploy to aws or gcp."
        ),
    ),
    (
        *("azure", "memory of containers", {**room(memory_mb=8192), "targets": IMAGE}),
        {**room(memory_mb=700), "targets": IMAGE},
        (
            "resources.memory_mb is 700, but Azure Container Apps allows 512 to 8192 MB in steps of 512"
            " (https://learn.microsoft.com/azure/container-apps/containers). Write 1024."
        ),
    ),
    (
        *("azure", "timeout", room(timeout_s=230), room(timeout_s=231)),
        f"resources.timeout_s is 231, but Azure Functions allows 1 to 230 s ({SCALE}). Lower it, or deploy to aws or gcp.",
    ),
    (
        *("azure", "payload", {"endpoint": {"max_payload_mb": 210}}, {"endpoint": {"max_payload_mb": 211}}),
        (f"endpoint.max_payload_mb is 211.0, but Azure Functions allows at most 210 MB ({SCALE}). Lower it."),
    ),
    (
        *("azure", "rate window", limited(10, 600), limited(10, 100)),
        (
            f"endpoint.rate_limit.burst is 100, but Azure Front Door counts requests in windows of 60, 300 s ({RATE}), and"
            " 100 at 10 a second are 10 s. Write burst: 600, which is 60 s."
        ),
    ),
    (
        *("azure", "requests in a window", limited(0.5, 30), limited(0.15, 9)),
        (
            f"endpoint.rate_limit.burst is 9, but Azure Front Door allows 10 to 1000000 ({RATE}, unverified). Lower or"
            " raise it, within 60, 300 s."
        ),
    ),
]
NOT_BEYOND: dict[tuple[Target, Measure], str] = {
    ("gcp", "timeout"): "a spec's timeout is at most 3600 s",
    ("gcp", "waiting at direct"): "the same",
    ("gcp", "waiting at load_balancer"): "the same",
    ("azure", "instances"): "a spec's instances are 1 to 1000",
    ("azure", "instances of containers"): "the same",
    ("gcp", "concurrency"): "a spec's concurrency is at most 1000",
    ("azure", "concurrency"): "the same",
    ("aws", "waiting at function_url"): "the function's own timeout is the same",
    ("azure", "waiting at direct"): "the same",
    ("azure", "waiting at front_door"): "the same",
    ("aws", "binary payload"): "a note, not a refusal: text may be larger",
}
"""Limits that no spec can go beyond, with the reason."""
OF_BUILDS = ("unpacked size", "image size", "startup", "first answer")
"""What is held against a build, and against its runs (`tests/lastmile_sls/check`, `tests/lastmile_sls/build`)."""


def made(target: Target, changes: dict[str, Any]) -> Spec:
    targets = dict(changes.get("targets", {}))
    if target == "gcp":
        targets["gcp"] = {**BASE["gcp"], **targets.get("gcp", {})}
    return spec_of(**{**changes, "targets": targets})


@pytest.mark.parametrize(("target", "measure", "inside", "outside", "told"), PAIRS)
def test_just_inside_and_just_outside(
    target: Target, measure: Measure, inside: dict[str, Any], outside: dict[str, Any], told: str
) -> None:
    assert refusals(target, made(target, inside)) == []
    assert "\n".join(map(str, refusals(target, made(target, outside)))) == told


def test_every_limit_has_a_pair_or_a_reason_for_none() -> None:
    tried = {(target, measure) for target, measure, *_ in PAIRS}
    stated = {
        (target, limit.measure)
        for target, limits in LIMITS.items()
        for limit in limits
        if limit.measure not in OF_BUILDS
    }
    assert tried | set(NOT_BEYOND) == stated
    assert not tried & set(NOT_BEYOND)


OTHERS: list[tuple[Target, dict[str, Any], str]] = [
    (
        *("aws", {"targets": {"aws": {"region": None}}}),
        "targets.aws.region is missing: what is deployed to AWS is deployed to a region. Add one, such as eu-west-1.",
    ),
    (
        *("aws", room(gpu="nvidia-l4")),
        "resources.gpu is 'nvidia-l4', but AWS Lambda has none for functions. Take it out, or deploy to gcp.",
    ),
    (
        *("aws", {**room(min_instances=1), "targets": {"aws": {"snap_start": True}}}),
        (
            "resources.min_instances is 1, but instances that are kept warm do not start from a snapshot"
            " (https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html). Take out one of min_instances and"
            " targets.aws.snap_start."
        ),
    ),
    (
        *("aws", {"bundle": {"python": "3.11"}, "targets": {"aws": {"snap_start": True}}}),
        (
            "bundle.python is '3.11', but SnapStart needs Python 3.12 or newer"
            " (https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html). Name a newer one, or take snap_start out."
        ),
    ),
    (
        *("aws", {**limited(1, 1), "targets": URL}),
        (
            "endpoint.rate_limit is {'requests_per_s': 1.0, 'burst': 1}, but a function URL has no limit but the function's"
            " concurrency (https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html). Write targets.aws.gateway:"
            " http_api, or take it out."
        ),
    ),
    (
        *("aws", {"endpoint": {"domain": DOMAIN}, "targets": URL}),
        (
            "endpoint.domain is 'predict.example.com', but a function URL has no domain but AWS's own"
            " (https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html). Write targets.aws.gateway: http_api,"
            " or take it out."
        ),
    ),
    (
        *("aws", {"endpoint": {"domain": DOMAIN}}),
        (
            "endpoint.domain is 'predict.example.com', but API Gateway takes a domain only with a certificate that is valid"
            " (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-custom-domain-names.html). Add"
            " targets.aws.hosted_zone, in which lastmile can prove one, or targets.aws.certificate."
        ),
    ),
    (
        *("aws", {"queue": {"visibility_timeout_s": 29}}),
        (
            "queue.visibility_timeout_s is 29, but a message that a function works on for resources.timeout_s, 30 s, would"
            " be given to a second one meanwhile (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html)."
            " Write 180, six times that, or lower resources.timeout_s."
        ),
    ),
    (
        *("gcp", {"name": "google-trends", "queue": {}}),
        (
            "name is 'google-trends', but Pub/Sub takes no topic whose name begins with goog"
            " (https://cloud.google.com/pubsub/docs/pubsub-basics). Give the model another name."
        ),
    ),
    (
        *("gcp", {"queue": {"callback": {"urls": ["https://a.example/"], "secret": "HOOKS"}}}),
        (
            "queue.callback.secret is 'HOOKS', but it must be one of the variables in secrets, which hold what is in the"
            " vault. Add secrets.HOOKS, its name there."
        ),
    ),
    (
        *("aws", {"schedule": {"cron": "0 6 1 * 1", "input": "gs://b/in", "output": "out"}}),
        (
            "schedule.input is 'gs://b/in', but the object store of aws has URLs that begin with s3://. Name one, or a"
            " folder in the deployment's bucket, such as batch/in, which every target has.\n"
            "schedule.cron is '0 6 1 * 1', but aws takes a day of the month or a day of the week, not both"
            " (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html). Write * for one of them."
        ),
    ),
    (
        *("azure", {"schedule": {"cron": "0 6 * * *", "input": "batch", "output": "az://store/c/out"}}),
        (
            "schedule.output is 'az://store/c/out', but on Azure a function is given the right to the deployment's own"
            " storage account alone. Name a folder, and the account and container in targets.azure.bucket."
        ),
    ),
    (
        *("gcp", {"schedule": {"cron": "0 6 * * *", "input": "batch", "output": "batch/out"}}),
        (
            "schedule.output is 'batch/out', but it is in schedule.input, batch, or the other way round: predictions would"
            " be scored. Name a folder beside it."
        ),
    ),
    (
        *("azure", {"queue": {"max_attempts": 3}, "targets": IMAGE}),
        (
            "queue is {'max_attempts': 3}, but Azure Container Apps has nothing that takes messages from a queue to the"
            " function. Write targets.azure.package: zip, or take it out."
        ),
    ),
    (
        *("gcp", {"budget": {"monthly_limit": 10, "notify": ["a@b.example"]}}),
        (
            "targets.gcp.billing_account is missing: Google Cloud's budgets belong to a billing account. Add its id:"
            " gcloud billing accounts list."
        ),
    ),
    (
        *("aws", {"budget": {"monthly_limit": 10, "currency": "EUR", "notify": ["a@b.example"]}}),
        (
            "budget.currency is 'EUR', but AWS bills, and counts budgets, in USD"
            " (https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Spend.html)."
            " Write USD, and the limit in it."
        ),
    ),
    (
        *("gcp", limited(10, 600)),
        (
            "endpoint.rate_limit is {'requests_per_s': 10.0, 'burst': 600}, but Cloud Armor limits at a load balancer, which"
            " needs a certificate, and so a domain"
            " (https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs). Add endpoint.domain, or"
            " take it out: resources.max_instances limits what it can cost."
        ),
    ),
    (
        *("gcp", {"targets": {"gcp": {"project": None, "region": None, "base_image": None}}}),
        (
            "targets.gcp.project is missing: what is deployed to Google Cloud belongs to a project. Add its id.\n"
            "targets.gcp.region is missing: Cloud Run runs in a region. Add one, such as europe-west1.\n"
            "targets.gcp.base_image is missing: Cloud Run takes images, and an image is built on one that has Python."
            " Name one, such as docker.io/library/python:3.13-slim, or oci:FOLDER for an OCI layout on this machine."
        ),
    ),
    (
        *("azure", {"endpoint": {"auth": "iam"}, "targets": {"azure": {"location": None}}}),
        (
            "targets.azure.location is missing: what is deployed to Azure is deployed to a location. Add one, such as"
            " westeurope.\n"
            "targets.azure.tenant is missing: with endpoint.auth iam, callers ask Entra for a token, and it is a tenant's."
            " Add its id.\n"
            "targets.azure.application is missing: with endpoint.auth iam, callers ask Entra for a token for an application."
            " Add its id.\n"
            "targets.azure.callers is missing: without it, everybody could call who gets a token for the application. Add"
            " the object ids of those who may."
        ),
    ),
    (
        *("azure", {"endpoint": {"auth": "iam"}, "targets": IMAGE}),
        (
            "endpoint.auth is 'iam', but Container Apps answers for some seconds before its check of identities is in place."
            " Use key or jwt, or targets.azure.package: zip."
        ),
    ),
    (
        *("azure", {**limited(10, 600), "targets": IMAGE}),
        (
            "endpoint.rate_limit is {'requests_per_s': 10.0, 'burst': 600}, but Container Apps cannot tell whether a request"
            " came through Front Door, which counts them. Take it out, or write targets.azure.package: zip."
        ),
    ),
    (
        *("azure", {"endpoint": {"domain": DOMAIN}, "targets": {"azure": {"dns_zone": "dns/other.com"}}}),
        (
            "endpoint.domain is 'predict.example.com', but targets.azure.dns_zone is other.com, in which it is not. Name the"
            " zone that it is in."
        ),
    ),
    (
        *("gcp", {"endpoint": {"auth": "iam", "cors": {"allow_origins": ["*"]}}}),
        (
            "endpoint.cors is {'allow_origins': ('*',)}, but with endpoint.auth iam Cloud Run asks a browser's preflight for"
            " a token too, and it has none. Use jwt for web pages, or take it out."
        ),
    ),
    (
        *("azure", {"secrets": {"DB": "db"}}),
        "targets.azure.key_vault is missing: secrets are in a Key Vault. Add its name, and its resource_group.",
    ),
    (
        *("azure", {"targets": {"azure": {"package": "image"}}}),
        (
            "targets.azure.base_image is missing: an image is built on one that has Python. Name one, such as"
            " docker.io/library/python:3.13-slim, or oci:FOLDER for an OCI layout on this machine."
        ),
    ),
    (
        *("local", {"secrets": {"DB": "db"}}),
        (
            "secrets.DB is 'db', but this machine has no vault, and the variable DB is not set where lastmile runs."
            " Set it there."
        ),
    ),
    (
        *("local", room(gpu="nvidia-l4")),
        "resources.gpu is 'nvidia-l4', but lastmile gives functions on this machine none. Take it out, or deploy to gcp.",
    ),
]


@pytest.mark.parametrize(("target", "changes", "told"), OTHERS)
def test_what_a_target_has_not_is_refused_by_name(target: Target, changes: dict[str, Any], told: str) -> None:
    spec = spec_of(**changes) if target == "gcp" and "targets" in changes else made(target, changes)
    assert "\n".join(map(str, refusals(target, spec))) == told


def test_a_plain_spec_fits_everywhere() -> None:
    for target in TARGETS:
        found = fit(target, made(target, {}))
        assert found.fits, found.refusals


def test_refusals_are_told_together() -> None:
    spec = made("azure", room(memory_mb=700, timeout_s=300, gpu="nvidia-l4"))
    with pytest.raises(LastmileError) as caught:
        refuse("azure", refusals("azure", spec))
    lines = caught.value.message.splitlines()
    assert lines[0] == "the target azure cannot carry this spec:"
    assert [line.split(" is ")[0].strip() for line in lines[1:]] == [
        "resources.memory_mb",
        "resources.timeout_s",
        "resources.gpu",
    ]


def test_what_is_done_in_a_targets_own_way_is_said() -> None:
    jwt = {"issuer": "https://login.example.com", "audiences": ["a"]}
    spec = made(
        "aws",
        {"endpoint": {"auth": "jwt", "jwt": jwt, "max_payload_mb": 5}, "resources": {"max_instances": 9}},
    )
    assert [str(note) for note in notes("aws", spec)] == [
        "resources.concurrency: an instance of Lambda answers one request at a time, so there are more instances",
        (
            "resources.max_instances: it is taken from the account's concurrency, 9 of 1000 by default"
            " (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html)"
        ),
        (
            "endpoint.jwt: API Gateway takes tokens that were signed with RSA alone"
            " (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html); others are 401"
        ),
        (
            "endpoint.max_payload_mb: binary ones above 4.5 MB are too large: as text, base64, it is larger than 6 MB"
            f" ({QUOTAS})"
        ),
        "resources.processor: arm64, which costs a fifth less",
    ]


def test_what_google_cloud_does_in_its_own_way_is_said() -> None:
    people = {"notify": ["ann@a.example"]}
    spec = made(
        "gcp",
        {
            "resources": {"max_instances": 9},
            "operations": people,
            "budget": {"monthly_limit": 10, **people},
            "targets": {"gcp": {"billing_account": "012345-6789AB-CDEF01"}},
        },
    )
    assert [str(note) for note in notes("gcp", spec)] == [
        (
            "operations.log_retention_days: the project's _Default sink leaves the functions' logs out, for which it has"
            " room ten times"
        ),
        "budget: a budget takes one label, the model's, so that its environments in one project share it",
    ]
