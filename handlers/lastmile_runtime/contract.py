"""The contract: what inputs must satisfy, and whether a value that does not is refused, replaced, or answered for."""

from __future__ import annotations

from _operator import ge, le  # operator would have to be read

from lastmile_runtime.errors import RequestError
from lastmile_runtime.tensors import Tensor, from_nested

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version

ACTIONS = ("accept", "reject", "impute", "fallback")
"""What happens to a value that breaks a rule. An accepted one is flagged in the answer."""
_MAX_TOLD = 100
_INFINITY = float("inf")


class Checked:
    """Inputs as the model gets them, what was noticed, and whether the fallback answers instead of a model."""

    __slots__ = ("fallback", "flags", "inputs")

    def __init__(self, inputs: list[Tensor], flags: list[str], *, fallback: bool) -> None:
        self.inputs = inputs
        self.flags = flags
        """`<rule>=<input>` for each rule that was broken and not refused."""
        self.fallback = fallback


class Contract:
    """The rules of a deployment's inputs.

    A rule is a dictionary: `name` of an input or column; `missing`, `out_of_range` and `unknown`, each one of
    ACTIONS; `minimum` and `maximum` (inclusive) or `categories`; and `impute`, the value to put in.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._rules: list[dict[str, Any]] = document["inputs"]
        self._fallback: dict[str, Any] = document.get("fallback") or {}
        self._limits: dict[str, tuple[list[float], list[float]] | None] = {}
        """By version, the least and the greatest of each column; None where rules say more than that."""

    def apply(self, inputs: list[Tensor], version: Version) -> Checked:
        """Check the inputs of a request.

        Raises RequestError (422) that names every value, up to 100, that breaks a rule whose action is `reject`.
        """
        if self._holds(inputs, version):
            return Checked(inputs, [], fallback=False)
        inputs, violations, flags, fallback = list(inputs), [], [], False
        for rule in self._rules:
            place = _find(inputs, version, rule["name"])
            if place is None:
                place = self._complete(inputs, rule)
                if place is None:
                    continue
                flags.append(f"imputed={rule['name']}")
            index, start, step = place
            for row, broken, value in _broken(rule, inputs[index].data[start::step]):
                action = rule.get(broken, "accept")
                if action == "reject":
                    violations.append(_violation(rule, row, broken, value))
                elif action == "impute":
                    _put(inputs, place, row, rule["impute"])
                fallback = fallback or action == "fallback"
                flag = f"imputed={rule['name']}" if action == "impute" else f"{broken}={rule['name']}"
                if flag not in flags:
                    flags.append(flag)
        if violations:
            told = violations[0]["detail"] + (f" ({len(violations)} in all)" if len(violations) > 1 else "")
            raise RequestError(422, told, members={"errors": violations[:_MAX_TOLD]})
        return Checked(inputs, flags, fallback=fallback)

    def _holds(self, inputs: list[Tensor], version: Version) -> bool:
        """Tell whether a matrix is within all limits, as far as that can be told in one pass over its values."""
        width = len(version.columns)
        if len(inputs) != 1 or inputs[0].shape[1:] != [width]:
            return False
        if version.id not in self._limits:
            self._limits[version.id] = self._limits_of(version)
        limits = self._limits[version.id]
        if limits is None or inputs[0].name in version.columns:
            return False
        data = inputs[0].data
        lows, highs = limits
        rows = len(data) // width
        if rows > 1:
            lows, highs = lows * rows, highs * rows
        try:  # a NaN is neither, and nothing else than a number can be compared
            return all(map(le, lows, data)) and all(map(ge, highs, data))
        except TypeError:
            return False

    def _limits_of(self, version: Version) -> tuple[list[float], list[float]] | None:
        rules = {rule["name"]: rule for rule in self._rules}
        if any("categories" in rule for rule in self._rules) or not rules.keys() <= {*version.columns}:
            return None
        found = [rules.get(column, {}) for column in version.columns]
        return (
            [rule.get("minimum", -_INFINITY) for rule in found],
            [rule.get("maximum", _INFINITY) for rule in found],
        )

    def fallback(self, inputs: list[Tensor], version: Version) -> list[Tensor]:
        """Return the fallback's answer, the same for every row."""
        rows = inputs[0].shape[0] if inputs[0].shape else 1
        declared = {spec.name: spec.datatype for spec in version.outputs}
        return [
            from_nested(name, [value] * rows, declared.get(name)) for name, value in self._fallback.items()
        ]

    def _complete(self, inputs: list[Tensor], rule: dict[str, Any]) -> tuple[int, int, int] | None:
        """Add a column that the request left out, where the rule says what to put in."""
        if rule.get("missing") != "impute" or not inputs or any(len(t.shape) > 2 for t in inputs):
            return None
        shape, rows = inputs[0].shape, inputs[0].shape[0] if inputs[0].shape else 1
        inputs.append(Tensor(rule["name"], rule["datatype"], [rows, *shape[1:2]], [rule["impute"]] * rows))
        return len(inputs) - 1, 0, 1


