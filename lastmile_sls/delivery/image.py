"""`Image`: a container image, sent to a registry without a Docker daemon."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lastmile_sls.bundle.cache import find_cache
from lastmile_sls.bundle.oci.descriptor import DIGEST
from lastmile_sls.bundle.oci.reference import parse_registry_reference
from lastmile_sls.delivery.patience import Patience
from lastmile_sls.engine.properties import is_unknown
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.schema import STRING, Schema, described

# Registries' modules take 70 ms to import, which deployments to this machine do not need.
if TYPE_CHECKING:
    from lastmile_sls.bundle.oci.image import Image as OciImage
    from lastmile_sls.bundle.oci.repository import Repository

_SHORT = 12
"""Characters of a digest in a tag."""


class Image(ResourceType):
    """What is in the registry is not sent again, so that an upload that was cut short goes on where it was."""

    schema = Schema(
        token="lastmile:index:Image",  # noqa: S106 - a type's name
        description="A container image, sent to a registry without a Docker daemon.",
        inputs={
            "source": described(
                STRING, "The folder that `lastmile build` wrote it to. What counts is what is in it."
            ),
            "digest": described(STRING, "The digest of the bundle that it holds."),
            "repository": described(STRING, "Where to: REGISTRY/REPOSITORY.", replaces=True),
            "base": described(STRING, "The image it is built on; by default what its manifest says."),
        },
        outputs={
            "reference": described(STRING, "REPOSITORY@sha256:..., which is this image and no other."),
            "tag": described(STRING, "Its tag there: of the bundle's digest and its own."),
            "image": described(
                STRING, "The digest of its config, which stands for all its files and settings."
            ),
        },
        optional=frozenset({"base"}),
        not_compared=frozenset({"source", "base"}),
    )

    def __init__(self, environ: Mapping[str, str], patience: Patience) -> None:
        self._environ = environ
        self._patience = patience

    def check(self, inputs: Values) -> list[tuple[str, str]]:
        """The repository must be one, and the digest too."""
        wrong = []
        digest, repository = inputs.get("digest"), inputs.get("repository")
        if digest is not None and not DIGEST.fullmatch(str(digest)):
            wrong.append(("digest", f"digest is {digest!r}, but must be sha256: and 64 hexadecimal digits."))
        if repository is not None:
            try:
                parsed = parse_registry_reference(str(repository))
            except LastmileError as error:
                wrong.append(("repository", str(error)))
            else:
                if f"{parsed.registry}/{parsed.repository}" != repository:
                    told = f"repository is {repository!r}, but must be REGISTRY/REPOSITORY, without a tag."
                    wrong.append(("repository", told))
        return wrong

    def planned(self, inputs: Values, before: Values) -> Values:
        """All of it follows from the folder and the repository, neither of which need be there yet."""
        unknown = super().planned(inputs, before)
        if is_unknown([inputs["source"], inputs["digest"], inputs.get("base")]):
            return unknown
        if not Path(str(inputs["source"])).is_dir():
            return unknown
        outputs = _outputs(inputs, self._read(inputs))
        return {**outputs, "reference": unknown["reference"]} if is_unknown(inputs["repository"]) else outputs

    def drifted(self, state: State, wanted: Values) -> list[str]:
        """Return `source` when the folder has another image of the same bundle: its base was brought up to date.

        A folder that is gone, or has another bundle by now, says nothing of what is in the registry.
        """
        if is_unknown(dict(wanted)):
            return []
        try:
            image = self._read(wanted)
        except LastmileError:
            return []
        return [] if image.config.digest == state.outputs.get("image") else ["source"]

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        """Send what the registry lacks of it."""
        image = self._read(inputs)
        outputs = _outputs(inputs, image)
        if self._digest_at(inputs, str(outputs["tag"])) != image.digest:
            self._push(inputs, image, str(outputs["tag"]))
        return inputs["repository"], outputs

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        """Send the new one; the former stays for whoever still runs it, until the repository goes."""
        return self.create(urn, inputs)[1]

    def read(self, state: State) -> tuple[Values, Values] | None:
        """Look whether the registry has it."""
        if not state.outputs.get("reference"):
            raise LastmileError(
                f"the image {state.id} cannot be imported.",
                "Leave it out of the import: the next up takes what is there, and sends nothing twice.",
            )
        digest = str(state.outputs["reference"]).rpartition("@")[2]
        inputs = {name: value for name, value in state.outputs.items() if name in self.schema.inputs}
        return (inputs, state.outputs) if self._digest_at(state.outputs, digest) == digest else None

    def delete(self, state: State) -> None:
        """Delete its manifest, where the registry lets anybody; its blobs are the registry's to collect."""
        digest = str(state.outputs["reference"]).rpartition("@")[2]
        with self._repository(state.outputs, deletes=True) as repository:
            repository.delete_manifest(digest, str(state.outputs["tag"]))

    def _read(self, inputs: Values) -> OciImage:
        from lastmile_sls.bundle.oci.credentials import docker_credentials
        from lastmile_sls.delivery.stored_image import bundle_of, read_image

        folder = Path(str(inputs["source"]))
        if not folder.is_dir():
            raise LastmileError(f"there is no image {folder}.", "Build the project: lastmile build.")
        cache = find_cache(self._environ) / "images"
        image = read_image(folder, cache, docker_credentials(self._environ), inputs.get("base"))
        held = bundle_of(image)
        if held is not None and held != inputs["digest"]:
            raise LastmileError(
                f"the image {folder} holds the bundle {held}, but digest is {inputs['digest']}.",
                "Build the project again: lastmile build.",
            )
        return image

    def _repository(self, place: Values, *, deletes: bool = False) -> Repository:
        from lastmile_sls.bundle.oci.repository import Repository
        from lastmile_sls.delivery.registry_login import registry_credentials

        reference = parse_registry_reference(str(place["repository"]))
        login = registry_credentials(self._environ, self._patience.pause)
        return Repository(reference, login, writes=True, deletes=deletes, pause=self._patience.pause)

    def _digest_at(self, place: Values, name: str) -> str:
        with self._repository(place) as repository:
            return repository.manifest_digest(name)

    def _push(self, inputs: Values, image: OciImage, tag: str) -> None:
        from lastmile_sls.bundle.oci.push import push
        from lastmile_sls.delivery.registry_login import registry_credentials

        login = registry_credentials(self._environ, self._patience.pause)
        push(image, f"{inputs['repository']}:{tag}", login, pause=self._patience.pause)


def _outputs(inputs: Values, image: OciImage) -> Values:
    parts = (str(inputs["digest"]), image.digest)
    return {
        "reference": f"{inputs['repository']}@{image.digest}",
        "tag": "-".join(part.removeprefix("sha256:")[:_SHORT] for part in parts),
        "image": image.config.digest,
    }
