"""Azure's models in the packages that are made from TypeSpec: their fields carry the API's names, their hints the kinds."""

from __future__ import annotations

import enum
import types
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tests.clouds.api_models.node import Bounds, Node

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", datetime: "string"}


def from_typespec(label: str, model: type, models: Any) -> Node:
    """Return the node of a model class of such a package, whose classes `models` has."""
    return Node(label, frozenset({"record"}), members=lambda: _members(label, model, models))


def _members(label: str, model: type, models: Any) -> dict[str, Node]:
    """Return a model's members by the API's names; those below the resource manager's envelope too, as Pulumi has them."""
    hints = get_type_hints(model, vars(models) | {"_models": models})
    found = {
        name: _from_hint(f"{label}.{name}", hints[attribute], models)
        for attribute, name in _names(model).items()
    }
    envelope = found.get("properties")
    return {**(envelope.members if envelope else {}), **found}


def _names(model: type) -> dict[str, str]:
    """Return the API's name of each attribute."""
    return {
        attribute: field._rest_name_input or attribute
        for base in reversed(model.__mro__)
        for attribute, field in vars(base).items()
        if hasattr(field, "_rest_name_input")
    }


def _from_hint(label: str, hint: Any, models: Any) -> Node:
    origin, inner = get_origin(hint), [arg for arg in get_args(hint) if arg is not type(None)]
    if origin in (Union, types.UnionType):
        choices = [arg for arg in inner if isinstance(arg, type) and issubclass(arg, enum.Enum)]
        if not choices:
            return _from_hint(label, inner[0], models)
        named = tuple(member.value for choice in choices for member in choice)
        return Node(label, frozenset({"string"}), bounds=Bounds(enum=named))
    if origin is Literal:
        named = tuple(arg.value if isinstance(arg, enum.Enum) else arg for arg in inner)
        return Node(label, frozenset({"string"}), bounds=Bounds(enum=named))
    if origin is list:
        return Node(label, frozenset({"list"}), item=lambda: _from_hint(f"{label}[]", inner[0], models))
    if origin in (dict, Mapping):
        return Node(label, frozenset({"map"}), item=lambda: _from_hint(f"{label}[]", inner[1], models))
    if hint in _SCALARS:
        return Node(label, frozenset({_SCALARS[hint]}))
    return Node(label, frozenset({"any"})) if hint is Any else from_typespec(label, hint, models)
