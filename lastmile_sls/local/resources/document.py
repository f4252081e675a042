"""A document: an object in a bucket that is made once, and whose content is then somebody else's to change."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from lastmile_runtime.stores import Conflict, StoreError, open_store
from lastmile_sls.errors import LastmileError
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.bucket import bucket_folder
from lastmile_sls.local.resources.kind import Kind


class Document(Kind):
    """Outputs: `url` (`file://...`)."""

    def check(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The path must stay in the bucket."""
        path = inputs.get("path")
        if isinstance(path, str) and (path.startswith("/") or ".." in PurePosixPath(path).parts or not path):
            return [("path", f"path is {path!r}, but must be relative and stay in the bucket.")]
        return []

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Write the content, unless there is one."""
        inputs = record.inputs
        folder = bucket_folder(place, inputs["bucket"])
        if not folder.is_dir():
            raise LastmileError(
                f"the document {record.name} lies in the bucket {inputs['bucket']}, which does not exist.",
                "Make the bucket first.",
            )
        try:
            with contextlib.suppress(Conflict):
                open_store(folder.as_uri()).put(inputs["path"], inputs["content"].encode(), if_absent=True)
        except StoreError as error:
            raise LastmileError(
                f"the document {record.name} could not be written: {error}", "Free space, then run again."
            ) from error
        return {"url": _file(place, record).as_uri()}

    def drifted(self, place: Place, record: Record) -> list[str]:
        """Return `url` when it is gone."""
        return [] if _file(place, record).exists() else ["url"]

    def remove(self, place: Place, record: Record) -> None:
        """Delete it."""
        _file(place, record).unlink(missing_ok=True)


def _file(place: Place, record: Record) -> Path:
    return bucket_folder(place, record.inputs["bucket"]) / str(record.inputs["path"])


KIND = Document()
