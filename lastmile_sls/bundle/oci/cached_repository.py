"""A base image in a registry: what is needed of it is downloaded once, verified, and kept by its digest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lastmile_sls.bundle.oci.credentials import Credentials
from lastmile_sls.bundle.oci.descriptor import (
    INDEXES,
    MANIFESTS,
    Descriptor,
    digest_of,
    verify_content,
    verify_file,
)
from lastmile_sls.bundle.oci.new_file import new_file
from lastmile_sls.bundle.oci.reference import RegistryReference
from lastmile_sls.bundle.oci.repository import Repository
from lastmile_sls.errors import LastmileError

Tell = Callable[[str], None]


class CachedRepository:
    """A repository that is read, and a folder of blobs."""

    def __init__(
        self, reference: RegistryReference, cache: Path, credentials: Credentials, tell: Tell
    ) -> None:
        self._reference = reference
        self._folder = cache / "sha256"
        self._credentials = credentials
        self._tell = tell

    def root(self) -> Descriptor:
        """Return what the reference names. Raises LastmileError when there is no such thing."""
        digest = self._reference.digest
        if digest and (kept := self._kept(digest)) is not None:
            return Descriptor("", digest, kept)
        with self._repository() as repository:
            descriptor, content = repository.manifest(digest or self._reference.tag)
        self._keep(content)
        return descriptor

    def fetch(self, descriptor: Descriptor) -> Path:
        """Return the file of a blob, downloaded where it is not kept. Raises LastmileError when it cannot be had."""
        path = self._path(descriptor.digest)
        with suppress(LastmileError):  # not there, or damaged since
            return verify_file(path, descriptor, str(self._reference))
        self._tell(f"downloading {descriptor.size / 1e6:.1f} MB of {self._reference.name}")
        with new_file(self._folder) as made, self._repository() as repository:
            repository.download(descriptor, made.file)
            made.file.flush()
            verify_file(Path(made.file.name), descriptor, str(self._reference))
            return made.keep_as(path.name)

    def read(self, descriptor: Descriptor) -> bytes:
        """Return the bytes of a manifest or a config. Raises LastmileError when they cannot be had."""
        if self._kept(descriptor.digest) == descriptor.size:
            return self._path(descriptor.digest).read_bytes()
        is_manifest = descriptor.media_type in (*INDEXES, *MANIFESTS)
        with self._repository() as repository:
            content = (
                repository.manifest(descriptor.digest)[1] if is_manifest else repository.read(descriptor)
            )
        verify_content(content, descriptor, str(self._reference))
        self._keep(content)
        return content

    def _kept(self, digest: str) -> int | None:
        """Return the size of a small blob that is kept and is what its name says."""
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            return None
        return len(content) if digest_of(content) == digest else None

    def _keep(self, content: bytes) -> None:
        with new_file(self._folder) as made:
            made.file.write(content)
            made.keep_as(digest_of(content).removeprefix("sha256:"))

    def _path(self, digest: str) -> Path:
        return self._folder / digest.removeprefix("sha256:")

    def _repository(self) -> Repository:
        return Repository(self._reference, self._credentials)
