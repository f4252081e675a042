"""The provider's resources as a Pulumi schema, which is also what its checks and diffs go by."""

from __future__ import annotations

import json
from typing import Any

from lastmile_sls import __version__

_STRING, _INTEGER, _NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
_STRINGS = {"type": "array", "items": _STRING}
_STRING_MAP = {"type": "object", "additionalProperties": _STRING}
_ANY = {"$ref": "pulumi.json#/Any"}
_PLACE = {
    "deployment": {**_STRING, "description": "The deployment it belongs to.", "willReplaceOnChanges": True},
    "name": {**_STRING, "description": "Its name in the deployment.", "willReplaceOnChanges": True},
}
_TAGS = {"tags": {**_STRING_MAP, "description": "Cost tags."}}

INPUTS: dict[str, dict[str, dict[str, Any]]] = {
    "key": {**_PLACE, **_TAGS},
    "function": {
        **_PLACE,
        "source": {**_STRING, "description": "The bundle's folder. What counts is its digest."},
        "bundleDigest": {**_STRING, "description": "The digest of the bundle's manifest."},
        "memoryMb": {**_INTEGER, "description": "Resident memory of one process, MB."},
        "timeoutS": {**_INTEGER, "description": "A request is given up after this, seconds."},
        "idleTimeoutS": {**_INTEGER, "description": "An idle process ends after this, seconds."},
        "concurrency": {**_INTEGER, "description": "Requests that one process answers at once."},
        "minInstances": {**_INTEGER, "description": "Processes kept warm."},
        "maxInstances": {**_INTEGER, "description": "Never more processes."},
        "environment": {**_STRING_MAP, "description": "Environment variables."},
        "routing": {**_ANY, "description": "Which version answers which share, until a document says so."},
        "bucket": {**_STRING, "description": "The bucket that it reads and writes."},
        "routingDocument": {**_STRING, "description": "The live routing document's path in the bucket."},
        "queue": {**_STRING, "description": "The queue that it sends to and works on."},
        "calls": {**_STRINGS, "description": "The functions of the deployment that it may ask."},
        "why": {**_STRING, "description": "Why it serves what it serves."},
        **_TAGS,
    },
    "route": {
        **_PLACE,
        "function": {**_STRING, "description": "The function behind it."},
        "port": {**_INTEGER, "description": "The port; by default the first free one from 8080."},
        "auth": {**_STRING, "description": "`key`, `jwt` or `public`."},
        "jwt": {**_ANY, "description": "`issuer` and `audiences`, with auth jwt."},
        "keyDigests": {**_STRINGS, "description": "The digests of the keys that are let in."},
        "cors": {**_ANY, "description": "`allowOrigins`: the web pages that may call."},
        "rateLimit": {**_ANY, "description": "`requestsPerS`, `burst`."},
        **_TAGS,
    },
    "bucket": {**_PLACE, **_TAGS},
    "document": {
        **_PLACE,
        "bucket": {**_STRING, "description": "The bucket it lies in.", "willReplaceOnChanges": True},
        "path": {**_STRING, "description": "Its path there.", "willReplaceOnChanges": True},
        "content": {**_STRING, "description": "What it says when it is made; later changes are left alone."},
        **_TAGS,
    },
    "queue": {
        **_PLACE,
        "maxAttempts": {**_INTEGER, "description": "Then a message is set aside."},
        "visibilityTimeoutS": {**_NUMBER, "description": "A worker's time for one message, seconds."},
        "retentionS": {**_NUMBER, "description": "How long a message is kept, seconds."},
        **_TAGS,
    },
}
OUTPUTS: dict[str, dict[str, dict[str, Any]]] = {
    "key": {
        "value": {**_STRING, "description": "The key.", "secret": True},
        "digest": {**_STRING, "description": "How the gateway knows the key."},
    },
    "function": {},
    "route": {
        "port": {**_INTEGER, "description": "The port."},
        "url": {**_STRING, "description": "The address."},
    },
    "bucket": {"url": {**_STRING, "description": "The folder, `file://...`."}},
    "document": {"url": {**_STRING, "description": "The file, `file://...`."}},
    "queue": {"path": {**_STRING, "description": "The queue's file."}},
}
_OPTIONAL: dict[str, frozenset[str]] = {
    "function": frozenset({"environment", "bucket", "routingDocument", "queue", "calls", "why", "tags"}),
    "route": frozenset({"port", "cors", "rateLimit", "jwt", "tags"}),
    "queue": frozenset({"retentionS", "tags"}),
}
_TAGS_ONLY = frozenset({"tags"})
NOT_COMPARED = frozenset({"source", "content"})
"""Inputs whose change alone changes nothing."""


def kind_of(type_token: str) -> str:
    """Return the kind of a type, `function` for `lastmile:local:Function`. Raises KeyError for others."""
    package, module, name = type_token.split(":")
    kind = name.lower()
    if (package, module) != ("lastmile", "local") or kind not in INPUTS:
        raise KeyError(type_token)
    return kind


def missing_inputs(kind: str, given: dict[str, Any]) -> list[str]:
    """Return the required inputs that are not given."""
    return [name for name in required_inputs(kind) if given.get(name) is None]


def required_inputs(kind: str) -> list[str]:
    """Return the inputs that a kind cannot do without."""
    optional = _OPTIONAL.get(kind, _TAGS_ONLY)
    return [name for name in INPUTS[kind] if name not in optional]


def pulumi_schema() -> str:
    """Return the schema as Pulumi reads it, JSON text."""
    resources = {
        f"lastmile:local:{kind.capitalize()}": {
            "description": f"A {kind} of lastmile's embedded cloud on this machine.",
            "inputProperties": INPUTS[kind],
            "requiredInputs": required_inputs(kind),
            "properties": {**INPUTS[kind], **OUTPUTS[kind]},
            "required": sorted({*OUTPUTS[kind], "deployment", "name"}),
        }
        for kind in INPUTS
    }
    return json.dumps(
        {
            "name": "lastmile",
            "version": __version__,
            "description": "lastmile's embedded cloud.",
            "config": {},
            "provider": {},
            "resources": resources,
        }
    )
