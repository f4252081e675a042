"""Large files of a model, fetched from a store when a function starts: in parallel, and never used unverified.

Such a file is not in the bundle's package. Its entry in the manifest's `files` says so with `chunks`:

    "models/v2/model.onnx": {"size": 419430400, "sha256": "<hexadecimal, of the whole>",
                             "chunks": {"bytes": 8388608, "sha256": ["<hexadecimal>", ...]}}

It is stored under the `sha256` of the whole, so that versions share what they have in common. Here the chunks' hashes
are what counts: they can be checked in parallel and as the bytes come in, the whole's could not.
"""

# pathlib would cost 10 ms of each cold start:
# ruff: noqa: PTH103, PTH105, PTH108, PTH118, PTH120, PTH123

from __future__ import annotations

import os
import threading
import time

from lastmile_runtime.errors import BundleError
from lastmile_runtime.stores import NotFound, StoreError

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from lastmile_runtime.manifest import Bundle
    from lastmile_runtime.stores import Store

CHUNK_BYTES = 8 << 20
_CONNECTIONS = 8
"""S3 gives each connection about 90 MB/s: https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html"""
_ATTEMPTS = 3
_PAUSE_S = 0.2
_PIECE_BYTES = 1 << 18


class _CorruptError(Exception):
    """A chunk is not the one of the manifest."""


