"""The targets side by side: what each allows of what a spec asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.files import size_of
from lastmile_sls.plan.cloud import form_of, gateway_of, max_instances_of
from lastmile_sls.plan.document import Target
from lastmile_sls.plan.grouping import group_versions
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets import environments, local
from lastmile_sls.targets.fit import Fit
from lastmile_sls.targets.limits import Limit, Measure, limit_of, waiting_at

_MB = 1 << 20


@dataclass(frozen=True)
class Cell:
    """What one target says to one field."""

    text: str
    """What it allows, or does."""
    fits: bool = True
    source: str | None = None

    @property
    def shown(self) -> str:
        """The text behind a sign that says whether it fits."""
        return f"{'✓' if self.fits else '✗'} {self.text}"


@dataclass(frozen=True)
class Row:
    """One field of the spec, and what each target says to it."""

    field: str
    value: str
    """The spec's."""
    cells: Mapping[Target, Cell]


def rows(spec: Spec, fits: Sequence[Fit], projects: Mapping[Target, Path]) -> list[Row]:
    """Return the table: the fields that decide, in the spec's order, and the packages that were built.

    Args:
        spec: The spec.
        fits: The targets that are compared.
        projects: The folder of each target's project, built or not.
    """
    resources, endpoint = spec.resources, spec.endpoint
    asked: list[tuple[str, str, Callable[[Target], Cell]]] = [
        ("memory", f"{resources.memory_mb} MB", lambda t: _memory(t, spec)),
        ("timeout", f"{resources.timeout_s} s", lambda t: _timeout(t, spec)),
        ("payload", _or("unknown", endpoint.max_payload_mb, " MB"), lambda t: _limited(t, "payload")),
        ("package", _package(spec), lambda t: _built(t, spec, projects[t])),
        ("processor", resources.processor or "cheapest", lambda t: Cell(_processor(t, spec))),
        ("python", spec.bundle.python or "default", lambda t: Cell(_python(t, spec))),
        (
            "at once",
            str(resources.concurrency),
            lambda t: Cell("1" if t == "aws" else str(resources.concurrency)),
        ),
        ("instances", _instances(spec), lambda t: Cell(_or("no limit", max_instances_of(t, spec)))),
        (
            "gpu",
            resources.gpu or "none",
            lambda t: Cell(resources.gpu if resources.gpu and t == "gcp" else "none"),
        ),
        ("auth", endpoint.auth, lambda t: Cell(endpoint.auth)),
        ("in front", "", lambda t: Cell(gateway_of(t, spec).replace("_", " "))),
        ("domain", endpoint.domain or "none", lambda t: _domain(t, spec)),
        ("rate limit", _rate(spec), lambda t: _rate_limit(t, spec)),
        ("functions", "", lambda t: Cell(_functions(t, spec))),
    ]
    refused = {fit.target: {refusal.field for refusal in fit.refusals} for fit in fits}
    return [
        Row(name, value, {fit.target: _judged(name, cell(fit.target), refused[fit.target]) for fit in fits})
        for name, value, cell in asked
    ]


_FIELDS: Mapping[str, tuple[str, ...]] = {
    "memory": ("resources.memory_mb",),
    "timeout": ("resources.timeout_s",),
    "payload": ("endpoint.max_payload_mb",),
    "package": ("targets.gcp.base_image", "targets.azure.base_image"),
    "processor": ("resources.processor",),
    "python": ("bundle.python",),
    "instances": ("resources.max_instances", "resources.min_instances"),
    "gpu": ("resources.gpu", "targets.gcp.region"),
    "auth": ("endpoint.auth", "targets.azure.tenant", "targets.azure.application"),
    "domain": ("endpoint.domain",),
    "rate limit": ("endpoint.rate_limit", "endpoint.rate_limit.burst"),
}
"""Whose refusals each row shows."""


