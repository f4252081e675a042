"""Content that is known by its digest: descriptors, media types, and reading what a digest was given for.

Terms and formats are those of the OCI image specification 1.1 (github.com/opencontainers/image-spec).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = (MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
CONFIGS = (CONFIG, "application/vnd.docker.container.image.v1+json")
LAYERS = {
    "application/vnd.oci.image.layer.v1.tar": "application/vnd.oci.image.layer.v1.tar",
    LAYER: LAYER,
    "application/vnd.oci.image.layer.v1.tar+zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}
"""The layers that a base may have, and what an OCI manifest calls each: Docker's are the same bytes."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
DOCUMENT_LIMIT = 4 * 2**20
"""Bytes that a manifest or a config may have; the distribution specification lets registries refuse more."""
_DAMAGED = "It was changed or damaged: fetch or make it again."


@dataclass(frozen=True)
class Descriptor:
    """What a manifest says of a blob: its type, its digest (`sha256:` and 64 hexadecimal digits), its size in bytes."""

    media_type: str
    digest: str
    size: int

    @property
    def document(self) -> dict[str, Any]:
        """How a manifest writes it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def describe(content: bytes, media_type: str) -> Descriptor:
    """Return the descriptor of some bytes."""
    return Descriptor(media_type, digest_of(content), len(content))


def digest_of(content: bytes) -> str:
    """Return the digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def verify_content(content: bytes, descriptor: Descriptor, name: str) -> bytes:
    """Return the bytes, which must be the descriptor's. Raises LastmileError, naming where they are from."""
    _compare(digest_of(content), len(content), descriptor, name)
    return content


def verify_file(path: Path, descriptor: Descriptor, name: str) -> Path:
    """Return the path of a file, which must be the descriptor's. Raises LastmileError, naming where it is from."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise LastmileError(f"{name} lacks the blob {descriptor.digest}.", "Make it whole.") from error
    except OSError as error:
        raise LastmileError(f"{name}: {descriptor.digest} cannot be read: {error.strerror}.") from error
    _compare(f"sha256:{found}", size, descriptor, name)
    return path


def _compare(digest: str, size: int, descriptor: Descriptor, name: str) -> None:
    if size != descriptor.size:
        told = f"{name}: {descriptor.digest} has {size} bytes, but its descriptor says {descriptor.size}."
        raise LastmileError(told, _DAMAGED)
    if digest != descriptor.digest:
        raise LastmileError(f"{name}: what should be {descriptor.digest} is {digest}.", _DAMAGED)


def render(document: Mapping[str, Any]) -> bytes:
    """Return a document's bytes, the same for the same content."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse_object(content: bytes, name: str) -> dict[str, Any]:
    """Return a JSON object. Raises LastmileError, naming where it is from, for anything else."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise LastmileError(f"{name} is not JSON: {error}.", _DAMAGED) from error
    if not isinstance(document, dict):
        raise LastmileError(f"{name} is not a JSON object.", _DAMAGED)
    return document


def parse_descriptor(entry: object, name: str) -> Descriptor:
    """Read a descriptor. Raises LastmileError for one without type or size, or with a digest other than SHA-256."""
    match entry:
        case {"mediaType": str(media_type), "digest": str(digest), "size": int(size)} if size >= 0:
            if not DIGEST.fullmatch(digest):
                raise LastmileError(f"{name} has the digest {digest!r}, but only sha256 is read.")
            return Descriptor(media_type, digest, size)
        case _:
            raise LastmileError(f"{name} has a descriptor without mediaType, digest or size.", _DAMAGED)


def parse_descriptors(entries: object, name: str) -> list[Descriptor]:
    """Read a list of descriptors. Raises LastmileError as `parse_descriptor` does."""
    if not isinstance(entries, list):
        raise LastmileError(f"{name} has no list of descriptors where one should be.", _DAMAGED)
    return [parse_descriptor(entry, name) for entry in entries]
