"""What Google Cloud can carry: Cloud Run behind its own address or a load balancer. Pure."""

from __future__ import annotations

from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import money, rules, work
from lastmile_sls.targets.limits import Measure
from lastmile_sls.targets.refusal import Note, Refusal, missing

_GPU = "https://cloud.google.com/run/docs/configuring/services/gpu"
_RTX_REGIONS = ("us-central1", "europe-west4", "asia-southeast1", "asia-south2")
_L4_MEMORY: Measure = "memory beside nvidia-l4"
_RTX_MEMORY: Measure = "memory beside nvidia-rtx-pro-6000"
_CERTIFICATES = "https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs"


def refusals(spec: Spec) -> list[Refusal]:
    """Return every field of the spec that Google Cloud cannot carry out; empty when it fits."""
    return [
        *_place(spec),
        *rules.artifacts("gcp", spec),
        *_memory(spec),
        *rules.timeout("gcp", spec),
        *rules.payload("gcp", spec),
        *_gpu(spec),
        *_rate_limit(spec),
        *rules.no_web_pages_with_iam("gcp", spec),
        *work.refusals("gcp", spec),
        *money.refusals("gcp", spec),
    ]


def _place(spec: Spec) -> list[Refusal]:
    needed = {
        "project": ("what is deployed to Google Cloud belongs to a project", "Add its id."),
        "region": ("Cloud Run runs in a region", "Add one, such as europe-west1."),
        "base_image": (
            "Cloud Run takes images, and an image is built on one that has Python",
            "Name one, such as docker.io/library/python:3.13-slim, or oci:FOLDER for an OCI layout on this machine.",
        ),
    }
    return [
        missing(f"targets.gcp.{name}", rule, change)
        for name, (rule, change) in needed.items()
        if not getattr(spec.targets.gcp, name)
    ]


def _memory(spec: Spec) -> list[Refusal]:
    match spec.resources.gpu:
        case None:
            return rules.memory("gcp", spec)
        case "nvidia-l4":
            return rules.memory("gcp", spec, _L4_MEMORY, "Cloud Run with nvidia-l4")
        case "nvidia-rtx-pro-6000":
            return rules.memory("gcp", spec, _RTX_MEMORY, "Cloud Run with nvidia-rtx-pro-6000")


def _gpu(spec: Spec) -> list[Refusal]:
    region = spec.targets.gcp.region
    if spec.resources.gpu != "nvidia-rtx-pro-6000" or region in (None, *_RTX_REGIONS):
        return []
    rule = f"nvidia-rtx-pro-6000 is in {', '.join(_RTX_REGIONS)} ({_GPU})"
    return [Refusal("targets.gcp.region", region, rule, "Name one of these, or take nvidia-l4.")]


def _rate_limit(spec: Spec) -> list[Refusal]:
    limit = spec.endpoint.rate_limit
    if limit is None:
        return []
    if spec.endpoint.domain is None:
        rule = f"Cloud Armor limits at a load balancer, which needs a certificate, and so a domain ({_CERTIFICATES})"
        change = "Add endpoint.domain, or take it out: resources.max_instances limits what it can cost."
        return [Refusal("endpoint.rate_limit", limit.model_dump(), rule, change)]
    return rules.rate_window("gcp", spec)


def notes(spec: Spec) -> list[Note]:
    """Return what Google Cloud does in its own way."""
    found = []
    if spec.endpoint.rate_limit:
        told = "requests are counted in windows, so a burst can come at the end of one and the beginning of the next"
        found.append(Note("endpoint.rate_limit", told))
    if spec.resources.gpu:
        told = "an instance with a GPU is paid for from its start to its end, not by request"
        found.append(Note("resources.gpu", told))
    if spec.resources.max_instances is None:
        found.append(Note("resources.max_instances", "100, which is Cloud Run's own"))
    if spec.operations:
        told = "the project's _Default sink leaves the functions' logs out, for which it has room ten times"
        found.append(Note("operations.log_retention_days", told))
    if spec.budget:
        told = "a budget takes one label, the model's, so that its environments in one project share it"
        found.append(Note("budget", told))
    return found
