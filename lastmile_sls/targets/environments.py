"""What each target's functions run on: Python, processor and C library. Pure, but for what this machine is."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from typing import Literal, cast

from lastmile_sls.bundle.dependencies.environment import Environment, Processor
from lastmile_sls.plan.document import Target
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.refusal import Refusal

Cloud = Literal["aws", "gcp", "azure"]
DEFAULT_PYTHON = "3.13"


@dataclass(frozen=True)
class Runtime:
    """What a cloud runs functions on."""

    pythons: tuple[str, ...]
    """Of those that lastmile's runtime runs on."""
    processors: tuple[Processor, ...]
    """The cheapest first."""
    source: str
    """Where its provider says so."""


RUNTIMES: dict[Cloud, Runtime] = {
    "aws": Runtime(
        ("3.11", "3.12", "3.13", "3.14"),
        ("arm64", "x86_64"),
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    ),
    "gcp": Runtime(
        ("3.11", "3.12", "3.13", "3.14"),
        ("x86_64",),
        "https://cloud.google.com/run/docs/container-contract",
    ),
    "azure": Runtime(
        ("3.11", "3.12", "3.13"),
        ("x86_64",),
        "https://learn.microsoft.com/azure/azure-functions/functions-reference-python",
    ),
}
_LIBC = {"aws": "manylinux_2_34", "gcp": "manylinux_2_36", "azure": "manylinux_2_31"}
"""The glibc of Amazon Linux 2023, of Debian 12, and of Debian 11, which no image of Azure's is older than."""
_LIBC_OF_AMAZON_LINUX_2 = "manylinux_2_26"
"""What Lambda's Python 3.11 runs on."""


def environment_of(target: Target, spec: Spec) -> Environment | None:
    """Return what a target's functions run on; None on this machine where it is no Linux with glibc.

    Call `refusals` first.
    """
    if target == "local":
        return here()
    python = spec.bundle.python or DEFAULT_PYTHON
    processor = spec.resources.processor or RUNTIMES[target].processors[0]
    libc = _LIBC_OF_AMAZON_LINUX_2 if target == "aws" and python == "3.11" else _LIBC[target]
    return Environment(python, processor, libc)


def here() -> Environment | None:
    """Return what this interpreter runs on; None where it is no Linux with glibc, or another processor."""
    library, version = platform.libc_ver()
    processor = {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    if library != "glibc" or processor not in ("x86_64", "arm64"):
        return None
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Environment(python, cast("Processor", processor), f"manylinux_{version.replace('.', '_')}")


def refusals(target: Target, spec: Spec) -> list[Refusal]:
    """Return every field of the spec that names what a target's functions do not run on."""
    if target == "local":
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        if spec.bundle.python in (None, running):
            return []
        rule = f"this machine runs functions with the Python that runs lastmile, {running}"
        return [Refusal("bundle.python", spec.bundle.python, rule, "Take it out, or deploy to a cloud.")]
    runtime = RUNTIMES[target]
    found = []
    if spec.bundle.python not in (None, *runtime.pythons):
        rule = f"{target} runs lastmile's functions with {_one_of(runtime.pythons)} ({runtime.source})"
        found.append(Refusal("bundle.python", spec.bundle.python, rule, "Name one of these."))
    if spec.resources.processor not in (None, *runtime.processors):
        rule = f"{target} has {_one_of(runtime.processors)} for functions ({runtime.source})"
        found.append(Refusal("resources.processor", spec.resources.processor, rule, "Take it out."))
    return found


def _one_of(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
