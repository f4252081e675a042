"""Reads and checks a forest file in Python, as native/read.c does: the same files are refused, in the same words."""

from __future__ import annotations

import struct
from array import array
from math import isfinite, isnan

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import NoReturn

ALIGNMENT = 64
FEATURE = (1 << 24) - 1
LEAF, MISSING_LEFT, ZERO_IS_MISSING, CATEGORY = 1 << 24, 1 << 25, 1 << 26, 1 << 27
MATCH_SHIFT = 28
MATCH = 3 << MATCH_SHIFT
TRUNCATED, NONNEGATIVE, EXACT = range(3)
FLOAT32 = 0
ALL, NOT_INFINITE, FINITE = range(3)
IDENTITY, SIGMOID, BINARY_SIGMOID, SOFTMAX, EXP, ISOLATION = range(6)
MAX_OUTPUTS = 65535

MAGIC = b"LMFOREST"
VERSION = 1
HEADER = struct.Struct("<8sIIQ7I5B7x4d32x")
TREE = struct.Struct("<IIHHI")
_SPLIT = struct.Struct("<dII")
_LEAF = struct.Struct("<QII")
_RESERVED = (*range(57, 64), *range(96, 128))


class Layout:
    """A checked file's content; nodes are (threshold or leaf, packed, left), as the specification has them."""

    __slots__ = (
        "accepts",
        "accumulate",
        "base",
        "cast",
        "categories",
        "depths",
        "divide",
        "features",
        "has_missing",
        "leaf_values",
        "metadata",
        "missing",
        "nodes",
        "offset",
        "outputs",
        "scale",
        "transform",
        "trees",
        "vectors",
        "words",
    )

    def __init__(self, content: bytes) -> None:
        """Read and check. Raises ValueError saying what is wrong where."""
        if len(content) < HEADER.size:
            _refuse(f"it has {len(content)} bytes, but its header takes {HEADER.size}")
        counts = self._read_header(content)
        self._read_sections(content, counts)
        for index, value in enumerate(self.base):
            if not self._is_addend(value):
                _refuse(f"base {index} is not finite, or not a number of the type accumulate")
        first = 0
        for index, (begin, size, output, width, depth) in enumerate(self.trees):
            self._check_place(index, begin, size, first, output, width)
            self._check_tree(index, begin, size, width, depth)
            first += size
        if first != len(self.nodes):
            _refuse(f"it has {len(self.nodes)} nodes, but {first} of them are in trees")
        for index, value in enumerate(self.leaf_values):
            if not self._is_addend(value):
                _refuse(f"leaf value {index} is not finite, or not a number of the type accumulate")

    def _read_header(self, content: bytes) -> tuple[int, ...]:
        magic, version, header_bytes, total, features, outputs, *rest = HEADER.unpack_from(content)
        counts = tuple(rest[:5])
        self.cast, self.accumulate, self.accepts, self.transform, self.has_missing = rest[5:10]
        self.missing, self.divide, self.scale, self.offset = rest[10:]
        self.features, self.outputs = features, outputs
        if magic != MAGIC:
            _refuse("it does not begin with LMFOREST")
        if version != VERSION:
            _refuse(f"version is {version}, but this runtime reads version {VERSION}")
        if header_bytes != HEADER.size:
            _refuse(f"header_bytes is {header_bytes}, but must be {HEADER.size}")
        for place in _RESERVED:
            if content[place]:
                _refuse(f"byte {place} is reserved and must be 0, but is {content[place]}")
        if total != len(content):
            _refuse(f"total_bytes is {total}, but the file has {len(content)}")
        self._check_parameters()
        return counts

    def _check_parameters(self) -> None:
        for name, value, least, greatest in (
            ("features", self.features, 1, FEATURE),
            ("outputs", self.outputs, 1, MAX_OUTPUTS),
            ("cast", self.cast, 0, 1),
            ("accumulate", self.accumulate, 0, 1),
            ("accepts", self.accepts, 0, FINITE),
            ("transform", self.transform, 0, ISOLATION),
            ("has_missing", self.has_missing, 0, 1),
        ):
            if not least <= value <= greatest:
                _refuse(f"{name} is {value}, but must be from {least} to {greatest}")
        if self.transform in (BINARY_SIGMOID, ISOLATION) and self.outputs != 1:
            _refuse(f"outputs is {self.outputs}, but must be 1 with transform {self.transform}")
        if isnan(self.missing):
            _refuse("missing must be a number, but is NaN")
        for name, number in (("divide", self.divide), ("scale", self.scale)):
            if not isfinite(number) or number == 0:
                _refuse(f"{name} must be finite and not 0")
        if not isfinite(self.offset):
            _refuse("offset must be finite")

    def _read_sections(self, content: bytes, counts: tuple[int, ...]) -> None:
        """Cut the file into its sections, which follow each other in one order."""
        trees, nodes, leaf_values, words, metadata = counts
        places, end = [], HEADER.size
        for size in (8 * self.outputs, 16 * trees, 16 * nodes, 8 * leaf_values, 4 * words):
            places.append((end, end + size))
            end = (end + size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        if end + metadata != len(content):
            _refuse(f"its counts make {end + metadata} bytes, but total_bytes is {len(content)}")
        base, tree, node, leaf, word = (content[begin:stop] for begin, stop in places)
        self.base = list(struct.unpack(f"<{self.outputs}d", base))
        self.trees = list(TREE.iter_unpack(tree))
        self.nodes = list(_SPLIT.iter_unpack(node))
        self.vectors = [value for value, _, _ in _LEAF.iter_unpack(node)]
        """The nodes' first eight bytes once more: where a leaf's values begin, or first word | words << 32."""
        self.leaf_values = struct.unpack(f"<{leaf_values}d", leaf)
        self.words = struct.unpack(f"<{words}I", word)
        self.metadata = content[end:]

    def _check_place(self, index: int, begin: int, size: int, first: int, output: int, width: int) -> None:
        left = len(self.nodes) - first
        if begin != first:
            _refuse(f"tree {index} begins at node {begin}, but must at {first}")
        if not 1 <= size <= left:
            _refuse(f"tree {index} has {size} nodes, but {left} are left")
        if width < 1 or output + width > self.outputs:
            _refuse(
                f"tree {index} adds to outputs {output} to {output + width}, but there are {self.outputs}"
            )

    def _check_tree(self, index: int, first: int, size: int, width: int, claimed: int) -> None:
        """Check that a tree lies breadth first: where the children of each node are follows from the splits before it."""
        end = first + size
        children = level_end = first + 1
        depth = 0
        for at in range(first, end):
            if at == level_end:
                depth, level_end = depth + 1, children
            _, packed, left = self.nodes[at]
            if packed & LEAF:
                self._check_leaf(index, at, width)
                continue
            if left != children or end - children < 2:
                _refuse(
                    f"tree {index}, node {at}: its children are at {left}, but must be at {children}, in the tree"
                )
            self._check_split(index, at)
            children += 2
        if children != end:
            _refuse(f"tree {index} has {size} nodes, but {children - first} of them are of it")
        if claimed != depth:
            _refuse(f"tree {index} says that its depth is {claimed}, but it is {depth}")

    def _check_leaf(self, index: int, at: int, width: int) -> None:
        value, packed, left = self.nodes[at]
        if packed != LEAF:
            _refuse(f"tree {index}, node {at}: a leaf has the flags {packed}")
        if left != at:
            _refuse(f"tree {index}, node {at}: a leaf goes on to node {left}")
        if width == 1:
            if not self._is_addend(value):
                _refuse(
                    f"tree {index}, node {at}: its value is not finite, or not a number of the type accumulate"
                )
        elif self.vectors[at] + width > len(self.leaf_values):
            _refuse(
                f"tree {index}, node {at}: its values begin at {self.vectors[at]}, but there are {len(self.leaf_values)}"
            )

    def _check_split(self, index: int, at: int) -> None:
        threshold, packed, _ = self.nodes[at]
        feature = packed & FEATURE
        if feature >= self.features:
            _refuse(f"tree {index}, node {at}: its feature is {feature}, but there are {self.features}")
        known = MISSING_LEFT | CATEGORY | MATCH if packed & CATEGORY else MISSING_LEFT | ZERO_IS_MISSING
        if packed & ~(FEATURE | known) or (packed & MATCH) >> MATCH_SHIFT > EXACT:
            _refuse(f"tree {index}, node {at}: its flags are {packed}")
        if packed & CATEGORY:
            end = (self.vectors[at] & 0xFFFFFFFF) + (self.vectors[at] >> 32)
            if end > len(self.words):
                _refuse(
                    f"tree {index}, node {at}: its categories end at word {end}, but there are {len(self.words)}"
                )
        elif isnan(threshold):
            _refuse(f"tree {index}, node {at}: its threshold is NaN")

    def _is_addend(self, value: float) -> bool:
        """Tell whether a number can be added up in the precision that the file asks for."""
        return isfinite(value) and (self.accumulate != FLOAT32 or array("f", [value])[0] == value)


def _refuse(reason: str) -> NoReturn:
    raise ValueError(f"the forest file cannot be read: {reason}")
