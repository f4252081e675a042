"""Judges a resource's wire inputs by the SDK's own Python types: what its authors generated from the provider's schema.

The top level is the constructor's typed signature (`_internal_init`), what is nested is the `*ArgsDict` classes; the
names on the wire are those that the SDK itself notes on the `*Args` classes beside them.
"""

from __future__ import annotations

import ast
import enum
import importlib
import importlib.util
import json
import sys
import types
import typing
from collections import abc
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
from pulumi._types import (
    input_type_py_to_pulumi_names,
    input_type_types,
    is_output_type,
    output_type_types,
    resource_types,
)

from tests.clouds.wire import Finding, child, is_internal, is_veiled, kind_of, unwrap

PACKAGES = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "azure-native": "pulumi_azure_native"}
PROVIDER_PREFIX = "pulumi:providers:"
# The engine's own keys among a provider's inputs.
_PROVIDER_KEYS = frozenset({"version", "pluginDownloadURL"})
_MISTAKEN: dict[tuple[str, str], str] = {
    ("ConditionArgsDict", "operator"): (
        "monitor has two enums ConditionOperator, and the SDK has the other one's values, which a scheduled query rule "
        "refuses (azure-mgmt-monitor, ConditionOperator)"
    ),
}
"""Where the SDK names the wrong enum, and why we know: any text is taken there, which the API's own model judges."""
_SCALARS: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    Any: "any",
    pulumi.Asset: "asset",
    pulumi.Archive: "asset",
}


@dataclass(frozen=True)
class Shape:
    """One of the forms that a value may have."""

    kind: str
    """string, integer, number, boolean, any, asset, choice, list, map or record."""
    choices: tuple[Any, ...] = ()
    items: tuple[Shape, ...] = ()
    """The forms of a list's or a map's items."""
    record: type | None = None


@dataclass(frozen=True)
class Field:
    """A member of a record: its forms, and whether the record can do without it."""

    shapes: tuple[Shape, ...]
    required: bool


class UnknownType(LookupError):
    """The SDK has no resource of this type."""


def judge(type_token: str, inputs: dict[str, Any]) -> list[Finding]:
    """Return what the SDK's types have against the inputs of a resource or of an explicit provider."""
    fields = resource_fields(type_token)
    if type_token.startswith(PROVIDER_PREFIX):
        inputs = {
            key: _parsed(value, fields.get(key)) for key, value in inputs.items() if key not in _PROVIDER_KEYS
        }
    return _judge_record(inputs, fields, "", type_token)


def _parsed(value: Any, field: Field | None) -> Any:
    """Return what a provider's input says: all but text travels as JSON text."""
    value = unwrap(value)
    if field is None or not isinstance(value, str) or is_veiled(value):
        return value
    if any(shape.kind in ("string", "choice") for shape in field.shapes):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


# -- values ---------------------------------------------------------------------------------------


def _judge_record(value: dict[str, Any], fields: dict[str, Field], path: str, owner: str) -> list[Finding]:
    findings = [
        Finding(child(path, key), f"{owner} has no such key.")
        for key in value
        if key not in fields and not is_internal(key)
    ]
    findings += [
        Finding(child(path, name), f"{owner} needs it.")
        for name, field in fields.items()
        if field.required and unwrap(value.get(name)) is None
    ]
    for key, item in value.items():
        if key in fields:
            findings += _judge_value(item, fields[key].shapes, child(path, key))
    return findings


def _judge_value(value: Any, shapes: tuple[Shape, ...], path: str) -> list[Finding]:
    """Return nothing when one of the forms fits, else what the form nearest to the value says."""
    value = unwrap(value)
    if value is None or is_veiled(value):
        return []
    verdicts = [_judge_shape(value, shape, path) for shape in shapes]
    if any(not verdict for verdict in verdicts):
        return []
    strict = [v for shape, v in zip(shapes, verdicts, strict=True) if _is_near(value, shape)]
    if strict:
        return min(strict, key=len)
    wanted = " or ".join(dict.fromkeys(_shown(shape) for shape in shapes))
    return [Finding(path, f"is {kind_of(value)} {_brief(value)}; the SDK wants {wanted}.")]


