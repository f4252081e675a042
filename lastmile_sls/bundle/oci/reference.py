"""How images are named: in a registry, or as a folder in the OCI layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.bundle.oci.descriptor import DIGEST
from lastmile_sls.errors import LastmileError

LAYOUT = "oci:"
DOCKER_HUB = "docker.io"
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_FORM = "Write REGISTRY/REPOSITORY[:TAG][@sha256:DIGEST], or oci:FOLDER[:TAG]."
_LOCAL = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?")


@dataclass(frozen=True)
class RegistryReference:
    """An image in a registry; a digest, where there is one, says which, whatever the tag is on now."""

    registry: str
    """The host, and the port where it has one."""
    repository: str
    tag: str
    digest: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the registry is on this machine, which alone is asked without TLS."""
        return bool(_LOCAL.fullmatch(self.registry))

    @property
    def name(self) -> str:
        """Without the digest."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}"

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}" if self.digest else self.name


@dataclass(frozen=True)
class LayoutReference:
    """An image in a folder in the OCI layout; no tag where the folder holds one image, or one per platform."""

    folder: Path
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag, digest = (f":{self.tag}" if self.tag else ""), (f"@{self.digest}" if self.digest else "")
        return f"{LAYOUT}{self.folder}{tag}{digest}"


def parse_reference(text: str) -> RegistryReference | LayoutReference:
    """Read an image's name. Raises LastmileError for one that is of neither form."""
    if text.startswith(LAYOUT):
        return _parse_layout(text)
    return parse_registry_reference(text)


def parse_registry_reference(text: str) -> RegistryReference:
    """Read the name of an image in a registry; the tag is `latest` where neither tag nor digest is given.

    Raises LastmileError for a name of another form, or one without a registry.
    """
    name, digest = _split_digest(text)
    registry, slash, rest = name.partition("/")
    repository, colon, tag = rest.partition(":")
    if not slash or not (set(registry) & {".", ":"} or registry == "localhost"):
        raise LastmileError(
            f"{text!r} names no registry.",
            f"Put it in front, for instance {DOCKER_HUB}/{text}, if it is there.",
        )
    if not _HOST.fullmatch(registry):
        raise LastmileError(f"{text!r} has the registry {registry!r}, which is no host.", _FORM)
    if not _REPOSITORY.fullmatch(repository):
        raise LastmileError(
            f"{text!r} has the repository {repository!r}; small letters and digits are allowed, with . _ - between.",
            _FORM,
        )
    if colon and not _TAG.fullmatch(tag):
        raise LastmileError(
            f"{text!r} has the tag {tag!r}; at most 128 letters, digits and _ . - are allowed.", _FORM
        )
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return RegistryReference(registry, repository, tag or ("" if digest else "latest"), digest)


def _parse_layout(text: str) -> LayoutReference:
    name, digest = _split_digest(text)
    path = name.removeprefix(LAYOUT)
    # A colon in a folder above is no tag's.
    above, slash, last = path.rpartition("/")
    last, colon, tag = last.rpartition(":") if ":" in last else (last, "", "")
    if not above + slash + last or (colon and not _TAG.fullmatch(tag)):
        raise LastmileError(f"{text!r} is no name of an image in a folder.", _FORM)
    return LayoutReference(Path(above + slash + last), tag, digest)


def _split_digest(text: str) -> tuple[str, str]:
    name, at, digest = text.partition("@")
    if at and not DIGEST.fullmatch(digest):
        raise LastmileError(
            f"{text!r} has the digest {digest!r}; sha256: and 64 hexadecimal digits are needed.", _FORM
        )
    return name, digest