def _find(inputs: list[Tensor], version: Version, name: str) -> tuple[int, int, int] | None:
    """Return where an input's values are: which tensor, the first one's place in it, and the step between them."""
    for index, tensor in enumerate(inputs):
        if tensor.name == name:
            return index, 0, 1
    columns = version.columns
    if name in columns and len(inputs) == 1 and inputs[0].shape[1:] == [len(columns)]:
        return 0, columns.index(name), len(columns)
    return None


def _put(inputs: list[Tensor], place: tuple[int, int, int], row: int, value: Any) -> None:
    index, start, step = place
    tensor = inputs[index]
    data = list(tensor.data)
    data[start + row * step] = value
    datatype = "FP64" if type(value) is float and "INT" in tensor.datatype else tensor.datatype
    inputs[index] = Tensor(tensor.name, datatype, tensor.shape, data)


def _broken(rule: dict[str, Any], values: list[Any]) -> list[tuple[int, str, Any]]:
    """Return the values that break a rule: row, which part of the rule, value."""
    low, high, categories = rule.get("minimum"), rule.get("maximum"), rule.get("categories")
    if categories is None and _all_within(values, low, high):
        return []
    found = []
    for row, value in enumerate(values):
        if value is None or value != value or value == "":  # noqa: PLR0124 - only a NaN differs from itself
            found.append((row, "missing", value))
        elif categories is not None:
            if str(value) not in categories:
                found.append((row, "unknown", value))
        elif (low is not None and value < low) or (high is not None and value > high):
            found.append((row, "out_of_range", value))
    return found


def _all_within(values: list[Any], low: float | None, high: float | None) -> bool:
    """Tell whether all are numbers within the limits, as far as that can be told without looking at each."""
    try:
        total = sum(values)
    except TypeError:
        return False
    # A NaN anywhere makes the sum one, which differs from itself.
    return bool(
        values
        and total == total  # noqa: PLR0124
        and (low is None or min(values) >= low)
        and (high is None or max(values) <= high)
    )


def _violation(rule: dict[str, Any], row: int, broken: str, value: Any) -> dict[str, Any]:
    name = rule["name"]
    match broken:
        case "missing":
            detail = f"input {name!r}, row {row}, has no value, but needs one."
        case "unknown":
            known = ", ".join(rule["categories"][:20])
            detail = f"input {name!r}, row {row}, is {value!r}, but must be one of {known}."
        case _:
            low, high = rule.get("minimum"), rule.get("maximum")
            limits = [
                f"at least {low:g}" if low is not None else "",
                f"at most {high:g}" if high is not None else "",
            ]
            detail = (
                f"input {name!r}, row {row}, is {value!r}, but must be {' and '.join(filter(None, limits))}."
            )
    return {"input": name, "row": row, "rule": broken, "detail": detail}