def _judged(name: str, cell: Cell, refused: set[str]) -> Cell:
    fits = cell.fits and not refused & set(_FIELDS.get(name, ()))
    return Cell(cell.text, fits, cell.source)


def _or(otherwise: str, value: float | None, unit: str = "") -> str:
    return otherwise if value is None else f"{value:g}{unit}"


def _limited(target: Target, measure: Measure) -> Cell:
    return _of(limit_of(target, measure))


def _of(limit: Limit | None) -> Cell:
    return Cell("no limit") if limit is None else Cell(limit.allowed, source=limit.stated)


def _memory(target: Target, spec: Spec) -> Cell:
    if target == "local":
        return Cell(f"at most {local.this_machine().memory_mb} MB")
    return _of(memory_limit(target, spec))


def memory_limit(target: Target, spec: Spec) -> Limit | None:
    """Return what memory a target has for the spec: beside a GPU, and for containers, another than for functions."""
    if target == "azure" and form_of(target, spec) == "image":
        return limit_of(target, "memory of containers")
    if target == "gcp" and spec.resources.gpu:
        measure: Measure = (
            "memory beside nvidia-l4"
            if spec.resources.gpu == "nvidia-l4"
            else "memory beside nvidia-rtx-pro-6000"
        )
        return limit_of(target, measure)
    return limit_of(target, "configured memory")


def _timeout(target: Target, spec: Spec) -> Cell:
    return _of(waiting_at(target, gateway_of(target, spec)) or limit_of(target, "timeout"))


def _package(spec: Spec) -> str:
    forms = {form_of(target, spec) or "folder" for target in ("aws", "azure")}
    return " or ".join(sorted(forms))


def _built(target: Target, spec: Spec, project: Path) -> Cell:
    """Return the form that the target takes, and the size of what was built; a zip's limit is of its unpacked size."""
    form = form_of(target, spec)
    if form is None:
        return Cell("folder")
    bundles = project / "bundles"
    sizes = [size_of(path.parent) for path in bundles.glob("*/manifest.json")]
    limit = limit_of(target, "unpacked size" if form == "zip" else "image size")
    allowed = f" of {limit.most:g}" if limit else ""
    told = f"{form}, {max(sizes) / _MB:.1f}{allowed} MB" if sizes else f"{form}, not built yet"
    fits = not (sizes and limit) or limit.allows(max(sizes) / _MB)
    return Cell(told, fits, limit.source if limit else None)


def _processor(target: Target, spec: Spec) -> str:
    if target == "local":
        here = environments.here()
        return here.processor if here else "this machine's"
    return spec.resources.processor or environments.RUNTIMES[target].processors[0]


def _python(target: Target, spec: Spec) -> str:
    environment = environments.environment_of(target, spec)
    return environment.python if environment else "this machine's"


def _domain(target: Target, spec: Spec) -> Cell:
    if spec.endpoint.domain is None:
        return Cell("none")
    return Cell("none" if target == "local" else "with a certificate")


def _rate_limit(target: Target, spec: Spec) -> Cell:
    if spec.endpoint.rate_limit is None:
        return Cell("none")
    windows = limit_of(target, "rate window")
    if windows is None:
        return Cell("any rate and burst")
    first, last = windows.choices[0], windows.choices[-1]
    return Cell(f"in windows of {first:g} to {last:g} s", source=windows.source)


def _functions(target: Target, spec: Spec) -> str:
    """Return how many functions the versions need as their requirements say; compiled ones need none, and share."""
    environment = environments.environment_of(target, spec)
    groups = group_versions(spec, environment.markers if environment else {})
    return str(len(groups)) if len(groups) == 1 else f"at most {len(groups)}"


def _instances(spec: Spec) -> str:
    most = _or("default", spec.resources.max_instances)
    return f"{spec.resources.min_instances} to {most}"


def _rate(spec: Spec) -> str:
    limit = spec.endpoint.rate_limit
    return f"{limit.requests_per_s:g}/s, burst {limit.burst}" if limit else "none"
