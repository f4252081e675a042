"""What a type of resource takes and gives, for Pulumi's schema and for what every type is checked and compared by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lastmile_sls import __version__

Property = Mapping[str, Any]
"""A property as Pulumi's schema describes it (www.pulumi.com/docs/iac/extending-pulumi/schema)."""

STRING: Property = {"type": "string"}
INTEGER: Property = {"type": "integer"}
NUMBER: Property = {"type": "number"}
STRINGS: Property = {"type": "array", "items": STRING}
STRING_MAP: Property = {"type": "object", "additionalProperties": STRING}
ANY: Property = {"$ref": "pulumi.json#/Any"}


@dataclass(frozen=True)
class Schema:
    """A type of resource."""

    token: str
    """How programs name it, `lastmile:MODULE:TYPE`."""
    description: str
    inputs: Mapping[str, Property]
    outputs: Mapping[str, Property]
    """Beside the inputs, which a resource gives as well."""
    optional: frozenset[str] = frozenset()
    """The inputs that it can do without."""
    not_compared: frozenset[str] = frozenset()
    """The inputs whose change alone changes nothing."""

    @property
    def required(self) -> list[str]:
        """The inputs that it cannot do without."""
        return [name for name in self.inputs if name not in self.optional]

    def check(self, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the inputs that are missing and those that are none, as (property, reason)."""
        missing = [(name, f"{name} is missing.") for name in self.required if given.get(name) is None]
        strange = [name for name in given if name not in self.inputs and not name.startswith("__")]
        return missing + [(name, f"{name} is not an input of {self.token}.") for name in strange]

    def changed(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Return the inputs that differ; one that is not given and one that is null or empty are the same."""
        return [
            name
            for name in self.inputs
            if name not in self.not_compared
            and old.get(name) != new.get(name)
            and not (old.get(name) in (None, {}, []) and new.get(name) in (None, {}, []))
        ]

    def replacing(self, changed: Iterable[str]) -> list[str]:
        """Return those of the changed inputs for which there must be another resource."""
        return [name for name in changed if self.inputs[name].get("willReplaceOnChanges")]

    @property
    def document(self) -> dict[str, Any]:
        """As Pulumi reads it."""
        return {
            "description": self.description,
            "inputProperties": self.inputs,
            "requiredInputs": self.required,
            "properties": {**self.inputs, **self.outputs},
            "required": sorted({*self.outputs, *self.required}),
        }


def described(kind: Property, description: str, *, replaces: bool = False, secret: bool = False) -> Property:
    """Return a property of a kind with what it says; one that `replaces` belongs to the resource's identity."""
    marks = {"willReplaceOnChanges": replaces, "secret": secret}
    return {**kind, "description": description, **{name: True for name, holds in marks.items() if holds}}


def pulumi_schema(schemas: Iterable[Schema]) -> str:
    """Return the package's schema as Pulumi reads it, JSON text."""
    return json.dumps(
        {
            "name": "lastmile",
            "version": __version__,
            "description": "lastmile's embedded cloud, and what no cloud's own package has.",
            "config": {},
            "provider": {},
            "resources": {schema.token: schema.document for schema in schemas},
        }
    )
