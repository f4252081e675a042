"""Finds out what is compared: a plan and an offline preview for each target, and how quickly the model answers here."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.compare.document import Here, Offer
from lastmile_sls.compare.sizes import CLOUDS, Size, sizes
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec

if TYPE_CHECKING:
    from lastmile_sls.certification.first_answer import FirstAnswer
    from lastmile_sls.estimate.duration import Measured
    from lastmile_sls.estimate.traffic_file import Shape

_CPU_INFO = Path("/proc/cpuinfo")
Tell = Callable[[str], None]


def look(
    spec: Spec,
    spec_path: Path,
    targets: Sequence[Target],
    memories: Sequence[int],
    environ: Mapping[str, str],
    *,
    environment: str | None = None,
    tell: Tell = lambda _: None,
) -> list[Offer]:
    """Return what each target offers; what stands in the way of one does not stand in the way of the others.

    Args:
        spec: The spec, of that environment.
        spec_path: Its file.
        targets: The clouds.
        memories: The sizes in MB; none: those that make sense.
        environ: The environment's variables.
        environment: Of this environment and not of the spec's.
        tell: Told what is being done.

    Raises LastmileError for memory that no spec may have.
    """
    found = []
    for target in targets or CLOUDS:
        offered = tuple(sizes(target, spec, memories))
        fitting = [size for size in offered if size.fit.fits]
        if not fitting:
            found.append(Offer(target, offered))
            continue
        size = next((size for size in fitting if size.is_specs), fitting[0])
        try:
            found.append(_preview(size, offered, spec_path, environ, environment, tell))
        except LastmileError as error:
            found.append(Offer(target, offered, why=str(error)))
    return found


def _preview(
    size: Size,
    offered: tuple[Size, ...],
    spec_path: Path,
    environ: Mapping[str, str],
    environment: str | None,
    tell: Tell,
) -> Offer:
    """Build a target's bundles with one of the sizes, and preview them offline; that is enough for all sizes.

    What is not of the spec's own size goes to a folder of its own, so that the project is left as it is.
    """
    from lastmile_sls import deploy
    from lastmile_sls.build.prepare import OUTPUT_FOLDER, prepare
    from lastmile_sls.compliance import previewed
    from lastmile_sls.plan.make import stack_name

    deploy.require_sdk(size.target)
    beside = (
        spec_path.resolve().parent / OUTPUT_FOLDER / "compare" / stack_name(size.spec, size.target)
        if not size.is_specs
        else None
    )
    prepared = prepare(
        *(spec_path, size.target, environ),
        environment=environment,
        output=beside,
        images=False,
        memory_mb=size.memory_mb,
        tell=lambda text: tell(f"{size.target}: {text}"),
    )
    tell(f"{size.target}: previewing offline")
    resources = sorted(previewed(prepared.program, environ), key=lambda one: (one.name, one.type))
    return Offer(size.target, offered, prepared.plan, tuple(resources))


def measure_here(
    spec: Spec,
    spec_path: Path,
    environ: Mapping[str, str],
    shape: Shape,
    tell: Tell = lambda _: None,
) -> tuple[Here, Measured | None]:
    """Return how long each version takes on this machine: to its first answer, and, where the shape does not say it, warm.

    It is the bundle of this machine, which holds the same models, so that all targets are given the same times.
    Raises LastmileError where a duration is needed, and cannot be measured.
    """
    from lastmile_sls.build.prepare import measure_first_answers, prepare
    from lastmile_sls.compare.compare import says_durations
    from lastmile_sls.estimate.duration import measure
    from lastmile_sls.estimate.traffic import needs_measuring

    versions = [version.id for version in spec.versions]
    answers: dict[str, FirstAnswer | str] = {}
    try:
        prepared = prepare(spec_path, "local", environ, environment=spec.environment, tell=tell)
        answers = measure_first_answers(prepared, tell)
        needed = needs_measuring(shape, prepared.plan)
        return Here(machine(), answers), measure(prepared, spec_path, environ, tell) if needed else None
    except LastmileError as error:
        if not says_durations(shape, versions):
            raise
        return Here(machine(), answers or dict.fromkeys(versions, error.message)), None


def machine() -> str:
    """Return which processor and Python this is, for people."""
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    return f"this machine ({_processor()}, {python})"


def _processor() -> str:
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
