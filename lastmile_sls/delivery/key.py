"""`Key`: a random API key, made once and kept, encrypted, in the stack's state alone."""

from __future__ import annotations

import hashlib
import secrets

from lastmile_sls.engine.properties import UNKNOWN_SENTINEL
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.schema import STRING, Schema, described

_BYTES = 32


class Key(ResourceType):
    """Another name is another key."""

    schema = Schema(
        token="lastmile:index:Key",  # noqa: S106 - a type's name
        description="A random API key. The stack's state keeps it, encrypted; nothing else of lastmile's does.",
        inputs={"name": described(STRING, "What it is called; another name is another key.", replaces=True)},
        outputs={
            "value": described(STRING, "The key.", secret=True),
            "digest": described(STRING, "`sha256:` and its hash, by which a function knows it."),
        },
    )

    def planned(self, inputs: Values, before: Values) -> Values:
        """Keep it for good."""
        return {name: before.get(name, UNKNOWN_SENTINEL) for name in self.schema.outputs}

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        """Make it: 32 random bytes."""
        value = secrets.token_urlsafe(_BYTES)
        digest = f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
        return inputs["name"], {"value": value, "digest": digest}

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        """Keep it."""
        return state.outputs

    def read(self, state: State) -> tuple[Values, Values]:
        """Return what the state says. Raises LastmileError when that is nothing."""
        if not state.outputs.get("value"):
            raise LastmileError(
                f"the key {state.id} cannot be imported: nobody but a stack's state has it.",
                "Leave it out of the import; the next up makes another one.",
            )
        return {"name": state.outputs["name"]}, state.outputs

    def delete(self, state: State) -> None:
        """Do nothing: it was in the state alone."""