def _is_near(value: Any, shape: Shape) -> bool:
    near = {"map": ("map", "record"), "list": ("list",)}
    return shape.kind in near.get(kind_of(value), ()) or (isinstance(value, str) and shape.kind == "choice")


def _judge_shape(value: Any, shape: Shape, path: str) -> list[Finding]:
    kind = kind_of(value)
    match shape.kind:
        case "any":
            fits = True
        case "choice":
            fits = value in shape.choices
            if not fits and kind == "string":
                known = ", ".join(str(choice) for choice in shape.choices)
                return [Finding(path, f"is {_brief(value)}; the SDK knows {known}.")]
        case "number":
            fits = kind in ("integer", "number")
        case "list" if kind == "list":
            return [
                finding
                for index, item in enumerate(value)
                for finding in _judge_value(item, shape.items, f"{path}[{index}]")
            ]
        case "map" if kind == "map":
            return [
                f for key, item in value.items() for f in _judge_value(item, shape.items, child(path, key))
            ]
        case "record" if kind == "map":
            record = typing.cast("type", shape.record)
            return _judge_record(value, record_fields(record), path, record.__name__)
        case _:
            fits = kind == shape.kind
    return [] if fits else [Finding(path, f"is {kind} {_brief(value)}; the SDK wants {_shown(shape)}.")]


def _brief(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _shown(shape: Shape) -> str:
    match shape.kind:
        case "choice":
            return "one of " + ", ".join(str(choice) for choice in shape.choices)
        case "list" | "map":
            return f"{shape.kind} of {' or '.join(_shown(item) for item in shape.items)}"
        case "record":
            return typing.cast("type", shape.record).__name__
        case kind:
            return kind


# -- types ----------------------------------------------------------------------------------------


@cache
def tokens(package: str) -> dict[str, tuple[str, str]]:
    """Return the module and class of every type of a package, as the SDK registers them; nothing heavy is imported."""
    spec = importlib.util.find_spec(PACKAGES[package])
    assert spec is not None
    assert spec.origin is not None
    found: dict[str, tuple[str, str]] = {f"{PROVIDER_PREFIX}{package}": (PACKAGES[package], "Provider")}
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "resource_modules":
            for module in json.loads(ast.literal_eval(node.value)):
                found |= {token: (module["fqn"], name) for token, name in module["classes"].items()}
    return found


def resource_class(type_token: str) -> type:
    """Return the SDK's class of a resource type. Raises UnknownType."""
    package = type_token.removeprefix(PROVIDER_PREFIX).split(":", 1)[0]
    if package not in PACKAGES:
        raise UnknownType(f"{type_token} is of the package {package}; there are {', '.join(PACKAGES)}.")
    if type_token not in tokens(package):
        raise UnknownType(f"{PACKAGES[package]} has no resource {type_token}.")
    module, name = tokens(package)[type_token]
    found: type = getattr(importlib.import_module(module), name)
    return found


@cache
def resource_fields(type_token: str) -> dict[str, Field]:
    """Return a resource's inputs by their names on the wire. Raises UnknownType."""
    cls = resource_class(type_token)
    init: types.FunctionType = cls._internal_init  # type: ignore[attr-defined]  # every generated resource has it
    arguments = _arguments_class(init)
    namespace = vars(sys.modules[cls.__module__])
    required = _required(arguments)
    names = input_type_py_to_pulumi_names(arguments)
    return {
        names[name]: Field(_shapes(hint, namespace), name in required)
        for name, hint in init.__annotations__.items()
        if name in names
    }


def _arguments_class(init: types.FunctionType) -> type:
    """Return the class that the constructor gathers its arguments in, which is the one whose names it knows."""
    for name in init.__code__.co_names:
        found = init.__globals__.get(name)
        if isinstance(found, type) and name.endswith("Args"):
            return found
    raise AssertionError(f"{init.__qualname__} gathers its arguments in no *Args class")


def _required(arguments: type) -> frozenset[str]:
    init: types.FunctionType = arguments.__init__  # type: ignore[misc]  # of a class that is known to have its own
    optional = set(init.__kwdefaults__ or {})
    return frozenset(name for name in init.__annotations__ if name not in optional)


@cache
def record_fields(record: type) -> dict[str, Field]:
    """Return the members of an `*ArgsDict` class by their names on the wire."""
    module = sys.modules[record.__module__]
    arguments = getattr(module, record.__name__.removesuffix("Dict"))
    names = input_type_py_to_pulumi_names(arguments)
    required: frozenset[str] = record.__required_keys__  # type: ignore[attr-defined]  # a TypedDict has it
    return {
        names[name]: Field(
            (Shape("string"),) if (record.__name__, name) in _MISTAKEN else _shapes(hint, vars(module)),
            name in required,
        )
        for name, hint in record.__annotations__.items()
    }


def _shapes(hint: Any, namespace: dict[str, Any]) -> tuple[Shape, ...]:
    """Return the forms that a type hint allows; an enum beside plain text stands for the two, or it would say nothing."""
    found = tuple(dict.fromkeys(_alternatives(hint, namespace)))
    if any(shape.kind == "choice" for shape in found):
        found = tuple(shape for shape in found if shape.kind != "string")
    return found


def _alternatives(hint: Any, namespace: dict[str, Any]) -> typing.Iterator[Shape]:
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        hint = _resolve(hint, namespace)
    if hint is None or hint is type(None):
        return
    if hint in _SCALARS:
        yield Shape(_SCALARS[hint])
        return
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType, typing.NotRequired, typing.Required):
        for argument in arguments:
            yield from _alternatives(argument, namespace)
    elif origin is typing.Literal:
        yield Shape("choice", choices=arguments)
    elif origin is abc.Sequence:
        yield Shape("list", items=_shapes(arguments[0], namespace))
    elif origin is abc.Mapping:
        yield Shape("map", items=_shapes(arguments[1], namespace))
    elif isinstance(hint, type):
        yield from _class_shape(hint)
    elif origin not in (abc.Awaitable, pulumi.Output):
        raise AssertionError(f"the hint {hint!r} is of a form that is not known here")


