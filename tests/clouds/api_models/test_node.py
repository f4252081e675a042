"""A node finds what a name means, and judges a plain value."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clouds.api_models.node import Bounds, Node


def scalar(kind: str, **bounds: Any) -> Node:
    return Node("Model.member", frozenset({kind}), bounds=Bounds(**bounds))


def record(**members: Node) -> Node:
    return Node("Model", frozenset({"record"}), members=lambda: members)


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("MemorySize", "memorySize"),
        ("user_assigned_identity", "userAssignedIdentity"),
        ("traffic", "traffics"),
        ("EntryPoint", "entryPoints"),
        ("policy", "policies"),
        ("matchesPrefix", "matchesPrefixes"),
        ("addresses", "address"),
    ],
)
def test_the_case_and_the_plural_do_not_matter(member: str, name: str) -> None:
    assert record(**{member: scalar("string")}).find(name) is not None


def test_another_name_is_not_found() -> None:
    assert record(name=scalar("string")).find("names2") is None


def test_a_path_goes_through_lists() -> None:
    inner = record(role=scalar("string"))
    bindings = Node("Model.bindings", frozenset({"list"}), item=lambda: inner)
    found = record(bindings=bindings).follow("bindings.role")
    assert found is not None
    assert found.kinds == {"string"}
    assert record(bindings=bindings).follow("bindings.rule") is None


@pytest.mark.parametrize(
    ("node", "value", "problem"),
    [
        (scalar("integer"), "ten", 'is string "ten"; the API wants integer (Model.member)'),
        (scalar("integer"), "10", None),
        (scalar("integer"), True, "is boolean true; the API wants integer (Model.member)"),
        (scalar("string"), 7, None),
        (scalar("number"), 7, None),
        (scalar("record"), '{"a": 1}', None),
        (scalar("record"), "text", 'is string "text"; the API wants record (Model.member)'),
        (scalar("string", enum=("a", "b")), "c", 'is "c"; the API knows a, b (Model.member)'),
        (scalar("integer", minimum=128), 64, "is 64; the API wants at least 128 (Model.member)"),
        (
            scalar("integer", maximum=2**31 - 1),
            2**31,
            "is 2147483648; the API wants at most 2147483647 (Model.member)",
        ),
        (
            scalar("string", max_length=2),
            "abc",
            'is "abc", 3 characters; the API wants at most 2 (Model.member)',
        ),
        (
            scalar("string", min_length=4),
            "abc",
            'is "abc", 3 characters; the API wants at least 4 (Model.member)',
        ),
        (
            scalar("string", pattern="[a-z]+"),
            "aB",
            'is "aB"; the API wants it to match [a-z]+ (Model.member)',
        ),
        (scalar("string", pattern="[a-z]+", search=True), "aB", None),
    ],
)
def test_plain_values_are_judged(node: Node, value: Any, problem: str | None) -> None:
    assert node.problem(value) == problem


def test_long_lists_of_choices_are_cut() -> None:
    node = scalar("string", enum=tuple(f"c{n}" for n in range(20)))
    assert node.problem("x") == (
        'is "x"; the API knows c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, and 8 more (Model.member)'
    )


def test_the_keys_of_a_map_are_judged() -> None:
    node = Node("Model.map", frozenset({"map"}), keys=Bounds(pattern="[a-z]+"))
    assert node.key_problem("1st") == 'the key is "1st"; the API wants it to match [a-z]+ (Model.map)'
    assert node.key_problem("first") is None
