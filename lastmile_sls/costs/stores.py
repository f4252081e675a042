"""Files of costs in a bucket: listed lazily, and fetched to a folder of this machine that is deleted afterwards.

DuckDB's own ways to S3, Google and Azure are extensions that it downloads; nothing here downloads code.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.costs.find import (
    MOST_ENTRIES,
    MOST_FILES,
    Finding,
    Found,
    is_data,
    is_manifest,
    none_in,
    too_many,
)
from lastmile_sls.errors import LastmileError
from lastmile_sls.words import size

if TYPE_CHECKING:
    from lastmile_runtime.stores.cloud import CloudStore

SCHEMES = ("s3", "gs", "az")
_SPARE_BYTES = 1 << 30
"""What is left free on the disk."""


@dataclass(frozen=True)
class _Object:
    path: str
    size: int
    modified: datetime


def is_url(named: str) -> bool:
    """Whether a name is that of an object or a folder in a bucket. Raises LastmileError for a URL of another kind."""
    scheme, mark, _ = named.partition("://")
    if not mark:
        return False
    if scheme not in SCHEMES:
        raise LastmileError(
            f"{named} begins with {scheme}://, but costs are read from s3://, gs:// and az://, and from files.",
            "Fetch it to a folder and name that, or give the bucket's own address.",
        )
    return True


def fetch(
    url: str,
    environ: Mapping[str, str],
    folder: Path,
    tell: Callable[[str], None],
    open_store: Callable[[str, Mapping[str, str]], CloudStore] | None = None,
) -> Finding:
    """Copy what is below a URL of a bucket, or one object, into a folder, and return it.

    Args:
        url: `s3://BUCKET/...`, `gs://BUCKET/...` or `az://ACCOUNT/CONTAINER/...`.
        environ: With credentials, as the clouds' own tools read them.
        folder: Where to; it must be there.
        tell: Told now and then what is done.
        open_store: Returns the store at a URL; by default with the credentials of whoever runs this.

    Raises LastmileError for a store that cannot be read, with nothing or too much below the URL, or with
    more than the disk takes.
    """
    from lastmile_runtime.stores import StoreError

    root, only = url.rstrip("/"), ""
    if is_data(url):
        root, _, only = url.rpartition("/")
    try:
        store = (open_store or _open)(root, environ)
        objects = [_Object(*store.look(only))] if only else _below(store, url, tell)
        _check_space(url, objects, folder)
        return _copied(root, store, objects, folder, tell)
    except StoreError as error:
        raise LastmileError(
            f"{url} cannot be read: {error}",
            "Is the address right, and may you read it? Credentials are the cloud's own tools'.",
        ) from error


def _open(root: str, environ: Mapping[str, str]) -> CloudStore:
    from lastmile_runtime.stores.cloud import CloudStore
    from lastmile_sls.delivery.store import open_for_deployer

    store = open_for_deployer(root, environ)
    assert isinstance(store, CloudStore)
    return store


def _below(store: CloudStore, url: str, tell: Callable[[str], None]) -> list[_Object]:
    objects, seen = [], 0
    for found in store.walk():
        seen += 1
        if seen > MOST_ENTRIES:
            raise too_many(url, f"more than {MOST_ENTRIES} objects")
        if seen % 10_000 == 0:
            tell(f"{seen} objects of {url} looked at")
        if is_data(found[0]) or is_manifest(found[0]):
            objects.append(_Object(*found))
        if len(objects) > MOST_FILES:
            raise too_many(url, f"more than {MOST_FILES} files of costs")
    if not any(is_data(found.path) for found in objects):
        raise none_in(url, seen)
    return sorted((found for found in objects if found.size), key=lambda found: found.path)


def _check_space(url: str, objects: Sequence[_Object], folder: Path) -> None:
    needed, free = sum(found.size for found in objects), shutil.disk_usage(folder).free
    if needed + _SPARE_BYTES > free:
        raise LastmileError(
            f"{url} holds {size(needed)} of costs, and {folder} has {size(free)} free.",
            "Name one billing period's folder, or set TMPDIR to a larger disk.",
        )


def _copied(
    root: str, store: CloudStore, objects: Sequence[_Object], folder: Path, tell: Callable[[str], None]
) -> Finding:
    files: list[Found] = []
    manifests: list[Found] = []
    done = 0
    total = sum(found.size for found in objects)
    for number, found in enumerate(objects):
        path = folder / f"{number}{''.join(Path(found.path).suffixes[-2:])}"
        with path.open("wb") as file:
            for piece in store.stream(found.path, 0, found.size):
                done += file.write(piece)
                tell(f"{size(done)} of {size(total)} fetched from {root}")
        copied = Found(f"{root}/{found.path}", path, found.size, found.modified)
        (manifests if is_manifest(found.path) else files).append(copied)
    return Finding(tuple(files), tuple(manifests))
