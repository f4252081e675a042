"""Brings a library's nodes into a tree of the one form."""

from __future__ import annotations

from collections.abc import Callable

from lastmile_sls.compile.forest import Leaf, Node, Tree


def grow(root: int, node_of: Callable[[int], Node], *, output: int = 0, width: int = 1) -> Tree:
    """Return the tree below a root, breadth first.

    `node_of` makes the node that a number stands for in the library's own form, its children still by their numbers.
    Nodes that the root does not lead to are left out. Raises ValueError for a node with two parents.
    """
    nodes, seen = [node_of(root)], {root}

    def place(number: int) -> int:
        if number in seen:
            raise ValueError(f"node {number} has two parents")
        seen.add(number)
        nodes.append(node_of(number))
        return len(nodes) - 1

    position = 0
    while position < len(nodes):
        node = nodes[position]
        if not isinstance(node, Leaf):
            node.left, node.right = place(node.left), place(node.right)
        position += 1
    return Tree(nodes, output, width)
