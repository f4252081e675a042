"""Images as a folder on disk: the OCI image layout 1.0, read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lastmile_sls.bundle.oci.descriptor import (
    DOCUMENT_LIMIT,
    Descriptor,
    parse_descriptor,
    parse_object,
    verify_file,
)
from lastmile_sls.bundle.oci.platform import Platform, select
from lastmile_sls.errors import LastmileError

LAYOUT_FILE = "oci-layout"
INDEX_FILE = "index.json"
LAYOUT_VERSION = "1.0.0"
TAG = "org.opencontainers.image.ref.name"
_HINT = "Make it whole, for instance: skopeo copy docker://REGISTRY/REPOSITORY:TAG oci:FOLDER:TAG"


class Layout:
    """A folder in the layout; `name` is what errors call it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name

    def root(self, tag: str, digest: str, platform: Platform) -> Descriptor:
        """Return what a tag or a digest names: a manifest or an index.

        Args:
            tag: Empty for the only entry of the folder, or the platform's where there are several.
            digest: Instead of a tag's.
            platform: Which entry to take when there is neither.

        Raises LastmileError when there is no such folder, index, tag or blob.
        """
        if not self.folder.is_dir():
            raise LastmileError(f"{self.name}: there is no such folder.", "Make it, or correct its name.")
        layout = parse_object(self._bytes(LAYOUT_FILE), f"{self.folder / LAYOUT_FILE}")
        if layout.get("imageLayoutVersion") != LAYOUT_VERSION:
            version = layout.get("imageLayoutVersion")
            raise LastmileError(
                f"{self.name} has the layout version {version!r}; {LAYOUT_VERSION} is read.", _HINT
            )
        index = parse_object(self._bytes(INDEX_FILE), f"{self.folder / INDEX_FILE}")
        entries = index.get("manifests")
        if not isinstance(entries, list) or not entries:
            raise LastmileError(f"{self.folder / INDEX_FILE} lists no image.", _HINT)
        if digest:
            return self._by_digest(digest, entries)
        if tag:
            return self._by_tag(tag, entries)
        return parse_descriptor(entries[0], self.name) if len(entries) == 1 else self._any(entries, platform)

    def fetch(self, descriptor: Descriptor) -> Path:
        """Return the file of a blob, verified. Raises LastmileError when it is not there, or is another."""
        return verify_file(self._blob(descriptor.digest), descriptor, self.name)

    def read(self, descriptor: Descriptor) -> bytes:
        """Return the bytes of a manifest or a config, verified. Raises LastmileError as `fetch` does."""
        if descriptor.size > DOCUMENT_LIMIT:
            raise LastmileError(f"{self.name}: {descriptor.digest} is larger than {DOCUMENT_LIMIT} bytes.")
        return self.fetch(descriptor).read_bytes()

    def _by_digest(self, digest: str, entries: list[Any]) -> Descriptor:
        path = self._blob(digest)
        if not path.is_file():
            raise LastmileError(
                f"{self.name} lacks the blob {digest}.", "Name a digest that is there, or a tag."
            )
        media_type = parse_object(path.read_bytes(), str(path)).get("mediaType")
        listed = [d for d in (parse_descriptor(entry, self.name) for entry in entries) if d.digest == digest]
        kind = listed[0].media_type if listed else str(media_type)
        return Descriptor(kind, digest, path.stat().st_size)

    def _by_tag(self, tag: str, entries: list[Any]) -> Descriptor:
        tags = dict(_tagged(entries))
        if tag not in tags:
            raise LastmileError(
                f"{self.name}: there is no tag {tag!r}.",
                f"It has {', '.join(sorted(tags))}." if tags else "Nothing in it has a tag: leave it out.",
            )
        return parse_descriptor(tags[tag], self.name)

    def _any(self, entries: list[Any], platform: Platform) -> Descriptor:
        tags = dict(_tagged(entries))
        if tags:
            known = ", ".join(sorted(tags))
            raise LastmileError(f"{self.name} holds several images.", f"Name one by its tag: {known}.")
        return select(entries, platform, self.name)

    def _blob(self, digest: str) -> Path:
        return self.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def _bytes(self, file: str) -> bytes:
        try:
            return (self.folder / file).read_bytes()
        except FileNotFoundError as error:
            raise LastmileError(f"{self.name} is no OCI layout: it has no {file}.", _HINT) from error
        except OSError as error:
            raise LastmileError(f"{self.folder / file} cannot be read: {error.strerror}.") from error


def _tagged(entries: list[Any]) -> Iterator[tuple[str, Any]]:
    for entry in entries:
        match entry:
            case {"annotations": {"org.opencontainers.image.ref.name": str(tag)}}:
                yield tag, entry
