"""The embedded cloud's types of resources, `lastmile:local:*`."""

from __future__ import annotations

from typing import Any

from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, is_unknown
from lastmile_sls.local.cloud import Cloud
from lastmile_sls.provider.resource import ResourceType, State, Values
from lastmile_sls.provider.schema import (
    ANY,
    INTEGER,
    NUMBER,
    STRING,
    STRING_MAP,
    STRINGS,
    Property,
    Schema,
    described,
)

_PLACE = {
    "deployment": described(STRING, "The deployment it belongs to.", replaces=True),
    "name": described(STRING, "Its name in the deployment.", replaces=True),
}
_TAGS = {"tags": described(STRING_MAP, "Cost tags.")}


def _schema(
    kind: str,
    inputs: dict[str, Property],
    outputs: dict[str, Property],
    optional: tuple[str, ...] = (),
    not_compared: tuple[str, ...] = (),
) -> Schema:
    return Schema(
        token=f"lastmile:local:{kind.capitalize()}",
        description=f"A {kind} of lastmile's embedded cloud on this machine.",
        inputs={**_PLACE, **inputs, **_TAGS},
        outputs=outputs,
        optional=frozenset({*optional, "tags"}),
        not_compared=frozenset(not_compared),
    )


SCHEMAS = {
    "key": _schema(
        "key",
        {},
        {
            "value": described(STRING, "The key.", secret=True),
            "digest": described(STRING, "How the gateway knows the key."),
        },
    ),
    "function": _schema(
        "function",
        {
            "source": described(STRING, "The bundle's folder. What counts is its digest."),
            "bundleDigest": described(STRING, "The digest of the bundle's manifest."),
            "memoryMb": described(INTEGER, "Resident memory of one process, MB."),
            "timeoutS": described(INTEGER, "A request is given up after this, seconds."),
            "idleTimeoutS": described(INTEGER, "An idle process ends after this, seconds."),
            "concurrency": described(INTEGER, "Requests that one process answers at once."),
            "minInstances": described(INTEGER, "Processes kept warm."),
            "maxInstances": described(INTEGER, "Never more processes."),
            "environment": described(STRING_MAP, "Environment variables."),
            "routing": described(ANY, "Which version answers which share, until a document says so."),
            "bucket": described(STRING, "The bucket that it reads and writes."),
            "routingDocument": described(STRING, "The live routing document's path in the bucket."),
            "queue": described(STRING, "The queue that it sends to and works on."),
            "jobs": described(STRING, "The path in the bucket of answers that come later."),
            "callback": described(
                ANY, "Who may be told of them: `urls`, and the variable with the `secret`."
            ),
            "batch": described(
                ANY, "The files it scores when the queue says so: `input`, `output`, `format`."
            ),
            "calls": described(STRINGS, "The functions of the deployment that it may ask."),
            "why": described(STRING, "Why it serves what it serves."),
        },
        {},
        optional=(
            "environment",
            "bucket",
            "routingDocument",
            "queue",
            "jobs",
            "callback",
            "batch",
            "calls",
            "why",
        ),
        not_compared=("source",),
    ),
    "route": _schema(
        "route",
        {
            "function": described(STRING, "The function behind it."),
            "port": described(INTEGER, "The port; by default the first free one from 8080."),
            "auth": described(STRING, "`key`, `jwt` or `public`."),
            "jwt": described(ANY, "`issuer` and `audiences`, with auth jwt."),
            "keyDigests": described(STRINGS, "The digests of the keys that are let in."),
            "cors": described(ANY, "`allowOrigins`: the web pages that may call."),
            "rateLimit": described(ANY, "`requestsPerS`, `burst`."),
        },
        {"port": described(INTEGER, "The port."), "url": described(STRING, "The address.")},
        optional=("port", "cors", "rateLimit", "jwt"),
    ),
    "bucket": _schema("bucket", {}, {"url": described(STRING, "The folder, `file://...`.")}),
    "document": _schema(
        "document",
        {
            "bucket": described(STRING, "The bucket it lies in.", replaces=True),
            "path": described(STRING, "Its path there.", replaces=True),
            "content": described(STRING, "What it says when it is made; later changes are left alone."),
        },
        {"url": described(STRING, "The file, `file://...`.")},
        not_compared=("content",),
    ),
    "queue": _schema(
        "queue",
        {
            "maxAttempts": described(INTEGER, "Then a message is set aside."),
            "visibilityTimeoutS": described(NUMBER, "A worker's time for one message, seconds."),
            "retentionS": described(NUMBER, "How long a message is kept, seconds."),
        },
        {"path": described(STRING, "The queue's file.")},
        optional=("retentionS",),
    ),
    "schedule": _schema(
        "schedule",
        {
            "queue": described(STRING, "The queue that it sends to."),
            "cron": described(STRING, "When: cron's five fields, UTC."),
            "message": described(STRING, "What it sends."),
        },
        {"path": described(STRING, "The file that says when it last did.")},
    ),
}
"""By kind, as the cloud's records call them."""


class LocalType(ResourceType):
    """A kind of the embedded cloud. Ids are deterministic; a create adopts what a killed run of the same stack left."""

    def __init__(self, cloud: Cloud, kind: str) -> None:
        self.schema = SCHEMAS[kind]
        self._cloud = cloud
        self._kind = kind

    def check(self, inputs: Values) -> list[tuple[str, str]]:
        """Ask the kind."""
        return self._cloud.check(self._kind, inputs)

    def planned(self, inputs: Values, before: Values) -> Values:
        """Keep what it has, for good; a port that is asked for tells the address."""
        kept = {name: before.get(name, UNKNOWN_SENTINEL) for name in self.schema.outputs}
        return {**kept, **self._known_address(inputs)}

    def drifted(self, state: State, wanted: Values) -> list[str]:
        """Look whether it is still what it was."""
        return self._cloud.drifted(state.id)

    def create(self, urn: str, inputs: Values) -> tuple[str, Values]:
        """Make it, or adopt it."""
        return self._cloud.apply(self._kind, urn, inputs)

    def update(self, urn: str, state: State, inputs: Values) -> Values:
        """Make it what the inputs say."""
        return self._cloud.apply(self._kind, urn, inputs)[1]

    def read(self, state: State) -> tuple[Values, Values] | None:
        """Return what its record says."""
        record = self._cloud.read(state.id)
        return (record.inputs, record.outputs) if record else None

    def delete(self, state: State) -> None:
        """Delete it, if it is there."""
        self._cloud.delete(state.id)

    def _known_address(self, inputs: Values) -> dict[str, Any]:
        port = inputs.get("port") if self._kind == "route" else None
        return {"port": port, "url": f"http://127.0.0.1:{port}"} if port and not is_unknown(port) else {}
