"""Property values as they travel (protobuf), as they are kept (JSON), and as they are shown.

Signatures and the unknown sentinel are constants of Pulumi's protocol (sdk/python/lib/pulumi/runtime/rpc.py in
github.com/pulumi/pulumi, 2026-08-21); a test holds them against the installed SDK.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf import struct_pb2

from lastmile_sls.engine.interface import UNKNOWN, Secret

UNKNOWN_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, not a secret
ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7"

Properties = dict[str, Any]


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Convert a protobuf struct; whole numbers become ints, as Pulumi writes them in its state."""
    return {key: _from_value(value) for key, value in struct.fields.items()}


def _from_value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return from_struct(value.struct_value)
        case "list_value":
            return [_from_value(item) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def to_struct(properties: Properties) -> struct_pb2.Struct:
    """Convert to a protobuf struct."""
    struct = struct_pb2.Struct()
    struct.update(properties)
    return struct


def secret(value: Any) -> Properties:
    """Mark a value as secret."""
    return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value}


def is_secret(value: Any) -> bool:
    """Tell whether the value is marked as secret."""
    return isinstance(value, dict) and value.get(SIGNATURE_KEY) == SECRET_SIGNATURE


def signature(value: Any) -> str | None:
    """Return the signature of a value that is not a plain one (a secret, an asset, a reference)."""
    return value.get(SIGNATURE_KEY) if isinstance(value, dict) else None


def is_unknown(value: Any) -> bool:
    """Tell whether any part of the value is known only after creation."""
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(is_unknown(item) for item in value)
    return bool(value == UNKNOWN_SENTINEL)


def with_secrets(properties: Properties, names: Iterable[str]) -> Properties:
    """Mark the named properties as secret."""
    marked = set(names)
    return {k: secret(v) if k in marked and not is_secret(v) else v for k, v in properties.items()}


def reveal(value: Any) -> Any:
    """Strip the marks of secrets: for comparing, never for showing."""
    return _replace_secrets(value, lambda marked: reveal(marked["value"]))


def comparable(value: Any) -> Any:
    """Reduce to what makes a difference: secrets revealed, and of files their content's hash, wherever they lie."""
    value = reveal(value)
    if signature(value) in (ASSET_SIGNATURE, ARCHIVE_SIGNATURE) and "hash" in value:
        return {key: value[key] for key in (SIGNATURE_KEY, "hash")}
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    return [comparable(item) for item in value] if isinstance(value, list) else value


def shown(value: Any) -> Any:
    """Convert for people: secrets and unknowns become `Secret` and `UNKNOWN`; a secret that came blinded holds None."""
    if isinstance(value, str):
        return UNKNOWN if value == UNKNOWN_SENTINEL else value
    if is_secret(value):
        return Secret(reveal(value.get("value")))
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


def to_state(value: Any) -> Any:
    """Convert for the state file, where a secret is kept as marked plain text, as `pulumi stack import` reads it."""
    return _replace_secrets(
        value,
        lambda marked: {
            SIGNATURE_KEY: SECRET_SIGNATURE,
            "plaintext": json.dumps(to_state(marked["value"]), separators=(",", ":"), sort_keys=True),
        },
    )


def from_state(value: Any) -> Any:
    """Convert from the state file. Raises KeyError for a secret whose plain text is not there."""
    return _replace_secrets(value, lambda marked: secret(from_state(json.loads(marked["plaintext"]))))


def _replace_secrets(value: Any, replace: Callable[[Properties], Any]) -> Any:
    if is_secret(value):
        return replace(value)
    if isinstance(value, dict):
        return {key: _replace_secrets(item, replace) for key, item in value.items()}
    return [_replace_secrets(item, replace) for item in value] if isinstance(value, list) else value
