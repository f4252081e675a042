"""Writes a forest as the file that the runtime evaluates; native/README.md specifies the format."""

from __future__ import annotations

import json
import struct
from array import array
from dataclasses import asdict, dataclass, field
from math import isfinite

from lastmile_runtime.forest_format import (
    ALIGNMENT,
    CATEGORY,
    FEATURE,
    HEADER,
    LEAF,
    MAGIC,
    MATCH_SHIFT,
    MAX_OUTPUTS,
    MISSING_LEFT,
    TREE,
    VERSION,
    ZERO_IS_MISSING,
)
from lastmile_sls.compile.forest import (
    MAX_CATEGORY,
    OF_ONE_MARGIN,
    Answer,
    CategorySplit,
    Forest,
    Leaf,
    Node,
    Split,
    Tree,
)

NODE = struct.Struct("<8sII")
PRECISIONS = ("float32", "float64")
ACCEPTS = ("all", "not_infinite", "finite")
TRANSFORMS = ("identity", "sigmoid", "binary_sigmoid", "softmax", "exp", "isolation")
SOURCES = ("margins", "values")
RULES = ("argmax", "above", "at_least")
MATCHES = ("truncated", "nonnegative", "exact")
MAX_COUNT = 2**32 - 1
WORD, MAX_WORDS = 4, 2**25
"""Of categories: bytes, and how many are written. The greatest category alone takes 2 MB of them."""


class ForestError(ValueError):
    """A forest that contradicts itself, or is beyond what the file can hold."""


def render(forest: Forest) -> bytes:
    """Return the forest's file: the same forest is always the same bytes.

    Raises ForestError naming the field or the node, its value and the rule.
    """
    _check(forest)
    sections = _Sections(forest)
    for index, tree in enumerate(forest.trees):
        _add_tree(sections, index, tree)
    answers = {"answers": [asdict(answer) for answer in forest.answers]}
    metadata = json.dumps(answers, sort_keys=True, separators=(",", ":")).encode()
    parts = [
        struct.pack(f"<{len(forest.base)}d", *forest.base),
        bytes(sections.trees),
        bytes(sections.nodes),
        struct.pack(f"<{len(sections.leaf_values)}d", *sections.leaf_values),
        bytes(sections.words),
    ]
    body = b"".join(part + bytes(-len(part) % ALIGNMENT) for part in parts) + metadata
    counts = {
        "trees": len(forest.trees),
        "nodes": len(sections.nodes) // NODE.size,
        "leaf values": len(sections.leaf_values),
        "words of categories": len(sections.words) // WORD,
        "bytes of metadata": len(metadata),
    }
    for name, count in counts.items():
        _require(count <= MAX_COUNT, f"it has {count} {name}, but the file holds at most {MAX_COUNT}")
    return _header(forest, len(body), list(counts.values())) + body


def _header(forest: Forest, body_bytes: int, counts: list[int]) -> bytes:
    return HEADER.pack(
        MAGIC,
        VERSION,
        HEADER.size,
        HEADER.size + body_bytes,
        forest.features,
        forest.outputs,
        *counts,
        PRECISIONS.index(forest.cast),
        PRECISIONS.index(forest.accumulate),
        ACCEPTS.index(forest.accepts),
        TRANSFORMS.index(forest.transform),
        forest.missing is not None,
        _missing(forest),
        forest.divide,
        forest.scale,
        forest.offset,
    )


@dataclass
class _Sections:
    """The parts of the file that grow tree by tree."""

    forest: Forest
    trees: bytearray = field(default_factory=bytearray)
    nodes: bytearray = field(default_factory=bytearray)
    leaf_values: list[float] = field(default_factory=list)
    words: bytearray = field(default_factory=bytearray)
    bitsets: dict[frozenset[int], tuple[int, int]] = field(default_factory=dict)
    """Where a set of categories is, and how many words it has; equal sets are written once."""


def _check(forest: Forest) -> None:
    _require(
        1 <= forest.features <= FEATURE,
        f"features is {forest.features}, but must be from 1 to {FEATURE}",
    )
    _require(
        1 <= forest.outputs <= MAX_OUTPUTS,
        f"outputs is {forest.outputs}, but must be from 1 to {MAX_OUTPUTS}",
    )
    for name, code, known in (
        ("cast", forest.cast, PRECISIONS),
        ("accumulate", forest.accumulate, PRECISIONS),
        ("accepts", forest.accepts, ACCEPTS),
        ("transform", forest.transform, TRANSFORMS),
    ):
        _require(code in known, f"{name} is {code!r}, but must be one of {', '.join(known)}")
    _require(
        forest.outputs == 1 or forest.transform not in OF_ONE_MARGIN,
        f"outputs is {forest.outputs}, but must be 1 with the transform {forest.transform}",
    )
    _require(
        len(forest.base) == forest.outputs,
        f"base has {len(forest.base)} numbers, but there are {forest.outputs} outputs",
    )
    for value in forest.base:
        _require_addend("base", value, forest)
    _require(forest.missing is None or forest.missing == forest.missing, "missing is NaN, which always is")
    for name, value in (("divide", forest.divide), ("scale", forest.scale)):
        _require(isfinite(value) and value != 0, f"{name} is {value!r}, but must be finite and not 0")
    _require(isfinite(forest.offset), f"offset is {forest.offset!r}, but must be finite")
    names = [answer.name for answer in forest.answers]
    _require(len(set(names)) == len(names), f"answers have the names {', '.join(names)}, one of them twice")
    for answer in forest.answers:
        _check_answer(answer, forest)


