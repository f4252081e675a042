"""Questions to a bundle, and whether what it answers is what was expected, by the tolerances of certification."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from lastmile_runtime.errors import RequestError
from lastmile_runtime.tensors import Tensor, read
from lastmile_sls.certification.compare import TOLERANCES, difference
from lastmile_sls.check.contract import Answer

_LONGEST = 300


@dataclass(frozen=True)
class Question:
    """A request to one version, and the answer that is certified."""

    version: str
    """Its id."""
    inputs: Sequence[Mapping[str, Any]]
    """The request's tensors, as the Open Inference Protocol has them: name, shape, datatype, data."""
    expected: Sequence[Mapping[str, Any]]
    """The answer's tensors, in the same form."""
    tolerances: Mapping[str, float] = field(default_factory=dict)
    """By output, where `lastmile_sls.certification.compare.TOLERANCES` are not meant."""

    def path(self, model: str) -> str:
        """Return where it is asked."""
        return f"/v2/models/{quote(model, safe='')}/versions/{quote(self.version, safe='')}/infer"

    def body(self) -> bytes:
        """Return what is sent; what JSON has no number for is sent as the runtime reads it."""
        inputs = [{**tensor, "data": _sendable(tensor["data"])} for tensor in self.inputs]
        return json.dumps({"inputs": inputs}, allow_nan=False).encode()


@dataclass(frozen=True)
class Compared:
    """An answer beside what was expected."""

    failure: str | None
    """Why it is wrong; None when it is right."""
    largest_difference: float = 0.0
    """Of all numbers, relative to the greater of 1 and the expected one."""


def compare(question: Question, answer: Answer) -> Compared:
    """Compare an answer with what was expected. Raises ValueError when what was expected cannot be read."""
    if answer.status != 200:
        return Compared(f"it is answered with {answer.status}: {_error(answer.body)}")
    try:
        found = {tensor.name: tensor for tensor in map(read, json.loads(answer.body)["outputs"])}
    except (RequestError, ValueError, LookupError, TypeError) as error:
        return Compared(f"its answer is none of the Open Inference Protocol: {error}")
    expected = expected_of(question)
    if sorted(found) != sorted(tensor.name for tensor in expected):
        wanted = ", ".join(tensor.name for tensor in expected)
        return Compared(f"it is answered with the outputs {', '.join(found)}, but {wanted} were expected")
    largest = 0.0
    for tensor in expected:
        compared = _compare_tensor(tensor, found[tensor.name], question.tolerances.get(tensor.name))
        largest = max(largest, compared.largest_difference)
        if compared.failure:
            return Compared(compared.failure, largest)
    return Compared(None, largest)


def expected_of(question: Question) -> list[Tensor]:
    """Return the tensors that are expected. Raises ValueError, naming what is wrong with them."""
    try:
        return [read({**tensor, "data": _sendable(tensor["data"])}) for tensor in question.expected]
    except RequestError as error:
        raise ValueError(error.message.replace("input ", "output ", 1)) from error
    except (LookupError, TypeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _compare_tensor(expected: Tensor, found: Tensor, tolerance: float | None) -> Compared:
    name = expected.name
    if (expected.datatype, expected.shape) != (found.datatype, found.shape):
        return Compared(
            f"{name} is {found.datatype} {found.shape}, but {expected.datatype} {expected.shape} was expected"
        )
    if expected.datatype not in TOLERANCES:
        for place, (one, other) in enumerate(zip(expected.data, found.data, strict=True)):
            if one != other:
                return Compared(f"{name}[{place}] is {other!r}, but {one!r} was expected", math.inf)
        return Compared(None)
    most = TOLERANCES[expected.datatype] if tolerance is None else tolerance
    largest, failure = 0.0, None
    for place, (one, other) in enumerate(zip(expected.data, found.data, strict=True)):
        apart = difference(one, other)
        largest = max(largest, apart)
        if apart > most and failure is None:
            failure = f"{name}[{place}] is {other!r}, but {one!r} was expected (tolerance {most:g})"
    return Compared(failure, largest)


def _sendable(data: Any) -> Any:
    """Return values, nested or flat, with the words that the runtime reads for what JSON has no number for."""
    if isinstance(data, list | tuple):
        return [_sendable(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return None if math.isnan(data) else ("Infinity" if data > 0 else "-Infinity")
    return data


def _error(body: bytes) -> str:
    """Return what an error's document says, in either form."""
    try:
        document = json.loads(body)
        told = document.get("error") or document.get("detail")
    except (ValueError, AttributeError):
        told = None
    return str(told or body[:_LONGEST].decode(errors="replace"))
