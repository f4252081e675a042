"""A bucket: a folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from lastmile_sls.files import make_private_folder
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.kind import Kind


class Bucket(Kind):
    """Outputs: `url` (`file://...`)."""

    def make(self, place: Place, record: Record) -> dict[str, Any]:
        """Make the folder."""
        folder = bucket_folder(place, record.name)
        make_private_folder(folder)
        return {"url": folder.as_uri()}

    def drifted(self, place: Place, record: Record) -> list[str]:
        """Return `url` when the folder is gone."""
        return [] if bucket_folder(place, record.name).is_dir() else ["url"]

    def remove(self, place: Place, record: Record) -> None:
        """Delete the folder and what is in it."""
        shutil.rmtree(bucket_folder(place, record.name), ignore_errors=True)


def bucket_folder(place: Place, name: str) -> Path:
    """Return where a bucket's objects are kept."""
    return place.root / "buckets" / name


KIND = Bucket()