def _check_answer(answer: Answer, forest: Forest) -> None:
    where = f"answer {answer.name!r}"
    for name, code, known in (("source", answer.source, SOURCES), ("rule", answer.rule, RULES)):
        _require(code in known, f"{where}: {name} is {code!r}, but must be one of {', '.join(known)}")
    _require(isfinite(answer.threshold), f"{where}: threshold is {answer.threshold!r}, but must be finite")
    taken = answer.columns or 1
    if answer.labels:
        _require(answer.columns is None, f"{where}: columns is {answer.columns}, but classes are one per row")
        _require(
            answer.rule == "argmax" or len(answer.labels) == 2,
            f"{where}: it has {len(answer.labels)} labels, but the rule {answer.rule} takes 2",
        )
        for label in answer.labels:
            _require(
                type(label) in (bool, int, str) or (type(label) is float and isfinite(label)),
                f"{where}: the label {label!r} is a {type(label).__name__}, but must be a bool, int, float or str",
            )
        taken = len(answer.labels) if answer.rule == "argmax" else 1
    width = forest.outputs if answer.source == "margins" else forest.values
    _require(
        answer.first >= 0
        and (answer.columns is None or answer.columns >= 1)
        and answer.first + taken <= width,
        f"{where} takes the columns {answer.first} to {answer.first + taken} of {answer.source}, but there are {width}",
    )


def _add_tree(sections: _Sections, index: int, tree: Tree) -> None:
    """Lay a tree out breadth first, the two children of a node beside each other."""
    forest, where = sections.forest, f"tree {index}"
    _require(
        tree.output >= 0 and tree.width >= 1 and tree.output + tree.width <= forest.outputs,
        f"{where} adds to outputs {tree.output} to {tree.output + tree.width}, but there are {forest.outputs}",
    )
    first = len(sections.nodes) // NODE.size
    order, depths = _breadth_first(tree.nodes, where)
    children = first + 1
    for position, at in enumerate(order):
        node, place = tree.nodes[at], f"{where}, node {at}"
        if isinstance(node, Leaf):
            value, packed, left = _leaf(sections, node, tree.width, place), LEAF, first + position
        else:
            _require(
                0 <= node.feature < forest.features,
                f"{place}: its feature is {node.feature}, but there are {forest.features}",
            )
            value, packed = (
                _category_split(sections, node, place)
                if isinstance(node, CategorySplit)
                else _split(node, place)
            )
            left, children = children, children + 2
        sections.nodes += NODE.pack(value, packed, left)
    sections.trees += TREE.pack(first, len(order), tree.output, tree.width, depths[-1])


def _breadth_first(nodes: list[Node], where: str) -> tuple[list[int], list[int]]:
    """Return the nodes' indices in their new order, and how deep each lies."""
    _require(bool(nodes), f"{where} has no nodes")
    order, depths, seen = [0], [0], {0}
    for position, at in enumerate(order):
        node = nodes[at]
        if isinstance(node, Leaf):
            continue
        for child in (node.left, node.right):
            _require(
                0 <= child < len(nodes),
                f"{where}, node {at}: its child is {child}, but there are {len(nodes)}",
            )
            _require(child not in seen, f"{where}, node {at}: its child {child} has another parent")
            seen.add(child)
            order.append(child)
            depths.append(depths[position] + 1)
    _require(len(order) == len(nodes), f"{where}: {len(nodes) - len(order)} of its nodes have no parent")
    return order, depths


def _leaf(sections: _Sections, leaf: Leaf, width: int, place: str) -> bytes:
    _require(
        len(leaf.values) == width,
        f"{place} has {len(leaf.values)} values, but its tree has the width {width}",
    )
    for value in leaf.values:
        _require_addend(f"{place}: its value", value, sections.forest)
    if width == 1:
        return struct.pack("<d", leaf.values[0])
    sections.leaf_values += leaf.values
    return struct.pack("<Q", len(sections.leaf_values) - width)


def _split(split: Split, place: str) -> tuple[bytes, int]:
    _require(split.threshold == split.threshold, f"{place}: its threshold is NaN")
    missing_left = split.threshold >= 0 if split.missing == "none" else split.missing_left
    packed = split.feature | MISSING_LEFT * missing_left | ZERO_IS_MISSING * (split.missing == "zero")
    return struct.pack("<d", split.threshold), packed


def _category_split(sections: _Sections, split: CategorySplit, place: str) -> tuple[bytes, int]:
    categories = frozenset(split.categories)
    for category in categories:
        _require(
            0 <= category <= MAX_CATEGORY,
            f"{place}: it has the category {category}, but they go from 0 to {MAX_CATEGORY}",
        )
    if categories not in sections.bitsets:
        size = max(categories, default=-1) // 32 + 1
        first = len(sections.words) // WORD
        _require(
            first + size <= MAX_WORDS,
            f"{place}: it has {first + size} words of categories, but at most {MAX_WORDS} are written",
        )
        bits = bytearray(size * WORD)
        for category in categories:
            bits[category // 8] |= 1 << category % 8
        sections.bitsets[categories] = first, size
        sections.words += bits
    packed = (
        split.feature
        | MISSING_LEFT * split.missing_left
        | CATEGORY
        | MATCHES.index(split.match) << MATCH_SHIFT
    )
    return struct.pack("<II", *sections.bitsets[categories]), packed


def _missing(forest: Forest) -> float:
    missing = forest.missing or 0.0
    return array("f", [missing])[0] if forest.cast == "float32" else missing


def _require_addend(what: str, value: float, forest: Forest) -> None:
    _require(isfinite(value), f"{what} is {value!r}, but must be finite")
    exact = forest.accumulate == "float64" or array("f", [value])[0] == value
    _require(exact, f"{what} is {value!r}, but must be a float32, as accumulate is")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ForestError(f"the forest cannot be written: {otherwise}.")
