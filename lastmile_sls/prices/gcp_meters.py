"""What the meters of Google's that a deployment can turn are called in the Cloud Billing Catalog API.

The descriptions, units and services were read in answers of the API of 2026-04-23 to 2026-10-07, and those of GPUs and the
scheduler in bills; but for L4's, and what goes to the internet from Asia, Australia, Africa, South America and the Middle
East, which are unverified.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_RUN = "152E-C115-5142"
_STORAGE = "95FF-2EF5-5EA1"
_PUBSUB = "A1E8-BE35-7EBC"
_NETWORKING = "E505-1604-58F8"
_COMPUTE = "6F81-5844-456A"
_SECRETS = "EE82-7A5E-871C"
_LOGGING = "5490-F7B7-8DF6"
_MONITORING = "58CD-E7C3-72CA"
_REGISTRY = "149C-F9EC-3994"
_SCHEDULER = "1F14-4801-0E16"


@dataclass(frozen=True)
class Meter:
    """How a meter's price is found in the API's answers."""

    name: str
    unit: str
    """What our price is of."""
    service: str
    """By its id in the catalog."""
    description: str
    """A regular expression for an SKU's whole description, its spaces made single; `{region}` is the region's name, and
    `{continent}` what callers near it are called."""
    usage_unit: str
    """The same as `unit`, as the API writes it; `count` beside `mo` is a thing for a month."""
    regional: bool = False
    """Whether regions have prices of their own; otherwise there is one."""
    group: str | None = None
    """An SKU's resource group, where its description may be another's as well."""
    free: Decimal = Decimal(0)
    """Units that a billing account has free each month, where the API does not say so."""
    credited: Decimal | None = None
    """What a free unit is credited at, where it is a credit, so that there are fewer of them where a unit costs more:
    Cloud Run's at the prices of tier 1 (cloud.google.com/run/pricing, 2026-10-08)."""


def _run(name: str, unit: str, what: str, usage_unit: str, free: int = 0, at: str = "") -> Meter:
    credited = Decimal(at) if at else None
    return Meter(f"Cloud Run: {name}", unit, _RUN, what, usage_unit, True, None, Decimal(free), credited)


def _gpu(words: str, *, zonal: bool) -> Meter:
    redundancy = "(no|non|without)[ -]zonal"
    told = f"(?i)(?!.*(jobs|worker pools)){'(?!' if zonal else '(?='}.*{redundancy}).*{words}.*"
    name = f"NVIDIA {words} {'with' if zonal else 'without'} zonal redundancy"
    return _run(name, "GPU-second", told, "s")


def _one(name: str, unit: str, service: str, what: str, usage_unit: str) -> Meter:
    return Meter(name, unit, service, re.escape(what), usage_unit)


def _balancer(name: str, way: str) -> Meter:
    what = f"Global External Application Load Balancer {way} Data Processing for .+"
    return Meter(f"Load Balancing: {name}", "GiB", _NETWORKING, what, "GiBy", regional=True)


CONTINENTS: Mapping[str, str] = {
    "africa": "Africa",
    "asia": r"(APAC|Apac ?\(Excluding Korea and Indonesia\)|Asia ?Pacific)",
    "australia": "(Australia|Oceania)",
    "europe": "(EMEA|Europe)",
    "me": "Middle ?East",
    "northamerica": "(Americas|North America)",
    "southamerica": "South ?America",
    "us": "(Americas|North America)",
}
"""What callers on a region's continent are called, by how the region's name begins; each service has names of its own."""

