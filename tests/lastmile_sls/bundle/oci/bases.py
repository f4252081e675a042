"""Makes base images as folders in the OCI layout, without the code that reads them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lastmile_sls.bundle.oci.credentials import Login

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
TYPES = {
    "oci": (
        f"{OCI}.manifest.v1+json",
        f"{OCI}.config.v1+json",
        f"{OCI}.layer.v1.tar+gzip",
        f"{OCI}.index.v1+json",
    ),
    "docker": (
        f"{DOCKER}.distribution.manifest.v2+json",
        f"{DOCKER}.container.image.v1+json",
        f"{DOCKER}.image.rootfs.diff.tar.gzip",
        f"{DOCKER}.distribution.manifest.list.v2+json",
    ),
}
RUN = {
    "Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
    "Cmd": ["sh"],
    "WorkingDir": "/",
    "Labels": {"made": "by hand"},
}


def no_credentials(_: str) -> Login | None:
    """The login of somebody who has none."""
    return None


def tar_of(files: dict[str, bytes]) -> bytes:
    """Return a tar with files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class BaseFolder:
    """A layout that is being written."""

    folder: Path
    kind: str = "oci"
    entries: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blobs.mkdir(parents=True)
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self._index()

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs" / "sha256"

    def blob(self, content: bytes, media_type: str) -> dict[str, Any]:
        digest = sha256(content)
        (self.blobs / digest[7:]).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def document(self, document: dict[str, Any], media_type: str) -> dict[str, Any]:
        return self.blob(json.dumps(document, indent=1).encode(), media_type)

    def image(
        self, architecture: str = "amd64", files: dict[str, bytes] | None = None, **config: Any
    ) -> dict[str, Any]:
        """Add an image with one layer; return its entry in an index."""
        manifest_type, config_type, layer_type, _ = TYPES[self.kind]
        tar = tar_of(files or {"etc/made-for": architecture.encode()})
        layer = self.blob(gzip.compress(tar, mtime=0), layer_type)
        written = {
            "architecture": architecture,
            "os": "linux",
            "config": RUN,
            "rootfs": {"type": "layers", "diff_ids": [sha256(tar)]},
            "history": [{"created_by": "ADD rootfs"}, {"created_by": "CMD sh", "empty_layer": True}],
            **config,
        }
        described = self.document(written, config_type)
        manifest = {"schemaVersion": 2, "mediaType": manifest_type, "config": described, "layers": [layer]}
        platform = {"architecture": architecture, "os": "linux"}
        if architecture == "arm64":
            platform["variant"] = "v8"
        return {**self.document(manifest, manifest_type), "platform": platform}

    def index(self, *architectures: str) -> dict[str, Any]:
        """Add an index of images, the last of them an attestation, as BuildKit writes it; return its entry."""
        entries = [self.image(architecture) for architecture in architectures]
        unknown = {"architecture": "unknown", "os": "unknown"}
        entries.append({**self.document({"layers": []}, TYPES[self.kind][0]), "platform": unknown})
        media_type = TYPES[self.kind][3]
        return self.document({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}, media_type)

    def tag(self, entry: dict[str, Any], name: str = "") -> str:
        """List an image or an index in the folder, under a tag or without; return its digest."""
        annotations = {"annotations": {"org.opencontainers.image.ref.name": name}} if name else {}
        self.entries.append({**entry, **annotations})
        self._index()
        digest: str = entry["digest"]
        return digest

    def manifest(self, entry: dict[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.blobs / entry["digest"][7:]).read_bytes())
        return document

    def _index(self) -> None:
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.entries}))
