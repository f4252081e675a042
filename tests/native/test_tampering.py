"""A file that was cut, changed or made up is refused in the same words by both evaluators, or evaluated alike."""

from __future__ import annotations

import itertools
import math
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastmile_sls.compile.forest import Answer, CategorySplit, Forest, Leaf, Split, Tree
from lastmile_sls.compile.forest_file import render
from tests.native.evaluators import EVALUATORS, bits, outcome
from tests.native.forests import forests

FOREST = Forest(
    features=3,
    outputs=2,
    trees=[
        Tree([Split(2, 0.5, 1, 2), Leaf([1.0]), Split(0, -1.0, 3, 4), Leaf([2.0]), Leaf([3.0])]),
        Tree([Leaf([0.25])], output=1),
        Tree([CategorySplit(1, {0, 40}, 1, 2), Leaf([1.0, 2.0]), Leaf([3.0, 4.0])], width=2),
    ],
    base=[0.5, -0.5],
    accumulate="float32",
    answers=[Answer("predict", "FP32")],
)
CONTENT = render(FOREST)
TREES, NODES, LEAF_VALUES, WORDS, METADATA = 192, 256, 448, 512, 576
ROWS = [[0.0, 40.0, 0.7], [math.nan, -1.0, 0.1], [-2.0, 3.0, math.inf]]
REFUSED = "the forest file cannot be read: "


def changed(place: int, format_: str, *values: Any) -> bytes:
    content = bytearray(CONTENT)
    struct.pack_into("<" + format_, content, place, *values)
    return bytes(content)


