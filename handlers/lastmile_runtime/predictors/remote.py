"""A version that another function of the deployment serves: asked by the Open Inference Protocol, version 2.

Tensors travel as bytes wherever those hold every value as it was sent, so that both functions see the same numbers.
"""

from __future__ import annotations

from lastmile_runtime import jsons, tensors
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import TITLES, Request
from lastmile_runtime.protocols import binary_tensors

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.http import Response
    from lastmile_runtime.manifest import Bundle, Version
    from lastmile_runtime.predictors import Predict
    from lastmile_runtime.tensors import Tensor

_OF_THE_INPUTS = (400, 413, 422)
"""The statuses that say something about what the caller sent; any other is about the deployment."""
_ROUNDED = ("FP16", "FP32")
"""Their values are kept here with all the digits that were sent, and may lose some as bytes."""


def open_version(version: Version, bundle: Bundle) -> Predict:
    """Ask the version's function whether it is ready, which starts it, and return what predicts with it.

    Raises ConnectionError with the reason when it is not.
    """
    assert version.remote is not None
    name = version.remote["function"]
    function = bundle.functions[name]
    path = f"/v2/models/{bundle.manifest.model}/versions/{version.id}"
    try:
        answer = function.ask("GET", f"{path}/ready")
    except OSError as error:
        raise ConnectionError(f"the function {name} gave no answer: {error}") from error
    if answer.status != 200:
        raise ConnectionError(f"the function {name} answered {answer.status}: {_message(answer)}")

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        headers, body = _render(inputs)
        try:
            answer = function.ask("POST", f"{path}/infer", headers, body)
        except TimeoutError as error:
            late = f"the function {name} of version {version.id!r} did not answer within {function.deadline_s:g} s."
            raise RequestError(504, late) from error
        except OSError as error:
            gone = f"the function {name} of version {version.id!r} gave no answer: {error}."
            raise RequestError(503, gone) from error
        if answer.status != 200:
            raise _refusal(name, answer)
        return _read(name, answer)

    return predict


def _render(inputs: list[Tensor]) -> tuple[dict[str, str], bytes]:
    entries: list[dict[str, Any]] = []
    buffers = []
    for tensor in inputs:
        described = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
        content = binary_tensors.to_bytes(tensor)
        entry = {**described, "parameters": {"binary_data_size": len(content)}}
        if tensor.datatype in _ROUNDED and binary_tensors.read_all([entry], content)[0].data != tensor.data:
            entries.append({**described, "data": tensors.finite(tensor.data)})
        else:
            entries.append(entry)
            buffers.append(content)
    head = jsons.dumps({"inputs": entries, "parameters": {"binary_data_output": True}}).encode()
    headers = {"content-type": "application/octet-stream", binary_tensors.LENGTH_HEADER: str(len(head))}
    return headers, b"".join([head, *buffers])


def _read(name: str, answer: Response) -> list[Tensor]:
    try:
        document, binary = answer.body, b""
        if binary_tensors.LENGTH_HEADER in answer.headers:
            document, binary = binary_tensors.split(Request("POST", "/", answer.headers, answer.body))
        return binary_tensors.read_all(jsons.loads(document)["outputs"], binary)
    except (RequestError, LookupError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}".rstrip(".")
        raise RequestError(502, f"the answer of the function {name} cannot be read: {reason}.") from error


def _refusal(name: str, answer: Response) -> RequestError:
    """Return what a function answered as our own answer; what the caller cannot help is no 4xx of theirs."""
    message = _message(answer)
    if answer.status in _OF_THE_INPUTS or (answer.status >= 500 and answer.status in TITLES):
        return RequestError(answer.status, message)
    return RequestError(503, f"the function {name} answered {answer.status}: {message}")


def _message(answer: Response) -> str:
    try:
        return str(jsons.loads(answer.body)["error"])
    except (LookupError, TypeError, ValueError):
        return "it does not say why."
