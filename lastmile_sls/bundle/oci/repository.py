"""One repository of a registry: its manifests and blobs, read and written as the OCI distribution specification 1.1 says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlencode, urljoin, urlsplit

from lastmile_sls.bundle.oci.authorization import Authorization
from lastmile_sls.bundle.oci.credentials import Credentials
from lastmile_sls.bundle.oci.descriptor import (
    INDEXES,
    MANIFESTS,
    Descriptor,
    describe,
    digest_of,
    verify_content,
)
from lastmile_sls.bundle.oci.reference import RegistryReference
from lastmile_sls.bundle.oci.transport import Answer, Pause, Transport, Upload, reason, with_retries
from lastmile_sls.errors import LastmileError

_TAGGED = b"GOOGLE_MANIFEST_DANGLING_TAG"
_ACCEPTED = {"accept": ", ".join((*INDEXES, *MANIFESTS))}


class Repository:
    """A repository, and one of its images, after which errors are named."""

    def __init__(
        self,
        reference: RegistryReference,
        credentials: Credentials,
        *,
        writes: bool = False,
        deletes: bool = False,
        mounts_from: Sequence[str] = (),
        pause: Pause = time.sleep,
    ) -> None:
        self.reference = reference
        self._pause = pause
        self._transport = Transport()
        scheme = "http" if reference.is_local else "https"
        host = "registry-1.docker.io" if reference.registry == "docker.io" else reference.registry
        self._root = f"{scheme}://{host}/v2/{reference.repository}"
        actions = ["pull", *(["push"] if writes else []), *(["delete"] if deletes else [])]
        scopes = [f"repository:{reference.repository}:{','.join(actions)}"]
        scopes += [f"repository:{repository}:pull" for repository in mounts_from]
        self._authorization = Authorization(reference, scopes, credentials, self._transport, pause)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.__exit__(kind, error, trace)

    def manifest(self, name: str) -> tuple[Descriptor, bytes]:
        """Return a manifest or an index by its tag or digest. Raises LastmileError when there is none."""
        answer = self._get(f"/manifests/{name}", _ACCEPTED)
        if answer.status == 404:
            told = f"{self.reference}: the registry has no {name}{self._authorization.scrub(reason(answer))}."
            raise LastmileError(told, "Name a tag that is there, or push it first.")
        self._require(answer, "reading the manifest", 200)
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip()
        found = describe(answer.body, media_type)
        if ":" in name:
            verify_content(answer.body, Descriptor(media_type, name, found.size), str(self.reference))
        return found, answer.body

    def manifest_digest(self, name: str) -> str:
        """Return the digest that a tag, or a digest, now stands for; empty when there is none."""
        answer = self._ask("HEAD", f"/manifests/{name}", _ACCEPTED)
        if answer.status == 404:
            return ""
        if answer.status != 200 or not answer.headers.get("docker-content-digest"):
            return self.manifest(name)[0].digest
        return answer.headers["docker-content-digest"]

    def download(self, descriptor: Descriptor, sink: IO[bytes]) -> None:
        """Write a blob to a file, unverified. Raises LastmileError when it cannot be had."""
        answer = self._ask("GET", f"/blobs/{descriptor.digest}", sink=sink)
        self._require(answer, f"reading {descriptor.digest}", 200)

    def read(self, descriptor: Descriptor) -> bytes:
        """Return a small blob, verified. Raises LastmileError when it cannot be had."""
        answer = self._get(f"/blobs/{descriptor.digest}")
        self._require(answer, f"reading {descriptor.digest}", 200)
        return verify_content(answer.body, descriptor, str(self.reference))

    def has(self, descriptor: Descriptor) -> bool:
        """Tell whether a blob is there. Raises LastmileError when the registry does not say."""
        answer = self._ask("HEAD", f"/blobs/{descriptor.digest}")
        if answer.status not in (200, 404):
            # An answer to HEAD cannot say why; the same request with a body can.
            answer = self._ask("POST", "/blobs/uploads/")
            self._require(answer, f"looking for {descriptor.digest}", 202)
            return False
        return answer.status == 200

    def mount(self, descriptor: Descriptor, repository: str) -> bool:
        """Make a blob of another repository one of this; tell whether the registry did."""
        query = urlencode({"mount": descriptor.digest, "from": repository})
        return self._ask("POST", f"/blobs/uploads/?{query}").status == 201

    def upload(self, descriptor: Descriptor, path: Path, tell: Callable[[int], None]) -> None:
        """Send a blob; begin anew when the connection breaks or the registry fails.

        Args:
            descriptor: The blob's.
            path: Its file.
            tell: Told how many bytes have been sent.

        Raises LastmileError when the registry refuses it, or cannot be reached.
        """
        first = True

        def attempt() -> Answer:
            nonlocal first
            if not first:
                there = self._once("HEAD", f"/blobs/{descriptor.digest}")
                if there.status == 200:  # it had arrived, and only the answer had not
                    return there
            first = False
            started = self._once("POST", "/blobs/uploads/")
            if started.status != 202:
                return started
            location = urljoin(f"{self._root}/", started.headers.get("location", ""))
            separator = "&" if urlsplit(location).query else "?"
            url = f"{location}{separator}{urlencode({'digest': descriptor.digest})}"
            headers = {"content-type": "application/octet-stream"}
            return self._once("PUT", url, headers, Upload(path, descriptor.size, tell))

        answer = with_retries(attempt, self.reference.registry, self._pause)
        self._require(answer, f"writing {descriptor.digest}", 200, 201)

    def put_manifest(self, name: str, content: bytes, media_type: str) -> None:
        """Write a manifest under a tag or its digest. Raises LastmileError when the registry refuses it."""
        answer = self._ask("PUT", f"/manifests/{name}", {"content-type": media_type}, content)
        self._require(answer, "writing the manifest", 201, 200, 202)
        if (found := self.manifest_digest(name)) != digest_of(content):
            told = f"{self.reference}: {digest_of(content)} was written, but the registry now has {found or 'nothing'}."
            raise LastmileError(told, "Somebody else may have pushed at the same time: run again.")

    def delete_manifest(self, digest: str, tag: str) -> None:
        """Delete an image, and its tag where it must go first (Google's registries), if the registry lets anybody.

        Raises LastmileError when it refuses us.
        """
        answer = self._ask("DELETE", f"/manifests/{digest}")
        if _TAGGED in answer.body:
            self._require(
                self._ask("DELETE", f"/manifests/{tag}"), f"deleting the tag {tag}", 200, 202, 204, 404
            )
            answer = self._ask("DELETE", f"/manifests/{digest}")
        # Some answer 400 and say why in the body (code-13 of the distribution specification).
        if answer.status not in (404, 405) and b'"UNSUPPORTED"' not in answer.body:
            self._require(answer, "deleting the manifest", 200, 202, 204)

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._ask("GET", path, headers)

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        sink: IO[bytes] | None = None,
    ) -> Answer:
        registry = self.reference.registry
        return with_retries(lambda: self._once(method, path, headers, body, sink), registry, self._pause)

    def _once(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | Upload = b"",
        sink: IO[bytes] | None = None,
    ) -> Answer:
        """Send a request, and once more with a new authorization when that is asked for."""
        url = f"{self._root}{path}" if path.startswith("/") else path
        ours = urlsplit(url).netloc == urlsplit(self._root).netloc
        if urlsplit(url).scheme == "http" and not self.reference.is_local:
            raise LastmileError(
                f"{self.reference}: the registry sends us to {urlsplit(url).netloc} without TLS."
            )

        def send() -> Answer:
            proof = (
                {"authorization": self._authorization.header} if self._authorization.header and ours else {}
            )
            return self._transport.exchange(method, url, {**(headers or {}), **proof}, body, sink)

        answer = send()
        if answer.status == 401 and ours and self._authorization.renew(answer):
            answer = send()
        return answer

    def _require(self, answer: Answer, doing: str, *allowed: int) -> None:
        if answer.status in allowed:
            return
        told = f"{self.reference}: {doing} was answered with {answer.status}{self._authorization.scrub(reason(answer))}."
        hint = "If it is a passing fault of the registry's, run again."
        raise LastmileError(told, self._authorization.hint if answer.status in (401, 403) else hint)