def _class_shape(hint: type) -> typing.Iterator[Shape]:
    if issubclass(hint, enum.Enum):
        yield Shape("choice", choices=tuple(member.value for member in hint))
    elif typing.is_typeddict(hint):
        yield Shape("record", record=hint)
    elif not (hint.__name__.endswith("Args") or issubclass(hint, pulumi.Output)):
        raise AssertionError(f"the class {hint!r} is of a kind that is not known here")


def _resolve(name: str, namespace: dict[str, Any]) -> Any:
    """Return what a forward reference names; None for the output types, which say the same again."""
    if name.startswith(("outputs.", "Output[")):
        return None
    if name.startswith("pulumi."):
        return getattr(pulumi, name.removeprefix("pulumi."))
    if "." in name:  # `_iam.PolicyStatementArgs`: of a sibling, which the SDK imports for type checkers only
        module, _, attribute = name.lstrip("_").partition(".")
        package = namespace["__name__"].split(".", 1)[0]
        return getattr(importlib.import_module(f"{package}.{module}"), attribute)
    return namespace[name]


# -- outputs --------------------------------------------------------------------------------------


@cache
def output_types(type_token: str) -> dict[str, Any]:
    """Return a resource's outputs by their names on the wire, each with its type."""
    return dict(resource_types(resource_class(type_token)))


def record_outputs(hint: Any) -> dict[str, Any]:
    """Return the members of an output that is a record, each with its type; `{}` for any other."""
    found = isinstance(hint, type) and is_output_type(hint)
    return dict(output_type_types(hint)) if found else {}


def input_types(arguments: type) -> dict[str, Any]:
    """Return the members of an `*Args` class by their names on the wire, each with its type as the SDK sees it."""
    return dict(input_type_types(arguments))
