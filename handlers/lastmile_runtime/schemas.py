"""The JSON Schemas of what a version takes and answers, and examples that it takes, from its signature: pure.

`rules` are the contract's, by the name of an input or column (see `lastmile_runtime.contract`).
"""

from __future__ import annotations

from lastmile_runtime.manifest import TensorSpec
from lastmile_runtime.tensors import DATATYPES, FLOAT_LIMITS, INTEGER_RANGES, product

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version

    Rules = dict[str, dict[str, Any]]
    Schema = dict[str, Any]

MOST_EXAMPLE_VALUES = 4096
"""A larger input, an image say, gets no example: the document would be mostly that."""
_BYTES: Schema = {
    "type": "object",
    "required": ["b64"],
    "properties": {
        "b64": {"type": "string", "contentEncoding": "base64", "pattern": "^([A-Za-z0-9+/]{4})*$"}
    },
    "additionalProperties": False,
}
_ROOM = 6
"""Digits that are kept of an example's number."""


def names_of(version: Version) -> list[str]:
    """Return what one row of a version has values for: its columns, or its inputs."""
    return version.columns or [spec.name for spec in version.inputs]


def inputs_schema(version: Version, rules: Rules) -> Schema:
    """Return the schema of the Open Inference Protocol's `inputs`.

    A table is one matrix under any name, or one tensor per column. A version that declares nothing takes any tensors.
    """
    if version.columns:
        matrix = [_list([_tensor(None, _matrix(version), {}, version)])] if not _has_text(version) else []
        columns = [_tensor(spec.name, spec, rules, version) for spec in _columns(version)]
        return any_of([*matrix, _list(columns)])
    if not version.inputs:
        return {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Tensor"}}
    return _list([_tensor(spec.name, spec, rules, version) for spec in version.inputs])


def rows_schema(version: Version, rules: Rules) -> Schema:
    """Return the schema of rows, all of one form: objects by name, lists in order, or the one input's values."""
    values = _row_values(version, rules)
    if not values:
        return {"type": "array", "minItems": 1}
    if not version.columns and len(values) == 1:
        return any_of([records_schema(version, rules), _rows_of(next(iter(values.values())))])
    count, in_order = len(values), list(values.values())
    one = {"items": in_order[0]} if any_of(in_order) == in_order[0] else {"prefixItems": in_order}
    lists = {"type": "array", "minItems": count, "maxItems": count, **one}
    return any_of([records_schema(version, rules), _rows_of(lists)])


def records_schema(version: Version, rules: Rules) -> Schema:
    """Return the schema of rows that are objects of values by name."""
    return _rows_of(_object_of(_row_values(version, rules), _required(version, rules)))


def columns_schema(version: Version, rules: Rules) -> Schema:
    """Return the schema of an object of lists, each input's or column's values."""
    values = _row_values(version, rules)
    lists = {name: {"type": "array", "minItems": 1, "items": value} for name, value in values.items()}
    return _object_of(lists, _required(version, rules))


def tensor_schema(names: list[str]) -> Schema:
    """Return the schema of an answer's tensor; `names` are the outputs that are declared, none for any."""
    size = {"type": "integer", "minimum": 0}
    properties: Schema = {
        "name": {"enum": names} if names else {"type": "string"},
        "shape": {"type": "array", "items": size},
        "datatype": {"enum": list(DATATYPES)},
        "parameters": {"type": "object"},
        "data": {"type": "array"},
    }
    return {"type": "object", "required": ["name", "shape", "datatype"], "properties": properties}


def example_inputs(version: Version, rules: Rules) -> list[dict[str, Any]] | None:
    """Return the `inputs` of one row that a version takes; None when they are too large, or not known."""
    if version.columns and not _has_text(version):
        row = [_example(spec.datatype, rules.get(spec.name)) for spec in _columns(version)]
        return [_example_tensor(_matrix(version), row)] if len(row) <= MOST_EXAMPLE_VALUES else None
    specs = _columns(version) if version.columns else version.inputs
    sizes = [_sizes(spec) for spec in specs]
    if not specs or sum(map(product, sizes)) > MOST_EXAMPLE_VALUES:
        return None
    return [
        _example_tensor(spec, [_example(spec.datatype, rules.get(spec.name))] * product(size))
        for spec, size in zip(specs, sizes, strict=True)
    ]


def example_rows(version: Version, rules: Rules) -> list[Any] | None:
    """Return rows that a version takes; None when they are too large, not known, or of no common number."""
    specs = _columns(version) if version.columns else version.inputs
    sizes = [_sizes(spec) for spec in specs]
    counts = {size[0] if size else 0 for size in sizes}
    if len(counts) != 1 or 0 in counts or sum(map(product, sizes)) > MOST_EXAMPLE_VALUES:
        return None
    row = {
        spec.name: _nested(_example(spec.datatype, rules.get(spec.name)), size[1:])
        for spec, size in zip(specs, sizes, strict=True)
    }
    one: Any = row if version.columns or len(row) > 1 else next(iter(row.values()))
    return [one] * counts.pop()


def example_csv(version: Version, rules: Rules, *, header: bool) -> str | None:
    """Return CSV that a version takes; None where a row is more than a list of values."""
    rows = example_rows(version, rules)
    if not rows:
        return None
    row = rows[0] if isinstance(rows[0], dict) else {names_of(version)[0]: rows[0]}
    if any(isinstance(value, list) for value in row.values()):
        return None
    import csv
    import io

    output = io.StringIO()
    lines = [list(row)] if header else []
    csv.writer(output, lineterminator="\n").writerows([*lines, *[list(row.values())] * len(rows)])
    return output.getvalue()


def _tensor(name: str | None, spec: TensorSpec, rules: Rules, version: Version) -> Schema:
    """Return the schema of one input of a request; `name` None takes any."""
    sizes: list[Schema] = [
        {"type": "integer", "minimum": 0} if size == -1 else {"const": size} for size in spec.shape
    ]
    value = _value(spec.datatype, rules.get(spec.name))
    nested = _nested_schema(value, spec.shape)
    flat = {"type": "array", "items": value}
    taken = [*FLOAT_LIMITS, *INTEGER_RANGES] if spec.datatype in FLOAT_LIMITS else [spec.datatype]
    properties: Schema = {
        "name": {"const": name} if name else {"type": "string"},
        "shape": {"type": "array", "prefixItems": sizes, "minItems": len(sizes), "maxItems": len(sizes)},
        "datatype": {"enum": [spec.datatype, *[one for one in taken if one != spec.datatype]]},
        "data": {"description": "Flat, or nested as the shape says.", **any_of([nested, flat])},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(tensors: list[Schema]) -> Schema:
    count = len(tensors)
    return {"type": "array", "minItems": count, "maxItems": count, "items": any_of(tensors)}


def any_of(schemas: list[Schema]) -> Schema:
    """Return the schema of what fits one of them at least; each is told once."""
    different: list[Schema] = []
    for schema in schemas:
        if schema not in different:
            different.append(schema)
    return different[0] if len(different) == 1 else {"anyOf": different}


def _rows_of(row: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": row}


def _object_of(properties: Schema, required: list[str]) -> Schema:
    if not properties:
        return {"type": "object", "minProperties": 1}
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
    }


def _required(version: Version, rules: Rules) -> list[str]:
    """Return what a row must have: all but what the contract puts in."""
    return [name for name in names_of(version) if rules.get(name, {}).get("missing") != "impute"]


def _row_values(version: Version, rules: Rules) -> dict[str, Schema]:
    """Return the schema of each value of a row, by name."""
    specs = _columns(version) if version.columns else version.inputs
    return {
        spec.name: _nested_schema(_cell(spec.datatype, rules.get(spec.name)), spec.shape[1:])
        for spec in specs
    }


def _columns(version: Version) -> list[TensorSpec]:
    """Return a table's columns, as they are declared or, where its matrix is, each as a part of that."""
    declared = {spec.name: spec for spec in version.inputs}
    datatype = _matrix(version).datatype
    return [declared.get(name) or TensorSpec(name, datatype, [-1]) for name in version.columns]


def _matrix(version: Version) -> TensorSpec:
    """Return a table as the one matrix that it may be sent as."""
    for spec in version.inputs:
        if len(spec.shape) == 2 and spec.shape[1] == len(version.columns):
            return spec
    return TensorSpec("input", "FP64", [-1, len(version.columns)])


def _has_text(version: Version) -> bool:
    return any(spec.datatype == "BYTES" for spec in version.inputs)


def _nested_schema(value: Schema, shape: list[int]) -> Schema:
    for size in reversed(shape):
        limits = {} if size == -1 else {"minItems": size, "maxItems": size}
        value = {"type": "array", "items": value, **limits}
    return value


def _value(datatype: str, rule: dict[str, Any] | None) -> Schema:
    """Return the schema of one value: of its datatype, and not refused by the contract."""
    rule = rule or {}
    known = [key for key in ("minimum", "maximum") if rule.get("out_of_range") == "reject" and key in rule]
    limits: Schema = {key: rule[key] for key in known}
    if rule.get("unknown") == "reject" and "categories" in rule and datatype == "BYTES":
        return {"enum": list(rule["categories"])}
    if datatype == "BOOL":
        return {"type": "boolean"}
    if datatype == "BYTES":
        return {"type": "string"}
    if datatype in INTEGER_RANGES:
        low, high = INTEGER_RANGES[datatype]
        return {"type": "integer", "minimum": low, "maximum": high, **limits}
    most = FLOAT_LIMITS[datatype]
    number = (
        {"type": "number", "minimum": -most, "maximum": most} if datatype != "FP64" else {"type": "number"}
    )
    if rule.get("missing") == "reject" or limits:
        return {**number, **limits}
    return {"anyOf": [{**number, **limits}, {"enum": [None, "NaN", "Infinity", "-Infinity"]}]}


def _cell(datatype: str, rule: dict[str, Any] | None) -> Schema:
    """Return the schema of one value in a row: text may be lacking there, or be bytes (TensorFlow Serving's REST API)."""
    value = _value(datatype, rule)
    if datatype != "BYTES":
        return value
    forms = [value] if "enum" in value else [value, _BYTES]
    return any_of(forms if (rule or {}).get("missing") == "reject" else [*forms, {"type": "null"}])


def _sizes(spec: TensorSpec) -> list[int]:
    return [1 if size == -1 else size for size in spec.shape]


def _example_tensor(spec: TensorSpec, data: list[Any]) -> dict[str, Any]:
    return {"name": spec.name, "shape": _sizes(spec), "datatype": spec.datatype, "data": data}


def _nested(value: Any, sizes: list[int]) -> Any:
    for size in reversed(sizes):
        value = [value] * size
    return value


def _example(datatype: str, rule: dict[str, Any] | None) -> Any:
    """Return a value of a datatype that keeps to a rule: a category, or the middle of what was seen."""
    rule = rule or {}
    if datatype in ("BOOL", "BYTES"):
        return True if datatype == "BOOL" else (rule.get("categories") or ["text"])[0]
    if rule.get("categories"):
        return _number(rule["categories"][0], datatype)
    low, high = rule.get("minimum"), rule.get("maximum")
    low = high if low is None else low
    high = low if high is None else high
    middle = 1.0 if low is None or high is None else low / 2 + high / 2
    if datatype in INTEGER_RANGES:
        return int(middle) if low is None or int(middle) >= low else int(middle) + 1
    rounded = round(middle, _ROOM)
    return rounded if low is None or high is None or low <= rounded <= high else middle


def _number(category: str, datatype: str) -> Any:
    """Return a category of a column of numbers as the number that it is."""
    try:
        return int(category) if datatype in INTEGER_RANGES else float(category)
    except ValueError:
        return 1 if datatype in INTEGER_RANGES else 1.0