METERS: Mapping[str, Meter] = {
    "gcp.run.cpu.request": _run(
        *("CPU while it works", "vCPU-second", r"Services CPU (Tier 2 )?\(Request-based billing\)", "s"),
        free=180_000,
        at="0.000024",
    ),
    "gcp.run.memory.request": _run(
        *("memory while it works", "GiB-second", r"Services Memory (Tier 2 )?\(Request-based billing\)"),
        "GiBy.s",
        free=360_000,
        at="0.0000025",
    ),
    "gcp.run.cpu.idle": _run(
        *("CPU of an instance that is kept", "vCPU-second"),
        *(r"Services Min Instance CPU (Tier 2 )?\(Request-based billing\)", "s"),
    ),
    "gcp.run.memory.idle": _run(
        *("memory of an instance that is kept", "GiB-second"),
        *(r"Services Min Instance Memory (Tier 2 )?\(Request-based billing\)", "GiBy.s"),
    ),
    # Tokyo's says "in" twice.
    "gcp.run.cpu.instance": _run(
        *("CPU for an instance's life", "vCPU-second"),
        *(r"Services CPU \(Instance-based billing\) in (in )?{region}", "s"),
        free=240_000,
        at="0.000018",
    ),
    "gcp.run.memory.instance": _run(
        *("memory for an instance's life", "GiB-second"),
        *(r"Services Memory \(Instance-based billing\) in (in )?{region}", "GiBy.s"),
        free=450_000,
        at="0.000002",
    ),
    "gcp.run.requests": _one("Cloud Run: requests", "request", _RUN, "Requests", "count"),
    "gcp.run.gpu.nvidia-l4": _gpu("L4", zonal=False),
    "gcp.run.gpu.nvidia-l4.zonal": _gpu("L4", zonal=True),
    "gcp.run.gpu.nvidia-rtx-pro-6000": _gpu("RTX PRO 6000", zonal=False),
    "gcp.run.gpu.nvidia-rtx-pro-6000.zonal": _gpu("RTX PRO 6000", zonal=True),
    "gcp.run.egress": _run(
        *("data to the internet of its own continent", "GiB"),
        *("Cloud Run Network Internet (Data Transfer Out|Egress) {continent} to {continent}", "GiBy"),
    ),
    "gcp.balancer.rules": _one(
        *("Load Balancing: forwarding rules, up to five", "hour", _NETWORKING),
        *("Cloud Load Balancer Forwarding Rule Minimum Global", "h"),
    ),
    "gcp.balancer.inbound": _balancer("data from callers", "Inbound"),
    "gcp.balancer.outbound": _balancer("data to callers", "Outbound"),
    "gcp.network.egress": Meter(
        *("Network: data from a load balancer to the internet, Premium Tier", "GiB", _COMPUTE),
        *("Network Internet Data Transfer Out from .+ to {continent}", "GiBy"),
        regional=True,
        group="PremiumInternetEgress",
    ),
    "gcp.armor.policies": _one(
        "Cloud Armor: policies", "policy-month", _NETWORKING, "Networking Cloud Armor Policy", "mo"
    ),
    "gcp.armor.rules": _one(
        "Cloud Armor: rules", "rule-month", _NETWORKING, "Networking Cloud Armor Rule", "mo"
    ),
    "gcp.armor.requests": _one(
        "Cloud Armor: requests", "request", _NETWORKING, "Networking Cloud Armor Requests", "count"
    ),
    "gcp.pubsub.throughput": _one(
        "Pub/Sub: published and delivered", "TiB", _PUBSUB, "Message Delivery Basic", "TiBy"
    ),
    "gcp.scheduler.jobs": Meter("Cloud Scheduler: jobs", "job-month", _SCHEDULER, "(Job|Jobs)", "mo"),
    "gcp.storage.stored": Meter(
        *("Cloud Storage: stored, Standard class in a region", "GiB-month", _STORAGE),
        *(r"Standard Storage (?!.*(Dual|Multi)-region).+", "GiBy.mo"),
        regional=True,
        group="RegionalStorage",
    ),
    "gcp.storage.writes": _one(
        *("Cloud Storage: writes and lists (class A)", "operation", _STORAGE),
        *("Regional Standard Class A Operations", "count"),
    ),
    "gcp.storage.reads": _one(
        *("Cloud Storage: reads (class B)", "operation", _STORAGE),
        *("Regional Standard Class B Operations", "count"),
    ),
    "gcp.registry.stored": _one(
        "Artifact Registry: stored", "GiB-month", _REGISTRY, "Artifact Registry Storage", "GiBy.mo"
    ),
    "gcp.secrets.versions": _one(
        "Secret Manager: versions", "version-month", _SECRETS, "Secret version replica storage", "mo"
    ),
    "gcp.secrets.accesses": _one(
        "Secret Manager: accesses", "access", _SECRETS, "Secret access operations", "count"
    ),
    "gcp.logging.stored": _one(
        "Cloud Logging: taken in, with 30 days", "GiB", _LOGGING, "Log Storage cost", "GiBy"
    ),
    "gcp.logging.kept": _one(
        "Cloud Logging: kept for more than 30 days", "GiB-month", _LOGGING, "Log Retention cost", "GiBy.mo"
    ),
    "gcp.monitoring.metrics": _one(
        "Cloud Monitoring: metrics of our own", "MiB", _MONITORING, "Metric Volume", "MiBy"
    ),
}
