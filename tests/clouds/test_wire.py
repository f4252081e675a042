"""What travels to a provider is read as it is meant."""

from __future__ import annotations

from lastmile_sls.engine.properties import ASSET_SIGNATURE, SIGNATURE_KEY, UNKNOWN_SENTINEL, secret
from tests.clouds.wire import Finding, child, is_asset, is_veiled, kind_of, strings, unwrap

ASSET = {SIGNATURE_KEY: ASSET_SIGNATURE, "path": "/somewhere/code.txt"}


def test_secrets_are_unwrapped_however_deep_they_are_marked() -> None:
    assert unwrap(secret(secret("hush"))) == "hush"
    assert unwrap(["plain"]) == ["plain"]


def test_nothing_can_be_said_of_what_is_veiled() -> None:
    assert [
        v for v in (UNKNOWN_SENTINEL, "[secret]", "[unknown]", "[file code.txt]", "text", 1) if is_veiled(v)
    ] == [
        UNKNOWN_SENTINEL,
        "[secret]",
        "[unknown]",
        "[file code.txt]",
    ]


def test_every_text_has_its_path() -> None:
    value = {"a": [{"b": secret("hush")}], "c": {"key": "text"}, "d": 1}
    assert list(strings(value)) == [
        ("a", "a"),
        ("a[0].b", "b"),
        ("a[0].b", "hush"),
        ("c", "c"),
        ("c.key", "key"),
        ("c.key", "text"),
        ("d", "d"),
    ]


def test_kinds_are_those_of_json_and_files() -> None:
    values = ["text", True, 1, 1.5, [1], {"a": 1}, None, ASSET]
    assert [kind_of(v) for v in values] == [
        "string",
        "boolean",
        "integer",
        "number",
        "list",
        "map",
        "null",
        "asset",
    ]
    assert is_asset(ASSET)


def test_findings_and_paths_read_well() -> None:
    assert str(Finding("a.b[0]", "is wrong.")) == "a.b[0]: is wrong."
    assert child("", "a") == "a"
    assert child("a", "b") == "a.b"
