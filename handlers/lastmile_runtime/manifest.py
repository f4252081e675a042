"""The bundle's manifest: what a function serves, and the hash of every file, checked before a file is used."""

from __future__ import annotations

import json
import os
from typing import Any

from lastmile_runtime.errors import BundleError

FORMAT = "lastmile.manifest/1"
FILE = "manifest.json"
_CHUNK_BYTES = 1 << 20


class Tensor:
    """The description of one input or output: name, Open Inference Protocol datatype, shape (-1: number of rows)."""

    __slots__ = ("datatype", "name", "shape")

    def __init__(self, name: str, datatype: str, shape: list[int]) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = shape

    def to_json(self) -> dict[str, Any]:
        """Return the description as the protocol's metadata has it."""
        return {"name": self.name, "datatype": self.datatype, "shape": self.shape}


class Version:
    """One model of a bundle: how it is loaded and called."""

    __slots__ = ("artifact", "columns", "entry", "frame", "id", "inputs", "outputs", "predictor")

    def __init__(
        self,
        id: str,  # noqa: A002 - the manifest's own word
        predictor: str,
        artifact: str,
        entry: str | None = None,
        columns: list[str] | None = None,
        frame: bool = False,
        inputs: list[Tensor] | None = None,
        outputs: list[Tensor] | None = None,
    ) -> None:
        self.id = id
        self.predictor = predictor
        self.artifact = artifact
        self.entry = entry
        self.columns = columns or []
        """Not empty: the model takes a table with these columns, in this order."""
        self.frame = frame
        """The model must be given a pandas DataFrame."""
        self.inputs = inputs or []
        self.outputs = outputs or []

    def to_json(self) -> dict[str, Any]:
        """Return the version as the manifest has it."""
        return {
            "id": self.id,
            "predictor": self.predictor,
            "artifact": self.artifact,
            "entry": self.entry,
            "columns": self.columns,
            "frame": self.frame,
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
        }


class Manifest:
    """A bundle's content."""

    __slots__ = ("files", "model", "versions")

    def __init__(self, model: str, versions: list[Version], files: dict[str, dict[str, Any]]) -> None:
        self.model = model
        self.versions = versions
        self.files = files
        """`sha256` (hexadecimal) and `size` (bytes) by path relative to the bundle."""

    def render(self) -> bytes:
        """Return the manifest's bytes: the same content is always the same bytes."""
        document = {
            "format": FORMAT,
            "model": self.model,
            "versions": [version.to_json() for version in self.versions],
            "files": self.files,
        }
        return (json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def digest_of(content: bytes) -> str:
    """Return `sha256:` and the hexadecimal SHA-256 of the bytes."""
    return f"sha256:{_sha256(content).hexdigest()}"


def parse(content: bytes) -> Manifest:
    """Read a manifest's bytes. Raises BundleError when this runtime does not read them."""
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise BundleError(
                f"the manifest has the format {document['format']!r}, but must have {FORMAT!r}."
            )
        versions = [_version(entry) for entry in document["versions"]]
        return Manifest(document["model"], versions, document["files"])
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"the manifest cannot be read: {error!r}.") from error


def _version(entry: dict[str, Any]) -> Version:
    tensors = {key: [Tensor(**tensor) for tensor in entry[key]] for key in ("inputs", "outputs")}
    return Version(**{**entry, **tensors})


class Bundle:
    """A bundle on disk whose manifest has the pinned digest; `open_file` gives a file only when it has its hash."""

    def __init__(self, folder: str, digest: str) -> None:
        """Read the manifest. Raises BundleError unless its digest is the pinned one."""
        self.folder = folder
        self.digest = digest
        try:
            with open(os.path.join(folder, FILE), "rb") as file:  # noqa: PTH118, PTH123 - pathlib costs import time
                content = file.read()
        except OSError as error:
            raise BundleError(f"{FILE} cannot be read: {error.strerror}.") from error
        found = digest_of(content)
        if found != digest:
            raise BundleError(f"{FILE} has the digest {found}, but {digest} was deployed.")
        self.manifest = parse(content)

    def verify(self, name: str) -> str:
        """Return the path of a file of the bundle after checking its size and hash.

        Raises BundleError for a file that is not in the manifest, leaves the bundle, is a link, or differs.
        """
        entry = self.manifest.files.get(name)
        path = os.path.join(self.folder, name)  # noqa: PTH118
        if entry is None:
            raise BundleError(f"{name} is not in the manifest.")
        if (
            name.startswith("/")
            or ".." in name.split("/")
            or os.path.realpath(path) != _real(self.folder, name)
        ):
            raise BundleError(f"{name} leaves the bundle.")
        try:
            size, found = hash_file(path)
        except OSError as error:
            raise BundleError(f"{name} cannot be read: {error.strerror}.") from error
        if size != entry["size"] or found != entry["sha256"]:
            raise BundleError(
                f"{name} is not the file that was deployed: its hash differs from the manifest's."
            )
        return path


def hash_file(path: str) -> tuple[int, str]:
    """Return a file's size in bytes and its hexadecimal SHA-256."""
    size, hasher = 0, _sha256(b"")
    with open(path, "rb") as file:  # noqa: PTH123
        while chunk := file.read(_CHUNK_BYTES):
            size += len(chunk)
            hasher.update(chunk)
    return size, hasher.hexdigest()


def _real(folder: str, name: str) -> str:
    return os.path.join(os.path.realpath(folder), *name.split("/"))  # noqa: PTH118


def _sha256(content: bytes) -> Any:
    import hashlib

    return hashlib.sha256(content, usedforsecurity=True)
