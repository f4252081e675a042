"""The bundle's manifest: what a function serves, and the hash of every file, checked before a file is used."""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
import sys

from lastmile_runtime import jsons
from lastmile_runtime.errors import BundleError
from lastmile_runtime.hashing import sha256

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.functions import Function
    from lastmile_runtime.weights import Weights

FORMAT = "lastmile.manifest/1"
FILE = "manifest.json"
RUNTIME = "lastmile_runtime"
"""The folder of this package in a bundle."""
RUNTIME_FILES = "lastmile_runtime.json"
"""The hashes of the files in it: a document of its own, whose hash is the manifest's, for they are many and a function
that starts from the pack needs none of them."""
_CHUNK_BYTES = 1 << 20

# Plain classes with slots: importing dataclasses costs 15 ms of each cold start, typing.NamedTuple 9.


class TensorSpec:
    """What one input or output is: its name, Open Inference Protocol datatype, and shape (-1: any size)."""

    __slots__ = ("datatype", "name", "shape")

    def __init__(self, name: str, datatype: str, shape: list[int]) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = shape

    def to_json(self) -> dict[str, Any]:
        """Return it as the manifest and the protocol's metadata have it."""
        return {"name": self.name, "datatype": self.datatype, "shape": self.shape}


class Version:
    """One model of a bundle: how it is loaded and called."""

    __slots__ = (
        "artifact",
        "bytecode",
        "columns",
        "entry",
        "frame",
        "id",
        "inputs",
        "outputs",
        "predictor",
        "remote",
    )

    def __init__(
        self,
        id: str,  # noqa: A002 - the manifest's own word
        predictor: str,
        artifact: str,
        entry: str | None = None,
        columns: list[str] | None = None,
        frame: bool = False,
        inputs: list[TensorSpec] | None = None,
        outputs: list[TensorSpec] | None = None,
        remote: dict[str, str] | None = None,
    ) -> None:
        self.id = id
        self.predictor = predictor
        self.artifact = artifact
        """The path of its file, relative to the bundle; empty for the predictor `remote`."""
        self.entry = entry
        """The class in the artifact, of a plain Python model."""
        self.columns = columns or []
        """Not empty: the model takes a table with these columns, in this order."""
        self.frame = frame
        """The model must be given a pandas DataFrame."""
        self.inputs = inputs or []
        self.outputs = outputs or []
        self.remote = remote
        """Of the predictor `remote`: the `function` that serves it, and the `digest` of that one's bundle."""
        self.bytecode: str | None = None
        """The path of a plain Python model's code for this interpreter, relative to the bundle, where there is one."""

    def to_json(self) -> dict[str, Any]:
        """Return the version as the manifest has it."""
        document = {
            "id": self.id,
            "predictor": self.predictor,
            "artifact": self.artifact,
            "entry": self.entry,
            "columns": self.columns,
            "frame": self.frame,
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
        }
        return document if self.remote is None else {**document, "remote": self.remote}


class Manifest:
    """A bundle's content; `files` gives `sha256` (hexadecimal) and `size` (bytes) by path relative to the bundle."""

    __slots__ = ("app", "contract", "files", "libraries", "model", "versions")

    def __init__(
        self,
        model: str,
        versions: list[Version],
        files: dict[str, dict[str, Any]],
        contract: dict[str, Any] | None = None,
        app: str | None = None,
        libraries: str | None = None,
    ) -> None:
        self.model = model
        self.versions = versions
        self.files = files
        self.contract = contract
        """The rules of its inputs (see `lastmile_runtime.contract`); None when there are none."""
        self.app = app
        """The user's own ASGI application, `file.py:name`, relative to the bundle."""
        self.libraries = libraries
        """The folder of third-party packages, relative to the bundle; None when it carries none."""