def sections(
    trees: int = 3,
    nodes: int = 9,
    leaf_values: int = 4,
    words: int = 2,
    metadata: int = len(CONTENT) - METADATA,
) -> int:
    """How many bytes a file with such counts has."""
    return (
        192
        + sum(-(-size // 64) * 64 for size in (16 * trees, 16 * nodes, 8 * leaf_values, 4 * words))
        + metadata
    )


def refusals(content: bytes) -> set[str]:
    found = [outcome(module.load, content) for module in EVALUATORS.values()]
    assert {kind for kind, _ in found} == {"ValueError"}, found
    return {text.removeprefix(REFUSED) for _, text in found}


def check(content: bytes) -> bool:
    """Both refuse it in the same words, or evaluate it to the same bits; return whether they refuse."""
    native, python = (outcome(module.load, content) for module in EVALUATORS.values())
    assert native[0] == python[0], (native, python)
    if native[0] == "ValueError":
        assert native[1] == python[1]
        return True
    if native[1].features * len(ROWS) <= 1000:
        rows = [[*itertools.islice(itertools.cycle(row), native[1].features)] for row in ROWS]
        found = [outcome(loaded.evaluate, rows) for loaded in (native[1], python[1])]
        if found[0][0] == "returned":
            assert [bits(numbers) for numbers in found[0][1]] == [bits(numbers) for numbers in found[1][1]]
        else:
            assert found[0] == found[1]
    return False


NAN, INFINITY = math.nan, math.inf
CHANGES = [
    ("it does not begin with LMFOREST", changed(0, "c", b"l")),
    ("version is 2, but this runtime reads version 1", changed(8, "I", 2)),
    ("header_bytes is 64, but must be 128", changed(12, "I", 64)),
    (f"total_bytes is {2**64 - 1}, but the file has {len(CONTENT)}", changed(16, "Q", 2**64 - 1)),
    ("features is 0, but must be from 1 to 16777215", changed(24, "I", 0)),
    ("features is 16777216, but must be from 1 to 16777215", changed(24, "I", 2**24)),
    ("tree 0, node 0: its feature is 2, but there are 2", changed(24, "I", 2)),
    ("outputs is 0, but must be from 1 to 65535", changed(28, "I", 0)),
    ("outputs is 65536, but must be from 1 to 65535", changed(28, "I", 65536)),
    ("tree 1 adds to outputs 1 to 2, but there are 1", changed(28, "I", 1)),
    *[
        (
            f"its counts make {sections(**{count: 2**32 - 1})} bytes, but total_bytes is {len(CONTENT)}",
            changed(place, "I", 2**32 - 1),
        )
        for place, count in (
            (32, "trees"),
            (36, "nodes"),
            (40, "leaf_values"),
            (44, "words"),
            (48, "metadata"),
        )
    ],
    ("cast is 2, but must be from 0 to 1", changed(52, "B", 2)),
    ("accumulate is 2, but must be from 0 to 1", changed(53, "B", 2)),
    ("accepts is 3, but must be from 0 to 2", changed(54, "B", 3)),
    ("transform is 6, but must be from 0 to 5", changed(55, "B", 6)),
    ("outputs is 2, but must be 1 with transform 2", changed(55, "B", 2)),
    ("outputs is 2, but must be 1 with transform 5", changed(55, "B", 5)),
    ("has_missing is 2, but must be from 0 to 1", changed(56, "B", 2)),
    ("byte 63 is reserved and must be 0, but is 1", changed(63, "B", 1)),
    ("byte 127 is reserved and must be 0, but is 9", changed(127, "B", 9)),
    ("missing must be a number, but is NaN", changed(64, "d", NAN)),
    ("divide must be finite and not 0", changed(72, "d", -0.0)),
    ("divide must be finite and not 0", changed(72, "d", NAN)),
    ("scale must be finite and not 0", changed(80, "d", INFINITY)),
    ("offset must be finite", changed(88, "d", -INFINITY)),
    ("base 1 is not finite, or not a number of the type accumulate", changed(136, "d", 0.1)),
    ("base 0 is not finite, or not a number of the type accumulate", changed(128, "d", NAN)),
    ("tree 0 begins at node 1, but must at 0", changed(TREES, "I", 1)),
    ("tree 0 has 0 nodes, but 9 are left", changed(TREES + 4, "I", 0)),
    (f"tree 0 has {2**32 - 1} nodes, but 9 are left", changed(TREES + 4, "I", 2**32 - 1)),
    (
        "tree 0, node 2: its children are at 3, but must be at 3, in the tree",
        changed(TREES + 4, "I", 3),
    ),
    ("tree 0 has 6 nodes, but 5 of them are of it", changed(TREES + 4, "I", 6)),
    ("tree 2 has 4 nodes, but 3 are left", changed(TREES + 36, "I", 4)),
    ("tree 0 adds to outputs 65535 to 65536, but there are 2", changed(TREES + 8, "H", 65535)),
    ("tree 0 adds to outputs 0 to 0, but there are 2", changed(TREES + 10, "H", 0)),
    ("tree 0 says that its depth is 3, but it is 2", changed(TREES + 12, "I", 3)),
    ("tree 0, node 0: its threshold is NaN", changed(NODES, "d", NAN)),
    ("tree 0, node 0: its feature is 3, but there are 3", changed(NODES + 8, "I", 3)),
    ("tree 0, node 0: its feature is 16777215, but there are 3", changed(NODES + 8, "I", 2**24 - 1)),
    (f"tree 0, node 0: its flags are {1 << 31}", changed(NODES + 8, "I", 1 << 31)),
    (f"tree 0, node 0: its flags are {1 << 28}", changed(NODES + 8, "I", 1 << 28)),
    *[
        (
            f"tree 0, node 2: its children are at {left}, but must be at 3, in the tree",
            changed(NODES + 2 * 16 + 12, "I", left),
        )
        for left in (0, 1, 2, 4, 5, 7, 8, 2**32 - 1)
    ],
    (
        f"tree 0, node 1: a leaf has the flags {1 << 24 | 1}",
        changed(NODES + 16 + 8, "I", 1 << 24 | 1),
    ),
    ("tree 0, node 1: a leaf goes on to node 0", changed(NODES + 16 + 12, "I", 0)),
    *[
        (
            "tree 0, node 1: its value is not finite, or not a number of the type accumulate",
            changed(NODES + 16, "d", value),
        )
        for value in (NAN, INFINITY, 0.1)
    ],
    (
        f"tree 2, node 6: its flags are {1 | 1 << 27 | 3 << 28}",
        changed(NODES + 6 * 16 + 8, "I", 1 | 1 << 27 | 3 << 28),
    ),
    (
        f"tree 2, node 6: its flags are {1 | 1 << 26 | 1 << 27}",
        changed(NODES + 6 * 16 + 8, "I", 1 | 1 << 26 | 1 << 27),
    ),
    (
        "tree 2, node 6: its categories end at word 3, but there are 2",
        changed(NODES + 6 * 16, "II", 1, 2),
    ),
    (
        f"tree 2, node 6: its categories end at word {2**33 - 2}, but there are 2",
        changed(NODES + 6 * 16, "II", 2**32 - 1, 2**32 - 1),
    ),
    (
        f"tree 2, node 6: its categories end at word {2**32 + 2}, but there are 2",
        changed(NODES + 6 * 16, "II", 2**32 - 1, 3),
    ),
    ("tree 2, node 7: its values begin at 3, but there are 4", changed(NODES + 7 * 16, "Q", 3)),
    (
        f"tree 2, node 7: its values begin at {2**64 - 1}, but there are 4",
        changed(NODES + 7 * 16, "Q", 2**64 - 1),
    ),
    (
        "leaf value 3 is not finite, or not a number of the type accumulate",
        changed(LEAF_VALUES + 24, "d", NAN),
    ),
    (f"total_bytes is {len(CONTENT)}, but the file has {len(CONTENT) + 1}", CONTENT + b"\0"),
    ("it has 0 bytes, but its header takes 128", b""),
    ("it has 127 bytes, but its header takes 128", CONTENT[:127]),
]


@pytest.mark.parametrize(("message", "content"), CHANGES, ids=[message for message, _ in CHANGES])
def test_each_field_is_checked(message: str, content: bytes) -> None:
    assert refusals(content) == {message}


def test_nodes_and_trees_left_over_are_refused() -> None:
    head = changed(32, "I", 1)
    assert refusals(head) == {"it has 9 nodes, but 5 of them are in trees"}


def test_the_untouched_file_is_accepted() -> None:
    assert not check(CONTENT)
    assert len(CONTENT) - len(EVALUATORS["native"].load(CONTENT).metadata) == METADATA


def test_every_truncation_is_refused() -> None:
    assert all(check(CONTENT[:size]) for size in range(len(CONTENT)))
    for size in range(128, len(CONTENT)):
        assert check(CONTENT[:16] + struct.pack("<Q", size) + CONTENT[24:size]) or size > METADATA


@pytest.mark.parametrize("value", [0x00, 0x01, 0x7F, 0x80, 0xFF])
def test_any_byte_may_be_anything(value: int) -> None:
    for place in range(len(CONTENT)):
        check(CONTENT[:place] + bytes([value]) + CONTENT[place + 1 :])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    forests(),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_any_bytes_of_any_forest_may_be_anything(forest: Forest, edits: list[tuple[float, int]]) -> None:
    content = bytearray(render(forest))
    for where, value in edits:
        content[int(where * len(content))] = value
    check(bytes(content))