class Entry:
    """What the manifest says of a file that is stored elsewhere."""

    __slots__ = ("chunk_bytes", "chunks", "name", "path", "size")

    def __init__(self, name: str, entry: Mapping[str, Any]) -> None:
        """Read an entry of the manifest's `files`. Raises BundleError when its chunks do not make the file up."""
        try:
            self.name = name
            self.path = str(entry["sha256"])
            self.size = int(entry["size"])
            self.chunk_bytes = int(entry["chunks"]["bytes"])
            self.chunks = [str(digest) for digest in entry["chunks"]["sha256"]]
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"{name} needs size, sha256, chunks.bytes and chunks.sha256 in the manifest."
            ) from error
        needed = -(-self.size // self.chunk_bytes) if self.chunk_bytes > 0 else -1
        if len(self.chunks) != needed:
            raise BundleError(
                f"{name} has {len(self.chunks)} chunks of {self.chunk_bytes} bytes, but its size is {self.size} bytes."
            )

    def span(self, index: int) -> tuple[int, int]:
        """Return where a chunk begins and ends (bytes)."""
        start = index * self.chunk_bytes
        return start, min(start + self.chunk_bytes, self.size)


def describe(path: str, chunk_bytes: int = CHUNK_BYTES) -> dict[str, Any]:
    """Return a file's entry for the manifest: size (bytes), and the SHA-256 of the whole and of each chunk."""
    from hashlib import sha256

    whole, chunks, size = sha256(), [], 0
    with open(path, "rb") as file:
        while chunk := file.read(chunk_bytes):
            size += len(chunk)
            whole.update(chunk)
            chunks.append(sha256(chunk).hexdigest())
    return {
        "size": size,
        "sha256": whole.hexdigest(),
        "chunks": {"bytes": chunk_bytes, "sha256": chunks},
    }


class Weights:
    """The store of a bundle's large files, and the folder where they are kept."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store = store
        self._folder = folder

    def gather(self, bundle: Bundle, names: list[str]) -> str:
        """Put the files of one model beside each other, each verified; return the folder that stands for the bundle's.

        What the bundle's package has is copied, so that a model finds its parts beside it. Raises BundleError.
        """
        place = os.path.join(self._folder, bundle.digest.rpartition(":")[2][:32])
        try:
            _own(self._folder)
        except OSError as error:
            raise BundleError(f"{self._folder} cannot keep weights: {error.strerror or error}.") from error
        for name in names:
            entry = bundle.manifest.files[name]
            if "chunks" in entry:
                fetch(self._store, name, entry, place)
            else:
                _copy(bundle.verify(name), name, place)
        return place


def _copy(path: str, name: str, folder: str) -> None:
    """Copy a verified file of the bundle."""
    target = os.path.join(folder, *name.split("/"))
    half = f"{target}.{os.getpid()}.half"
    try:
        _own(folder)
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        with open(path, "rb") as source, open(half, "wb") as copy:
            while piece := source.read(_PIECE_BYTES):
                copy.write(piece)
        os.replace(half, target)
    except OSError as error:
        raise BundleError(f"{name} cannot be kept in {folder}: {error.strerror or error}.") from error


def fetch(store: Store, name: str, entry: Mapping[str, Any], folder: str) -> str:
    """Return the path of a file of the manifest below a folder, fetched unless it is there as it should be.

    Readers may map it into memory: it is replaced, never changed. One process fetches, others wait for it.

    Args:
        store: Where the files lie, each under its SHA-256.
        name: Its path in the manifest, which is also its path below the folder.
        entry: Its entry in the manifest's `files`.
        folder: A folder that only its owner can write to; it is made so, or refused.

    Raises BundleError when it cannot be fetched, or is not what the manifest says after it was fetched twice.
    """
    wanted = Entry(name, entry)
    path = os.path.join(folder, *name.split("/"))
    try:
        _own(folder)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(f"{path}.lock", "wb") as lock:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_there(path, wanted):
                _fetch(store, wanted, path)
    except OSError as error:
        raise BundleError(f"{name} cannot be kept in {folder}: {error.strerror or error}.") from error
    return path


def _own(folder: str) -> None:
    """Make a folder that is the owner's alone, so that nobody can change a file after it was verified."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    found = os.stat(folder)  # noqa: PTH116 - see above
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(0, "others can write to it")


def _is_there(path: str, wanted: Entry) -> bool:
    """Tell whether a file is there, and every chunk of it is the manifest's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if os.fstat(descriptor).st_size != wanted.size:
            return False
        _in_parallel(len(wanted.chunks), lambda index: _check_there(descriptor, wanted, index))
    except _CorruptError:
        return False
    finally:
        os.close(descriptor)
    return True


def _check_there(descriptor: int, wanted: Entry, index: int) -> None:
    from hashlib import sha256

    start, end = wanted.span(index)
    hasher, buffer = sha256(), memoryview(bytearray(_PIECE_BYTES))
    while start < end and (count := os.preadv(descriptor, [buffer[: end - start]], start)):
        hasher.update(buffer[:count])
        start += count
    if hasher.hexdigest() != wanted.chunks[index]:
        raise _CorruptError


def _fetch(store: Store, wanted: Entry, path: str) -> None:
    """Fetch a file beside where it belongs, and put it there when every chunk was verified."""
    half = f"{path}.half"
    descriptor = os.open(half, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.truncate(descriptor, wanted.size)
        _in_parallel(len(wanted.chunks), lambda index: _fetch_chunk(store, wanted, index, descriptor))
        os.replace(half, path)
    except BaseException:
        os.unlink(half)
        raise
    finally:
        os.close(descriptor)


def _fetch_chunk(store: Store, wanted: Entry, index: int, descriptor: int) -> None:
    """Write one chunk. Raises BundleError when the store fails three times, or gives a wrong chunk twice."""
    corrupt, failure = 0, ""
    for attempt in range(_ATTEMPTS):
        if failure and not corrupt:
            time.sleep(_PAUSE_S * attempt)
        try:
            _copy_chunk(store, wanted, index, descriptor)
        except NotFound as error:
            raise BundleError(f"{wanted.name} is not in the store: there is no {wanted.path}.") from error
        except StoreError as error:
            failure = f"could not be fetched: {error}"
        except _CorruptError:
            failure = (
                f"is corrupt in the store: chunk {index + 1} of {len(wanted.chunks)} is not the deployed one."
            )
            corrupt += 1
            if corrupt > 1:
                break
        else:
            return
    raise BundleError(f"{wanted.name} {failure}")


def _copy_chunk(store: Store, wanted: Entry, index: int, descriptor: int) -> None:
    """Write a chunk, each piece hashed while it is in the processor's cache. Raises StoreError, _CorruptError."""
    from hashlib import sha256

    start, end = wanted.span(index)
    hasher = sha256()
    for piece in store.stream(wanted.path, start, end):
        if start + len(piece) > end:
            raise _CorruptError
        hasher.update(piece)
        while piece:
            count = os.pwrite(descriptor, piece, start)
            start += count
            piece = piece[count:]  # noqa: PLW2901 - what is left of it
    if start != end or hasher.hexdigest() != wanted.chunks[index]:
        raise _CorruptError


def _in_parallel(count: int, work: Callable[[int], None]) -> None:
    """Do numbered work in some threads; after the first failure begin no more, and raise it."""
    numbers = iter(range(count))
    lock = threading.Lock()
    failures: list[BaseException] = []

    def run() -> None:
        while not failures:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                work(number)
            except BaseException as error:  # noqa: BLE001 - it is raised to whoever waits
                failures.append(error)

    threads = [threading.Thread(target=run, name="lastmile-weights") for _ in range(min(count, _CONNECTIONS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
