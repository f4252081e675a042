"""Maps every input that Pulumi is told to a member of the cloud's own API model, and judges it there.

The names differ in known ways. The general rules are here and in Node.find: the case, the plural, one item where the
API has a list of them, a map where the API has a list of keys and values. All else stands in the cloud's tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.clouds.api_models.node import Node
from tests.clouds.wire import Finding, Record, child, is_asset, is_internal, is_veiled, unwrap

Place = tuple[str, str]
"""A resource type and the path of an input: without indices, `*` for the keys of a map."""


@dataclass(frozen=True)
class CloudModel:
    """A cloud's API models, and where each resource type's inputs lie in them."""

    cloud: str
    load: Callable[[str], Node]
    """Returns the node of a reference, `AWS::S3::Bucket` or `run.v2:Service`. Raises KeyError when there is none."""
    roots: Mapping[str, tuple[str, ...]]
    """By resource type: the models that its inputs are members of, the main one first."""
    renames: Mapping[Place, str]
    """Where the general rules fail: a name beside, `#path` from the main model, or `reference#path` in any."""
    unmapped: Mapping[Place, str]
    """Inputs with no counterpart, each with its reason."""


@dataclass
class Verdict:
    """What a mapping found: the wrong inputs, and where each of the right ones lies."""

    findings: list[Finding] = field(default_factory=list)
    mapped: dict[Place, str] = field(default_factory=dict)
    unmapped: dict[Place, str] = field(default_factory=dict)


def map_record(model: CloudModel, record: Record) -> Verdict:
    """Map one resource's inputs. A type that the model has no roots for is a finding."""
    verdict = Verdict()
    if record.type not in model.roots:
        verdict.findings.append(
            Finding("", f"{record.type} has no entry in the API models of {model.cloud}: add its roots.")
        )
        return verdict
    roots = [model.load(reference) for reference in model.roots[record.type]]
    _Walk(model, record.type, roots[0], verdict).members(record.inputs, roots, "", "")
    return verdict


class _Walk:
    """Goes through one resource's inputs and the API's nodes side by side."""

    def __init__(
        self, model: CloudModel, type_token: str, root: Node, verdict: Verdict, *, main: bool = True
    ) -> None:
        """Where two models know an input, both judge it, but only the main one must know all that is below it."""
        self._main = main
        self._model = model
        self._type = type_token
        self._root = root
        self._verdict = verdict

    def members(self, value: Mapping[str, Any], nodes: list[Node], path: str, place: str) -> None:
        """Map each key of a record; `path` has indices, `place` is the table's key."""
        for key, raw in value.items():
            if is_internal(key) or unwrap(raw) is None:
                continue
            where = (self._type, child(place, key))
            if where in self._model.unmapped:
                self._verdict.unmapped[where] = self._model.unmapped[where]
                continue
            found = self._found(key, nodes, where)
            if not found and not self._main:
                continue
            if not found:
                owners = " or ".join(node.label for node in nodes)
                self._find(child(path, key), f"has no counterpart in {owners}, and no reason is listed.")
                continue
            if self._main:
                self._verdict.mapped[where] = found[0].label
            self.value(raw, found[0], child(path, key), where[1])
            for node in found[1:]:
                _Walk(self._model, self._type, self._root, self._verdict, main=False).value(
                    raw, node, child(path, key), where[1]
                )

    def _found(self, key: str, nodes: list[Node], where: Place) -> list[Node]:
        target = self._model.renames.get(where)
        if target is None:
            return [member for node in nodes if (member := node.find(key)) is not None]
        reference, mark, inner = target.partition("#")
        if not mark:
            found = [member for node in nodes if (member := node.follow(target)) is not None]
        else:
            start = self._model.load(reference) if reference else self._root
            node = start.follow(inner) if inner else start
            found = [] if node is None else [node]
        if not found and self._main:
            raise LookupError(f"the rename of {where} names {target}, which is not there")
        return found

    def value(self, raw: Any, node: Node, path: str, place: str) -> None:
        """Judge one value, whatever its form."""
        value = unwrap(raw)
        if value is None or is_veiled(value) or is_asset(value):
            return
        if isinstance(value, list):
            if node.kinds == {"map"} and all(isinstance(unwrap(item), str) for item in value):
                return  # the keys of what the API has a map of: Azure's identities
            inner = node if node.item is None or node.members else node.item
            for index, item in enumerate(value):
                self.value(item, inner, f"{path}[{index}]", place)
        elif isinstance(value, dict):
            self._mapping(value, node, path, place)
        else:
            self._scalar(value, node, path)

    def _mapping(self, value: dict[str, Any], node: Node, path: str, place: str) -> None:
        while "list" in node.kinds and node.item is not None and not node.members:
            pair = _key_and_value(node.item)
            if pair is not None and not (len(value) > 1 and all(node.item.find(key) for key in value)):
                return self._pairs(value, pair, path)
            node = node.item
        node = node.chosen(value)
        if node.members:
            return self.members(value, [node], path, place)
        if "any" in node.kinds:
            return None
        if node.item is not None:
            for key, item in value.items():
                problem = node.key_problem(key)
                if problem:
                    self._find(child(path, key), f"{problem}.")
                self.value(item, node.item, child(path, key), child(place, "*"))
            return None
        return self._find(path, f"is a map; the API wants {' or '.join(sorted(node.kinds))} ({node.label}).")

    def _pairs(self, value: dict[str, Any], pair: tuple[Node, Node], path: str) -> None:
        for key, item in value.items():
            self._scalar(key, pair[0], child(path, key))
            self.value(item, pair[1], child(path, key), "")

    def _scalar(self, value: Any, node: Node, path: str) -> None:
        while "list" in node.kinds and node.item is not None:
            node = node.item
        problem = node.problem(value)
        if problem:
            self._find(path, f"{problem}.")

    def _find(self, path: str, problem: str) -> None:
        if all(finding.path != path for finding in self._verdict.findings):  # two models may say the same
            self._verdict.findings.append(Finding(path, problem))


def _key_and_value(node: Node) -> tuple[Node, Node] | None:
    """Return the two members of an item that is a key and its value, as the API writes a map's entries."""
    key, value = node.find("key") or node.find("name"), node.find("value")
    return (key, value) if key is not None and value is not None else None


@dataclass(frozen=True)
class Coverage:
    """How much of what Pulumi was told has been held against one cloud's API models."""

    cloud: str
    findings: tuple[tuple[Record, Finding], ...]
    mapped: Mapping[Place, str]
    unmapped: Mapping[Place, str]
    unused: tuple[Place, ...]
    """Entries of the list of reasons that nothing needed."""

    def __str__(self) -> str:
        paths = len(self.mapped) + len(self.unmapped)
        lines = [
            f"{self.cloud}: {paths} paths, {len(self.mapped)} mapped, {len(self.unmapped)} with a reason"
        ]
        lines += [f"  {type_} {path}: {reason}" for (type_, path), reason in sorted(self.unmapped.items())]
        return "\n".join(lines)


def coverage(model: CloudModel, records: Iterable[Record]) -> Coverage:
    """Map all records of a cloud and say how it went."""
    findings: list[tuple[Record, Finding]] = []
    mapped: dict[Place, str] = {}
    unmapped: dict[Place, str] = {}
    for record in records:
        verdict = map_record(model, record)
        findings += [(record, finding) for finding in verdict.findings]
        mapped |= verdict.mapped
        unmapped |= verdict.unmapped
    unused = tuple(sorted(set(model.unmapped) - set(unmapped)))
    return Coverage(model.cloud, tuple(findings), mapped, unmapped, unused)
