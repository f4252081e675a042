"""The platform that an image is for, and which manifest of an index is that platform's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lastmile_sls.bundle.dependencies.environment import Processor
from lastmile_sls.bundle.oci.descriptor import Descriptor, parse_descriptor
from lastmile_sls.errors import LastmileError

_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
_FIRST_VARIANTS = ("", "v8", "v1")
"""What needs no newer processor than the architecture's first; arm64's is v8, which is often left out."""


@dataclass(frozen=True)
class Platform:
    """Linux on a processor that functions are offered on."""

    processor: Processor

    @property
    def architecture(self) -> str:
        """How images call the processor."""
        return _ARCHITECTURES[self.processor]

    def __str__(self) -> str:
        return f"linux/{self.architecture}"

    def matches(self, entry: dict[str, Any]) -> bool:
        """Tell whether an image of the platform in an index or a config runs here."""
        same = (entry.get("os"), entry.get("architecture")) == ("linux", self.architecture)
        return same and entry.get("variant", "") in _FIRST_VARIANTS


def select(entries: Sequence[object], platform: Platform, name: str) -> Descriptor:
    """Return an index's manifest for a platform. Raises LastmileError, naming the platforms that there are."""
    found: set[str] = set()
    for entry in entries:
        match entry:
            case {"platform": dict(its)}:
                if platform.matches(its):
                    return parse_descriptor(entry, name)
                found.add(_name(its))
    known = (
        ", ".join(sorted(found - {"unknown/unknown"})) or "no platform at all"
    )  # so attestations are marked
    raise LastmileError(f"{name} has no image for {platform}; it has {known}.", "Name another base image.")


def _name(platform: dict[str, Any]) -> str:
    parts = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    return "/".join(str(part) for part in parts if part)
