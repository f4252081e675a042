"""`Release`: the settings that go with a function's code, of the bundle that is being deployed and of the one before it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lastmile_sls.bundle.oci.descriptor import DIGEST
from lastmile_sls.engine.properties import is_unknown
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.schema import STRING, STRING_MAP, Schema, described


class Release(ResourceType):
    """Where settings change before the code does, both know their own (see `lastmile_runtime.releases`)."""

    schema = Schema(
        token="lastmile:index:Release",  # noqa: S106 - a type's name
        description="The settings that go with a function's code, now and before. Nothing is written anywhere.",
        inputs={
            "digest": described(STRING, "The digest of the bundle that is deployed."),
            "settings": described(STRING_MAP, "The settings that this bundle is to run under."),
        },
        outputs={
            "releases": described(
                STRING, "JSON: the settings by the bundle's digest, of this bundle and of the one before it."
            )
        },
    )

    def check(self, inputs: Values) -> list[tuple[str, str]]:
        """The digest must be one, and settings are texts."""
        digest, settings = inputs.get("digest"), inputs.get("settings")
        wrong = []
        if digest is not None and not DIGEST.fullmatch(str(digest)):
            wrong.append(("digest", f"digest is {digest!r}, but must be sha256: and 64 hexadecimal digits."))
        if settings is not None and not _are_texts(settings):
            wrong.append(("settings", "settings must be texts by the variables' names."))
        return wrong

    def planned(self, inputs: Values, before: Values) -> Values:
        """Say what it will be: that follows from the inputs alone, once they are known."""
        if is_unknown([inputs["digest"], inputs["settings"]]):
            return super().planned(inputs, before)
        return {"releases": _releases(inputs, before)}

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        """Return the first release, which has none before it."""
        return urn.rpartition("::")[2], {"releases": _releases(inputs, {})}

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        """Return the releases, of which the one that was current is the one before."""
        return {"releases": _releases(inputs, state.outputs)}

    def read(self, state: State) -> tuple[Values, Values]:
        """Return what the state says. Raises LastmileError when that is nothing."""
        if not state.outputs.get("releases"):
            raise LastmileError(
                f"the release {state.id} cannot be imported: nobody but a stack's state has it.",
                "Leave it out of the import: the next up makes it.",
            )
        inputs = {name: value for name, value in state.outputs.items() if name in self.schema.inputs}
        return inputs, state.outputs

    def delete(self, state: State) -> None:
        """Do nothing: it was in the state alone."""


def _are_texts(settings: object) -> bool:
    return isinstance(settings, Mapping) and all(
        isinstance(value, str) or is_unknown(value) for value in settings.values()
    )


def _releases(inputs: Values, before: Values) -> str:
    """Return the bundle's own settings, and those of the last other one: the former release, or the one it had before."""
    digest, current = inputs["digest"], before.get("digest")
    known = json.loads(before["releases"]) if before else {}
    former = {other: known[other] for other in known if other != digest and current in (other, digest)}
    releases = {**former, digest: inputs["settings"]}
    return json.dumps(releases, separators=(",", ":"), sort_keys=True)
