"""Rows to predictions: many at once, and where some are refused, all of the others all the same."""

from __future__ import annotations

from lastmile_runtime.batch.pieces import FileRefused
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import AcceptedRequest

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lastmile_runtime.batch.pieces import Outputs, Part, Refused
    from lastmile_runtime.service import Prediction, Service

_MOST_ROWS = 1024
"""At once: as few as keep a call's own cost small, and a request to another function below any cloud's limit."""
_ROWS_FAULT = frozenset({400, 413, 422, 500})
"""What may be some rows' fault; with any other status the model was not reached, and the whole is tried again."""


class Scored:
    """What became of rows."""

    def __init__(self) -> None:
        self.outputs: dict[int, Outputs] = {}
        """By the index of the row."""
        self.refused: list[Refused] = []


class Scorer:
    """Predicts with one version, through the contract and the signature, as a request that pins it is answered."""

    def __init__(self, service: Service, version: str) -> None:
        """Load the version. Raises RequestError (500) when it cannot be."""
        service.load(version)
        self._service = service
        self._id = version
        self._version = service.versions[version]

    def score(self, part: Part, only: int | None = None) -> Scored:
        """Predict rows, at most `only` of them.

        Raises RequestError when it is not the rows' fault, FileRefused for outputs that are not one per row.
        """
        scored = Scored()
        for group in part.groups(self._version):
            wanted = group[:only]
            for start in range(0, len(wanted), _MOST_ROWS):
                self._predict(part, wanted[start : start + _MOST_ROWS], scored)
        return scored

    def _predict(self, part: Part, indices: list[int], scored: Scored) -> None:
        """Predict rows; if that fails, each half of them, down to the rows at fault."""
        try:
            inputs = part.inputs(indices, self._version)
            prediction = self._service.predict(AcceptedRequest("POST", "/invocations"), inputs, pin=self._id)
        except RequestError as error:
            if error.status not in _ROWS_FAULT:
                raise
            if len(indices) == 1:
                scored.refused.append(part.refuse(indices[0], _reason(error)))
                return
        else:
            # The contract's fallback answers for all rows of a request where one of them needs it.
            if len(indices) == 1 or not prediction.facts["route"].startswith("rule=fallback"):
                scored.outputs.update(zip(indices, _by_row(prediction, len(indices)), strict=True))
                return
        middle = len(indices) // 2
        self._predict(part, indices[:middle], scored)
        self._predict(part, indices[middle:], scored)


def _by_row(prediction: Prediction, count: int) -> Sequence[Outputs]:
    """Return the outputs row by row; an output of the shape [rows, 1] has one value for each."""
    found: list[Outputs] = [{} for _ in range(count)]
    for tensor in prediction.outputs:
        if not tensor.shape or tensor.shape[0] != count:
            raise FileRefused(
                f"version {prediction.version!r} answered {count} rows with {tensor.name!r} of the shape {tensor.shape}, "
                "but predictions are kept row by row."
            )
        values = tensor.data if tensor.shape[1:] == [1] else tensor.nested()
        for outputs, value in zip(found, values, strict=True):
            outputs[tensor.name] = value
    return found


def _reason(error: RequestError) -> str:
    """Return why a row was refused, without its place in a request that had no other."""
    return error.message.replace(", row 0,", "").removeprefix("row 0: ")
