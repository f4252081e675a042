"""The provider `lastmile` for tests of cloud programs: the real one, but what would send something to a cloud is played.

`python -m tests.clouds.played` serves it under the Pulumi CLI. Its world is the folder LASTMILE_TEST_CLOUDS.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

from pulumi.runtime.proto import provider_pb2

from lastmile_sls.engine.interface import EngineName
from lastmile_sls.engine.properties import from_struct
from lastmile_sls.local.home import find_home
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.service import LastmileProvider
from tests.clouds.provider import serve
from tests.clouds.world import Call, World, name_of, type_of

PLAYED = tuple(f"lastmile:index:{kind}" for kind in ("Document", "Image", "Key", "Package", "Release"))
KEY = "a-key-that-everybody-knows-0123456789abcdef"
"""The value of every key."""


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class PlayedType(ResourceType):
    """Takes what the real type takes, and judges it as that does; what it makes are notes in the world."""

    def __init__(self, real: ResourceType, world: World) -> None:
        self.schema = real.schema
        self._real = real
        self._world = world

    def check(self, inputs: Values) -> list[tuple[str, str]]:
        return self._real.check(inputs)

    def planned(self, inputs: Values, before: Values) -> Values:
        return self._real.planned(inputs, before)

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        id_ = f"{name_of(urn)}-{digest(urn)[7:14]}"
        self._keep("create", urn, id_, inputs)
        return id_, self._outputs(inputs)

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        self._keep("update", urn, state.id, inputs)
        return self._outputs(inputs, state)

    def read(self, state: State) -> tuple[Values, Values] | None:
        kept = self._world.read(self.schema.token, state.id)
        return (kept["inputs"], self._outputs(kept["inputs"], state)) if kept else None

    def delete(self, state: State) -> None:
        self._world.note(Call("delete", self.schema.token, state.id, "", {}))
        self._world.drop(self.schema.token, state.id)

    def _keep(self, verb: str, urn: str, id_: str, inputs: Values) -> None:
        self._world.note(Call(verb, self.schema.token, name_of(urn), urn, dict(inputs)))
        self._world.keep(self.schema.token, id_, dict(inputs), 1)

    def _outputs(self, inputs: Values, before: State | None = None) -> Values:
        match self.schema.token:
            case "lastmile:index:Key":
                return {"value": KEY, "digest": digest(KEY)}
            case "lastmile:index:Document":
                return {"location": f"{inputs['url']}/{inputs['path']}"}
            case "lastmile:index:Package":
                return {"deployment": digest(str(inputs["digest"]))[7:43]}
            case "lastmile:index:Image":
                image = digest(str(inputs["digest"]))
                return {
                    "reference": f"{inputs['repository']}@{image}",
                    "tag": image[7:19],
                    "image": digest(image),
                }
            case "lastmile:index:Release":  # nothing is sent anywhere: the real one says what it is
                return self._real.update("", before, inputs) if before else self._real.create("", inputs)[1]
            case token:
                raise AssertionError(f"{token} is not played")


class PlayedLastmile(LastmileProvider):
    """The real provider with the played types in the place of the real ones. It writes down every check."""

    def __init__(self, engine: EngineName, world: World | None = None) -> None:
        super().__init__(engine, find_home(os.environ))
        self._world = world or World.of_environment()
        self._types |= {token: PlayedType(self._types[token], self._world) for token in PLAYED}

    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        urn = request.urn
        self._world.note(Call("check", type_of(urn), name_of(urn), urn, from_struct(request.news)))
        return super().Check(request, context)


if __name__ == "__main__":
    serve(PlayedLastmile("pulumi"))
