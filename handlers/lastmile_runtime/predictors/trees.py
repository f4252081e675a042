"""Trees of any library, compiled to a forest file: nothing of the library is needed."""

from __future__ import annotations

from lastmile_runtime import jsons, table
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.forest import open_forest
from lastmile_runtime.tensors import Tensor

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict

    Column = Callable[[list[float]], list[Any]]


def load(path: str, version: Version) -> Predict:
    """Open the file. The answers are those of it that the manifest names; where it names none, all.

    Raises BundleError for a file that is not one, or lacks a named answer.
    """
    forest = open_forest(path)
    features = forest.features
    widths = {"margins": forest.outputs, "values": forest.columns}
    try:
        entries = wanted_answers(jsons.loads(forest.metadata)["answers"], version)
        answers = [answer_of(entry, widths) for entry in entries]
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise BundleError(f"{version.artifact} cannot be read: {type(error).__name__}: {error}.") from error

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        try:
            margins, values = forest.evaluate(_rows(inputs, version, features))
        except (TypeError, ValueError) as error:
            raise RequestError(400, f"{error}.") from error
        return [answer(margins, values) for answer in answers]

    return predict


def wanted_answers(entries: list[dict[str, Any]], version: Version) -> list[dict[str, Any]]:
    """Return the answers that the manifest names, or all. Raises BundleError for one that the file lacks."""
    if not version.outputs:
        return entries
    named = {entry["name"]: entry for entry in entries}
    for spec in version.outputs:
        if spec.name not in named:
            raise BundleError(
                f"output {spec.name!r} is not in {version.artifact}, which has {', '.join(named)}."
            )
    return [named[spec.name] for spec in version.outputs]


def _rows(inputs: list[Tensor], version: Version, features: int) -> list[Any]:
    """Return the numbers of a matrix as they are, flat; of a table in columns, row by row."""
    if len(inputs) == 1 and inputs[0].data and inputs[0].shape[1:] == [features]:
        return inputs[0].data
    if version.columns:
        return table.rows_of(inputs, version.columns)
    shapes = ", ".join(f"{tensor.name!r} with the shape {tensor.shape}" for tensor in inputs)
    raise RequestError(
        400, f"the model takes one input of the shape [rows, {features}], but was sent {shapes}."
    )


def answer_of(entry: dict[str, Any], widths: dict[str, int]) -> Callable[[list[float], list[float]], Tensor]:
    """Return a function from margins and values to one answer, as lastmile_sls.compile.forest.Answer describes it."""
    name, datatype, columns = entry["name"], entry["datatype"], entry["columns"]
    of_margins = entry["source"] == "margins"
    width = widths[entry["source"]]
    pick = _labels(entry, width) if entry["labels"] else _numbers(entry["first"], columns, width)

    def answer(margins: list[float], values: list[float]) -> Tensor:
        source = margins if of_margins else values
        shape = [len(source) // width]
        return Tensor(name, datatype, shape if columns is None else [*shape, columns], pick(source))

    return answer


def _numbers(first: int, columns: int | None, width: int) -> Column:
    end = first + (columns or 1)
    if (first, end) == (0, width):
        return list
    return lambda source: [
        value for row in range(0, len(source), width) for value in source[row + first : row + end]
    ]


def _labels(entry: dict[str, Any], width: int) -> Column:
    first, labels, rule, threshold = entry["first"], entry["labels"], entry["rule"], entry["threshold"]
    if rule == "above":
        return lambda source: [labels[value > threshold] for value in source[first::width]]
    if rule == "at_least":
        return lambda source: [labels[value >= threshold] for value in source[first::width]]
    if rule != "argmax":
        raise BundleError(
            f"output {entry['name']!r} is decided by {rule!r}, which this runtime does not know."
        )
    end = first + len(labels)

    def greatest(source: list[float]) -> list[Any]:
        rows = [source[row + first : row + end] for row in range(0, len(source), width)]
        return [labels[row.index(max(row))] for row in rows]

    return greatest
