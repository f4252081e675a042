"""Paths to parts of properties: their grammar, what is kept at them, what differs at them."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.engine.embedded.property_paths import differs, kept, parse
from lastmile_sls.engine.interface import EngineError
from lastmile_sls.engine.properties import UNKNOWN_SENTINEL, secret


@pytest.mark.parametrize(
    ("path", "elements"),
    [
        ("root", ("root",)),
        ("root.nested", ("root", "nested")),
        ('root["nested"]', ("root", "nested")),
        ('root["double"].nest', ("root", "double", "nest")),
        ("root.array[0][100].nested", ("root", "array", 0, 100, "nested")),
        (r'root["key with \"escaped\" quotes"]', ("root", 'key with "escaped" quotes')),
        ('["root key with a ."][100]', ("root key with a .", 100)),
        ('tags["aws:cloudformation/x"]', ("tags", "aws:cloudformation/x")),
        ("root.array[*].field", ("root", "array", "*", "field")),
        ("*", ("*",)),
        ('tags[""]', ("tags", "")),
    ],
)
def test_a_path_is_split(path: str, elements: tuple[str | int, ...]) -> None:
    assert parse(path) == elements


@pytest.mark.parametrize("path", ["", "a[", "a[x]", 'a["b', "a]", 'a"b'])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(EngineError) as caught:
        parse(path)
    assert caught.value.message == f"{path!r} is not a path to a property."
    assert caught.value.hint == 'Write it like `tags`, `environment.variables` or `tags["a.b"]`.'


@pytest.mark.parametrize(
    ("path", "new", "old", "result"),
    [
        ("a", {"a": 2, "b": 2}, {"a": 1, "b": 1}, {"a": 1, "b": 2}),
        ("a", {"a": 2}, {}, {}),
        ("a", {}, {"a": 1}, {"a": 1}),
        ("a.b", {"a": {"b": 2, "c": 2}}, {"a": {"b": 1, "c": 1}}, {"a": {"b": 1, "c": 2}}),
        ("a.b", {"a": {"b": 2}}, {}, {"a": {}}),
        ("a.b", {"a": {}}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ("a.b", {}, {"a": {"c": 1}}, {}),
        ("a[1]", {"a": [2, 2]}, {"a": [1, 1]}, {"a": [2, 1]}),
        ("a[1]", {"a": [2, 2]}, {"a": [1]}, {"a": [2, None]}),
        ("a[5]", {"a": [2]}, {"a": [1]}, {"a": [2]}),
        ("a[*].b", {"a": [{"b": 2, "c": 2}]}, {"a": [{"b": 1, "c": 1}]}, {"a": [{"b": 1, "c": 2}]}),
        ("*", {"a": 2, "b": 2}, {"a": 1, "c": 1}, {"a": 1, "c": 1}),
        ("*.x", {"a": {"x": 2}}, {}, {"a": {}}),
        ("a.b", {"a": secret({"b": 2, "c": 2})}, {"a": secret({"b": 1})}, {"a": secret({"b": 1, "c": 2})}),
        ("a.b", {"a": UNKNOWN_SENTINEL}, {"a": {"b": 1}}, {"a": UNKNOWN_SENTINEL}),
    ],
)
def test_what_is_kept(path: str, new: dict[str, Any], old: dict[str, Any], result: dict[str, Any]) -> None:
    assert kept("thing", new, old, (path,)) == result


@pytest.mark.parametrize(
    ("path", "new", "old"),
    [
        ("a.b", {}, {"a": {"b": 1}}),
        ("a.b", {"a": 1}, {"a": {"b": 1}}),
        ("a[1]", {"a": [2]}, {"a": [1, 1]}),
    ],
)
def test_what_has_no_place_any_more_is_refused(path: str, new: dict[str, Any], old: dict[str, Any]) -> None:
    with pytest.raises(EngineError) as caught:
        kept("thing", new, old, (path,))
    assert caught.value.message == (
        f"ignore_changes of thing names {path}, but a part of that path is missing from its inputs."
    )
    assert caught.value.hint == "Give the property in the program, or ignore the whole of it."


@pytest.mark.parametrize(
    ("path", "old", "new", "different"),
    [
        ("a", {"a": 1}, {"a": 2}, True),
        ("a", {"a": 1, "b": 1}, {"a": 1, "b": 2}, False),
        ("a", {}, {"a": None}, True),
        ("a", {"a": secret(1)}, {"a": 1}, False),
        ("a.b", {"a": {"b": 1, "c": 1}}, {"a": {"b": 1, "c": 2}}, False),
        ("a[*].b", {"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}, True),
        ("*", {"a": 1}, {"a": 1}, False),
        ("*", {"a": 1}, {"b": 1}, True),
    ],
)
def test_what_differs(path: str, old: dict[str, Any], new: dict[str, Any], different: bool) -> None:
    assert differs(old, new, path) is different
