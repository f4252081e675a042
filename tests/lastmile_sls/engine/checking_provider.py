"""A resource provider for tests: what it makes are files, and it writes down every call.

Runs inside the embedded engine and, as `pulumi-resource-checking`, under the Pulumi CLI. Its world is the
folder CHECKING_WORLD. Ids are deterministic and a create adopts what it finds, as our own provider does.
The property `value` scripts misbehaviour: "fail", "fail-delete", "die-before", "die-after", "wait".
"""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent import futures
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, from_struct, to_struct
from lastmile_sls.provider.lifetime import wait


class CheckingProvider(provider_pb2_grpc.ResourceProviderServicer):
    """`checking:index:Thing` with the properties value, secret, place (a change of it replaces)."""

    def __init__(self) -> None:
        self.world = Path(os.environ["CHECKING_WORLD"])

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_outputs=True)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        failures = []
        if from_struct(request.news).get("value") == "invalid":
            failures = [provider_pb2.CheckFailure(property="value", reason="value is 'invalid'.")]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = from_struct(request.old_inputs), from_struct(request.news)
        changed = sorted(k for k in {*old, *new} if old.get(k) != new.get(k) and k[:2] != "__")
        changes = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [key for key in changed if key == "place"]
        first = "first" in str(new.get("place"))
        return provider_pb2.DiffResponse(
            changes=changes, diffs=changed, replaces=replaces, deleteBeforeReplace=first
        )

    def Create(self, request: Any, context: Any) -> Any:
        inputs = from_struct(request.properties)
        name = request.urn.rsplit("::", 1)[-1]
        if request.preview:
            return provider_pb2.CreateResponse(properties=to_struct({**inputs, "mark": UNKNOWN_SENTINEL}))
        identity = f"{name}-{inputs.get('place', 'here')}"
        self._misbehave(inputs, "before", context)
        path = self.world / f"{identity}.json"
        self._note("adopt" if path.exists() else "create", identity)
        path.write_text(json.dumps(inputs))
        self._misbehave(inputs, "after", context)
        return provider_pb2.CreateResponse(
            id=identity, properties=to_struct({**inputs, "mark": f"mark-{identity}"})
        )

    def Update(self, request: Any, context: Any) -> Any:
        inputs = from_struct(request.news)
        if not request.preview:
            self._misbehave(inputs, "before", context)
            self._note("update", request.id)
            (self.world / f"{request.id}.json").write_text(json.dumps(inputs))
            self._misbehave(inputs, "after", context)
        return provider_pb2.UpdateResponse(properties=to_struct({**inputs, "mark": f"mark-{request.id}"}))

    def Delete(self, request: Any, context: Any) -> Any:
        outputs = from_struct(request.properties)
        if outputs.get("value") == "fail-delete" and (self.world / "armed").exists():
            self._fail(f"{request.id} cannot be deleted.", context)
        self._note("delete", f"{request.id} emptied" if outputs.get("forceDestroy") else request.id)
        (self.world / f"{request.id}.json").unlink(missing_ok=True)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def _note(self, verb: str, identity: str) -> None:
        with (self.world / "calls.log").open("a") as log:
            log.write(f"{verb} {identity}\n")

    def _fail(self, message: str, context: Any) -> NoReturn:
        if context:
            context.abort(grpc.StatusCode.UNKNOWN, message)
        raise ValueError(message)

    def _misbehave(self, inputs: dict[str, Any], when: str, context: Any) -> None:
        value = str(inputs.get("value"))
        armed = (self.world / "armed").exists()
        if value == "fail" and when == "before":
            self._fail("value is 'fail': this thing cannot be made.", context)
        if value == f"die-{when}" and armed:
            os.kill(os.getpid(), signal.SIGKILL)
        if value == f"wait-{when}" and armed:
            (self.world / "waiting").touch()
            time.sleep(60)


def main() -> None:
    """Serve as a Pulumi plugin: print the port, then wait to be ended."""
    parent = os.getppid()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(CheckingProvider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    wait(server, parent)


if __name__ == "__main__":
    main()
