"""What a bundle's documents are written from: its manifest, and what its owner says of the models in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lastmile_runtime.manifest import Manifest, Version
from lastmile_sls.certification.compare import Report

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Library:
    """A package that is installed with a function, as it was locked."""

    name: str
    version: str
    sha256: str = ""
    """The hexadecimal SHA-256 of its wheel; empty where it is not known."""
    licence: str = ""
    """An SPDX expression, or any text."""


@dataclass(frozen=True)
class Dataset:
    """Data that a model was trained on."""

    name: str
    digest: str = ""
    """`sha256:` and hexadecimal, as the owner gives it; empty where it is not known."""
    uri: str = ""
    description: str = ""


@dataclass(frozen=True)
class Metric:
    """How well a model does, as its owner measured it."""

    name: str
    value: float | str
    slice: str = ""
    """The part of the data that it is of; empty: all."""
    lower: float | None = None
    upper: float | None = None
    """The bounds of its confidence interval."""


@dataclass(frozen=True)
class Considerations:
    """What there is to consider about a model, each a text of its owner's."""

    users: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    trade_offs: tuple[str, ...] = ()
    risks: tuple[tuple[str, str], ...] = ()
    """Ethical risks, and what is done about each."""


@dataclass(frozen=True)
class VersionFacts:
    """What is known of one version beside the manifest's entry."""

    framework: str = ""
    """What it was made with."""
    description: str = ""
    task: str = ""
    """Such as classification or regression."""
    report: Report | None = None
    """The proof that what serves it answers as the original; None where the original serves."""
    metrics: tuple[Metric, ...] = ()
    data: tuple[Dataset, ...] = ()
    considerations: Considerations = Considerations()


@dataclass(frozen=True)
class Facts:
    """What is known of a bundle."""

    digest: str
    """The bundle's, `sha256:...`."""
    manifest: Manifest
    lastmile: str
    """The version of lastmile-sls that built it, and whose runtime is in it."""
    owner: str = ""
    description: str = ""
    versions: Mapping[str, VersionFacts] = field(default_factory=dict)
    """By id; nothing is known of those that are not in it."""
    libraries: tuple[Library, ...] = ()
    python: str = ""
    """The version of the interpreter that runs it, such as 3.13."""
    made: datetime | None = None
    """When, with a time zone; None leaves it out."""

    def of(self, version: Version) -> VersionFacts:
        """Return what is known of a version."""
        return self.versions.get(version.id, VersionFacts())

    def files_of(self, version: Version) -> list[str]:
        """Return the paths of a version's files, its artifact first; none where another function serves it."""
        if version.remote is not None:
            return []
        folder = version.artifact.rpartition("/")[0] + "/"
        beside = [name for name in sorted(self.manifest.files) if name.startswith(folder)]
        return [version.artifact, *(name for name in beside if name != version.artifact)]


def written(moment: datetime) -> str:
    """Return a moment as RFC 3339 writes it, in UTC to the second. Raises ValueError for one without a time zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float | str) -> str:
    """Return a number as people and JSON read it back, a text as it is."""
    return value if isinstance(value, str) else repr(value)


def shape_of(shape: list[int]) -> str:
    """Return a shape for people: `[any, 2]`."""
    return "[" + ", ".join("any" if size < 0 else str(size) for size in shape) + "]"


def hexadecimal(digest: str) -> str:
    """Return the hexadecimal digits of `sha256:...`. Raises ValueError for anything else."""
    if not DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is not sha256: and 64 hexadecimal digits")
    return digest.removeprefix("sha256:")