def render(manifest: Manifest) -> bytes:
    """Return the manifest's bytes: the same content is always the same bytes."""
    import json  # sorts and indents, for the bundler; a function reads only

    document = {
        "format": FORMAT,
        "model": manifest.model,
        "versions": [version.to_json() for version in manifest.versions],
        "files": manifest.files,
    }
    optional = {"contract": manifest.contract, "app": manifest.app, "libraries": manifest.libraries}
    document |= {key: value for key, value in optional.items() if value is not None}
    return (json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def render_files(files: dict[str, dict[str, Any]]) -> bytes:
    """Return the bytes of a document with the hashes of files."""
    import json

    return (json.dumps(files, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def parse_files(content: bytes) -> dict[str, dict[str, Any]]:
    """Read what `render_files` wrote. Raises BundleError for anything else."""
    try:
        files: dict[str, dict[str, Any]] = jsons.loads(content)
        _check_files(files, RUNTIME_FILES)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise BundleError(f"{RUNTIME_FILES} cannot be read: {type(error).__name__}: {error}.") from error
    return files


def digest(content: bytes) -> str:
    """Return `sha256:` and the hexadecimal SHA-256 of the bytes; of a manifest's, it is the bundle's digest."""
    hasher = sha256(len(content))
    hasher.update(content)
    return f"sha256:{hasher.hexdigest()}"


def parse(content: bytes) -> Manifest:
    """Read a manifest's bytes. Raises BundleError when this runtime cannot serve what they say."""
    try:
        document = jsons.loads(content)
        found = document["format"]
        if found == FORMAT:
            versions = [_version(entry) for entry in document["versions"]]
            manifest = Manifest(
                document["model"],
                versions,
                document["files"],
                document.get("contract"),
                document.get("app"),
                document.get("libraries"),
            )
            _check(manifest)
            return manifest
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise BundleError(f"{FILE} cannot be read: {type(error).__name__}: {error}.") from error
    raise BundleError(f"{FILE} has the format {found!r}, but this runtime reads {FORMAT!r}.")


def _version(entry: dict[str, Any]) -> Version:
    tensors = {key: [TensorSpec(**tensor) for tensor in entry[key]] for key in ("inputs", "outputs")}
    return Version(**{**entry, **tensors})


def _check_files(files: dict[str, dict[str, Any]], document: str) -> None:
    # All names at once, since packages have thousands: each is looked at where one of them may be wrong.
    joined = f"/{'/:/'.join(files)}/"
    if any(part in joined for part in ("//", "/./", "/../", "\\", "\0")):
        for name in files:
            if not _is_inside(name):
                raise BundleError(f"{document} names the file {name!r}, which leaves the bundle.")
    for name, entry in files.items():
        if not (isinstance(entry["sha256"], str) and isinstance(entry["size"], int)):
            raise BundleError(f"{document} gives {name!r} no sha256 (hexadecimal) and size (bytes).")


def _check(manifest: Manifest) -> None:
    _check_files(manifest.files, FILE)
    ids = [version.id for version in manifest.versions]
    if not ids or len(set(ids)) < len(ids):
        raise BundleError(f"{FILE} has the versions {ids}, but must have at least one, and each once.")
    for version in manifest.versions:
        if version.predictor == "remote":
            if not (isinstance(version.remote, dict) and isinstance(version.remote.get("function"), str)):
                raise BundleError(
                    f"{FILE} has the version {version.id!r}, but not the function that serves it."
                )
            continue
        if version.artifact not in manifest.files:
            raise BundleError(f"{FILE} has the artifact {version.artifact!r}, which is not among its files.")
        folder, _, name = version.artifact.rpartition("/")
        bytecode = f"{folder}/__pycache__/{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
        if bytecode in manifest.files:
            version.bytecode = bytecode


def _is_inside(name: str) -> bool:
    """Tell whether a path is relative, and says where it leads without going up."""
    parts = name.split("/")
    return not {"", ".", ".."} & set(parts) and "\\" not in name and "\0" not in name


class Bundle:
    """A bundle on disk whose manifest is the pinned one, and which gives out a file only when it has its hash."""

    def __init__(self, folder: str, pinned: str) -> None:
        """Read the manifest in a folder. Raises BundleError unless its digest is `pinned` (`sha256:...`)."""
        self.folder = folder
        self.digest = pinned
        self.weights: Weights | None = None
        """Gathers what is kept in a store."""
        self.functions: dict[str, Function] = {}
        """What serves its remote versions, by the function's name."""
        try:
            with open(os.path.join(folder, FILE), "rb") as file:
                content = file.read()
        except OSError as error:
            raise BundleError(f"{FILE} cannot be read: {error.strerror}.") from error
        found = digest(content)
        if found != pinned:  # neither is a secret, so how long the comparison takes tells nothing
            raise BundleError(f"{FILE} has the digest {found}, but {pinned} was deployed.")
        self.manifest = parse(content)

    def verify(self, name: str) -> str:
        """Return the path of a file of the bundle, after checking that it is the file that was deployed.

        Raises BundleError for one that is not in the manifest, is or stands behind a link, or differs.
        """
        return self._verify(name, self.manifest.files.get(name))

    def _verify(self, name: str, entry: dict[str, Any] | None) -> str:
        if entry is None:
            raise BundleError(f"{name} is not in the manifest.")
        path = os.path.join(self.folder, name)
        if os.path.realpath(path) != os.path.join(os.path.realpath(self.folder), *name.split("/")):
            raise BundleError(f"{name} is a link, or stands behind one; a bundle holds plain files only.")
        try:
            found = hash_file(path, entry["size"])
        except OSError as error:
            raise BundleError(f"{name} cannot be read: {error.strerror}.") from error
        for key, word in (("size", "size"), ("sha256", "SHA-256")):
            if found[key] != entry[key]:
                raise BundleError(f"{name} has the {word} {found[key]}, but {entry[key]} was deployed.")
        return path

    def verify_runtime(self) -> list[str]:
        """Check the runtime's own code, of a bundle that carries it; return its files. Raises BundleError.

        For an interpreter that reads the sources: the pack checks itself, piece by piece.
        """
        if RUNTIME_FILES not in self.manifest.files:
            return []
        with open(self.verify(RUNTIME_FILES), "rb") as file:
            content = file.read()
        self.check_content(RUNTIME_FILES, content)
        files = parse_files(content)
        for name, entry in files.items():
            self._verify(name, entry)
        return list(files)

    def check_content(self, name: str, content: bytes) -> None:
        """Raise BundleError unless this is the content of the bundle's file of that name."""
        entry = self.manifest.files.get(name)
        if entry is None:
            raise BundleError(f"{name} is not in the manifest.")
        hasher = sha256(len(content))
        hasher.update(content)
        found = hasher.hexdigest()
        if found != entry["sha256"]:
            raise BundleError(f"{name} has the SHA-256 {found}, but {entry['sha256']} was deployed.")

    def verify_model(self, version: Version) -> str:
        """Return the path of a version's artifact, after checking it and every file that lies beside or below it.

        Where one of them is kept in a store (it has `chunks`), all of them are gathered in another folder.
        """
        files = self.manifest.files
        folder = version.artifact.rpartition("/")[0] + "/"
        names = [name for name in files if name.startswith(folder) and name != version.artifact]
        stored = next((name for name in [*names, version.artifact] if "chunks" in files[name]), None)
        if stored is None:
            for name in names:
                self.verify(name)
            return self.verify(version.artifact)
        if self.weights is None:
            raise BundleError(f"{stored} is not in the bundle but in a store: set LASTMILE_WEIGHTS_URL.")
        return os.path.join(self.weights.gather(self, [*names, version.artifact]), version.artifact)


def hash_file(path: str, expected: int = 0) -> dict[str, Any]:
    """Return a file's `sha256` (hexadecimal) and `size` (bytes), as the manifest has them.

    `expected` is about how large it will be (bytes). Raises OSError when it cannot be read.
    """
    size, hasher = 0, sha256(expected)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            size += len(chunk)
            hasher.update(chunk)
    return {"sha256": hasher.hexdigest(), "size": size}
