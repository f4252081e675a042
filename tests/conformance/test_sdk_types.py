"""The judge by the SDKs' types reads them as the SDKs do: names go out and come back, and every form is known."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterable
from typing import Any

import pulumi
import pytest
from pulumi._types import input_type_py_to_pulumi_names
from pulumi.runtime import rpc

from tests.clouds import sdk_types
from tests.clouds.provider import OUTPUTS
from tests.clouds.sdk_types import Field, Shape

pytestmark = pytest.mark.conformance
TYPES = sorted(type_ for table in OUTPUTS.values() for type_ in table)
DEPTH = 4


def pulumi_names(arguments: type) -> dict[str, str]:
    """Return Python's name for each name on the wire."""
    return {wire: name for name, wire in input_type_py_to_pulumi_names(arguments).items()}


def arguments_of(type_: str) -> type:
    cls = sdk_types.resource_class(type_)
    found: type = sdk_types._arguments_class(cls._internal_init)  # type: ignore[attr-defined]  # every resource has it
    return found


def sample(shapes: Iterable[Shape], depth: int) -> tuple[Any, Any] | None:
    """Return a value as a program gives it and as it is on the wire; None where only deeper records would do."""
    for shape in shapes:
        if shape.kind == "record":
            assert shape.record is not None
            if depth == 0:
                return None
            module = sys.modules[shape.record.__module__]
            names = pulumi_names(getattr(module, shape.record.__name__.removesuffix("Dict")))
            return sampled(sdk_types.record_fields(shape.record), names, depth - 1)
        if shape.kind in ("list", "map"):
            item = sample(shape.items, depth)
            if item is None:
                return None
            program, wire = item
            return ([program], [wire]) if shape.kind == "list" else ({"a_key": program}, {"a_key": wire})
        if shape.kind == "choice":
            return shape.choices[0], shape.choices[0]
        plain = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "any": "text"}
        if shape.kind in plain:
            return plain[shape.kind], plain[shape.kind]
        text = pulumi.StringAsset("text")
        return text, {rpc._special_sig_key: rpc._special_asset_sig, "text": "text"}
    raise AssertionError("there is no form at all")


def sampled(fields: dict[str, Field], names: dict[str, str], depth: int) -> tuple[Any, Any]:
    program, wire = {}, {}
    for name, field in fields.items():
        value = sample(field.shapes, depth)
        if value is not None:
            program[names[name]], wire[name] = value
    return program, wire


async def serialized(program: dict[str, Any], arguments: type) -> dict[str, Any]:
    names = input_type_py_to_pulumi_names(arguments)
    types = sdk_types.input_types(arguments)
    return {
        names[key]: await rpc.serialize_property(value, [], key, typ=types[names[key]])
        for key, value in program.items()
    }


@pytest.mark.parametrize("type_", TYPES)
def test_names_are_those_that_the_sdk_sends(type_: str) -> None:
    arguments = arguments_of(type_)
    fields = sdk_types.resource_fields(type_)
    program, wire = sampled(fields, pulumi_names(arguments), DEPTH)
    sent = asyncio.run(serialized(program, arguments))
    assert sent == wire
    findings = [f for f in sdk_types.judge(type_, wire) if "needs it" not in f.problem]
    assert findings == []


@pytest.mark.parametrize("package", sdk_types.PACKAGES)
def test_explicit_providers_take_json_texts(package: str) -> None:
    fields = sdk_types.resource_fields(f"pulumi:providers:{package}")
    assert fields
    assert sdk_types.judge(f"pulumi:providers:{package}", {"version": "1.0.0"}) == []


def test_the_inside_of_a_json_text_is_judged() -> None:
    judge = sdk_types.judge
    assert judge("pulumi:providers:aws", {"defaultTags": '{"tags": {"a": "b"}}', "region": "eu-west-1"}) == []
    assert [str(f) for f in judge("pulumi:providers:aws", {"defaultTags": '{"tagz": {"a": "b"}}'})] == [
        "defaultTags.tagz: ProviderDefaultTagsArgsDict has no such key."
    ]
    assert [str(f) for f in judge("pulumi:providers:aws", {"skipRegionValidation": "perhaps"})] == [
        'skipRegionValidation: is string "perhaps"; the SDK wants boolean.'
    ]


def test_dicts_and_classes_say_the_same() -> None:
    """Every `*ArgsDict` has the members of its `*Args`, and needs no less, for dicts get no defaults."""
    for fqn in ("pulumi_aws.lambda_", "pulumi_gcp.cloudrunv2", "pulumi_azure_native.web"):
        module = importlib.import_module(f"{fqn}._inputs")
        dicts = [name for name in vars(module) if name.endswith("ArgsDict") and name in module.__all__]
        assert len(dicts) > 30
        for name in dicts:
            arguments, record = getattr(module, name.removesuffix("Dict")), getattr(module, name)
            assert set(record.__annotations__) == set(input_type_py_to_pulumi_names(arguments))
            assert record.__required_keys__ >= sdk_types._required(arguments)


def test_what_there_is_no_such_type_of_is_told() -> None:
    with pytest.raises(sdk_types.UnknownType, match="pulumi_aws has no resource aws:s3/bucked:Bucked"):
        sdk_types.judge("aws:s3/bucked:Bucked", {})
    with pytest.raises(
        sdk_types.UnknownType, match="is of the package oci; there are aws, gcp, azure-native"
    ):
        sdk_types.judge("oci:Core/vcn:Vcn", {})
