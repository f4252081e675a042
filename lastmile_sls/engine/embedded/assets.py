"""Files among a resource's inputs: each gets the hash of its content, as the CLI's engine gives it.

What is hashed is a file or a text as it is, an archive file as it is, and a folder or a collection in the form
of a ustar archive whose entries all have mode 0600 and no time or owner (sdk/go/common/resource/asset/asset.go and
archive/archive.go in github.com/pulumi/pulumi, 2026-11-29; a test holds this against the CLI). A member's name that
does not fit a ustar header (not ASCII, or more than 100 characters) stands in it in full here; the CLI writes
such names in other ways, so it sees a change when it takes such a stack over.
"""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lastmile_sls.engine.embedded.refusal import refusal
from lastmile_sls.engine.interface import EngineError
from lastmile_sls.engine.properties import (
    ARCHIVE_SIGNATURE,
    ASSET_SIGNATURE,
    SECRET_SIGNATURE,
    UNKNOWN_SENTINEL,
    Properties,
    is_unknown,
    signature,
)

_ZIP, _TAR = (".zip", ".jar"), (".tar", ".tgz", ".tar.gz")
_HINT = "Make the file before the program runs, or give its path from the project's folder."
_OF_THE_CLI = ".pulumi"  # a folder of the CLI's own that no archive takes in


def with_hashes(owner: str, value: Any, folder: Path, path: str = "") -> Any:
    """Return a resource's inputs with the hash of every file's content beside it.

    Args:
        owner: The resource, for messages.
        value: The inputs in wire form.
        folder: What paths are relative to: where the program runs.
        path: Where the value stands in the inputs.

    Raises EngineError for a file that is not there, and for what we do not carry: remote files and references.
    """
    match signature(value):
        case None if isinstance(value, dict):
            items = value.items()
            return {k: with_hashes(owner, v, folder, f"{path}.{k}" if path else k) for k, v in items}
        case None if isinstance(value, list):
            return [with_hashes(owner, item, folder, f"{path}[{n}]") for n, item in enumerate(value)]
        case None:
            return value
        case x if x == SECRET_SIGNATURE:
            return {**value, "value": with_hashes(owner, value["value"], folder, path)}
        case x if x in (ASSET_SIGNATURE, ARCHIVE_SIGNATURE):
            return _hashed(f"{path} of {owner}", value, folder)
        case _:
            raise refusal(f"a reference to a resource as {path} of {owner}")


def _hashed(what: str, file: Properties, folder: Path) -> Properties:
    if "uri" in file:
        raise refusal(f"a remote file ({file['uri']}) as {what}")
    if "assets" in file:
        members = {name: _hashed_member(what, name, m, folder) for name, m in file["assets"].items()}
        file = {**file, "assets": members}
    if is_unknown(file):
        return file
    try:
        return {**file, "hash": _hash(what, file, folder)}
    except (OSError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise EngineError(
            f"{what} is {file.get('path', 'a collection of files')}, "
            f"which cannot be read in {folder}: {getattr(error, 'strerror', None) or error}.",
            _HINT,
        ) from error


def _hashed_member(what: str, name: str, member: Any, folder: Path) -> Any:
    return member if member == UNKNOWN_SENTINEL else _hashed(f"{name} in {what}", member, folder)


def _hash(what: str, file: Properties, folder: Path) -> str:
    if "text" in file:
        return hashlib.sha256(file["text"].encode()).hexdigest()
    if "path" in file:
        path = folder / file["path"]
        if signature(file) == ASSET_SIGNATURE or _is_archive(path):
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        if not path.is_dir():
            reason = "is neither a folder nor an archive" if path.exists() else "is not there"
            raise EngineError(
                f"{what} is an archive at {file['path']}, but {path} {reason} (.zip, .jar, .tar, .tgz, .tar.gz).",
                _HINT,
            )
    return _tar_hash(_members(file, folder))


def _is_archive(path: Path) -> bool:
    return path.name.endswith(_ZIP + _TAR)


def _members(file: Properties, folder: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield what an archive holds, in the CLI's order: name, size, and content to be read before the next one."""
    if "assets" in file:
        for name, member in sorted(file["assets"].items()):
            if signature(member) == ASSET_SIGNATURE:
                yield from _asset(name, member, folder)
            else:
                inner = _members(member, folder)
                yield from ((posixpath.join(name, each), size, data) for each, size, data in inner)
        return
    path = folder / file["path"]
    if path.name.endswith(_ZIP):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    with archive.open(entry) as data:
                        yield posixpath.normpath(entry.filename), entry.file_size, data
    elif path.name.endswith(_TAR):
        yield from _tar_members(path)
    else:
        yield from _folder_members(path, "")


def _asset(name: str, asset: Properties, folder: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    if "text" in asset:
        content = asset["text"].encode()
        yield name, len(content), io.BytesIO(content)
        return
    with (folder / asset["path"]).open("rb") as data:
        yield name, os.fstat(data.fileno()).st_size, data


def _tar_members(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with tarfile.open(path) as archive:
        for entry in archive:
            data = archive.extractfile(entry) if entry.isreg() else None
            if data:
                yield posixpath.normpath(entry.name), entry.size, data


def _folder_members(folder: Path, prefix: str) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield a folder's files, each folder in the order of its names; a link to a folder is passed over."""
    for path in sorted(folder.iterdir(), key=lambda each: each.name):
        name = f"{prefix}{path.name}"
        if path.name == _OF_THE_CLI or (path.is_symlink() and path.is_dir()):
            continue
        if path.is_dir():
            yield from _folder_members(path, f"{name}/")
        else:
            with path.open("rb") as data:
                yield name, os.fstat(data.fileno()).st_size, data


def _tar_hash(members: Iterator[tuple[str, int, IO[bytes]]]) -> str:
    content = hashlib.sha256()
    seen = set()
    for name, size, data in members:
        if name in seen:
            continue
        seen.add(name)
        content.update(_tar_header(name, size))
        while chunk := data.read(1 << 20):
            content.update(chunk)
        content.update(b"\0" * (-size % 512))
    content.update(b"\0" * 1024)
    return content.hexdigest()


def _tar_header(name: str, size: int) -> bytes:
    """Return the entry's header in POSIX's ustar form."""
    number = b"0000000\0"
    before = name.encode().ljust(100, b"\0") + b"0000600\0" + number * 2 + b"%011o\0" % size + b"%011o\0" % 0
    after = b"0".ljust(101, b"\0") + b"ustar\0" + b"00" + b"\0" * 64 + number * 2 + b"\0" * 167
    total = sum(before) + sum(after) + 8 * ord(" ")
    return before + b"%06o\0 " % total + after
