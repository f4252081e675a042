"""An inference of the Open Inference Protocol: from the request's body to the answer's."""

from __future__ import annotations

from lastmile_runtime import jsons, tensors
from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.service import Service
    from lastmile_runtime.tensors import Tensor


def infer(service: Service, request: Request, version: str | None) -> Response:
    """Answer an inference request; `version` is the path's, which goes before the header's.

    Raises RequestError: 400 for the body, 404 for the pin, 422 for the contract, 500 when the model fails.
    """
    document, binary = _parse(request)
    inputs, wanted = _inputs(document, binary), _wanted(document)
    prediction = service.predict(request, inputs, pin=version, wanted=wanted)
    answer: dict[str, Any] = {"model_name": service.model, "model_version": prediction.version}
    if "id" in document:
        answer["id"] = document["id"]
    if _wants_binary(document):
        from lastmile_runtime.protocols import binary_tensors

        return binary_tensors.respond(answer, prediction, document)
    value = {**answer, "outputs": [tensor.to_json() for tensor in prediction.outputs]}
    try:
        return json_response(value, headers=prediction.headers, facts=prediction.facts)
    except UnicodeEncodeError:
        from lastmile_runtime.protocols import binary_tensors

        for tensor in prediction.outputs:
            binary_tensors.require_text(tensor)
        raise
    except ValueError:
        return json_response(tensors.finite(value), headers=prediction.headers, facts=prediction.facts)


def _parse(request: Request) -> tuple[dict[str, Any], bytes | None]:
    """Return the body's document and the binary tensors behind it, None where it holds none."""
    body, binary = request.body, None
    if "inference-header-content-length" in request.headers:
        from lastmile_runtime.protocols import binary_tensors

        body, binary = binary_tensors.split(request)
    try:
        document = jsons.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"the body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise RequestError(400, "the body must be a JSON object with inputs.")
    if not isinstance(document.get("id", ""), str):
        raise RequestError(400, f"id is {document['id']!r}, but must be a text.")
    return document, binary


def _inputs(document: dict[str, Any], binary: bytes | None) -> list[Tensor]:
    entries = document.get("inputs")
    if not isinstance(entries, list) or not entries:
        raise RequestError(400, "inputs must be a list of at least one tensor.")
    if binary is None:
        inputs = [tensors.read(entry) for entry in entries]
    else:
        from lastmile_runtime.protocols import binary_tensors

        inputs = binary_tensors.read_all(entries, binary)
    _require_once("input", [tensor.name for tensor in inputs])
    return inputs


def _wanted(document: dict[str, Any]) -> list[str]:
    """Return the outputs that the request asks for, none for all."""
    if "outputs" not in document:
        return []
    entries = document["outputs"]
    if not isinstance(entries, list):
        raise RequestError(400, "outputs must be a list.")
    names = []
    for entry in entries:
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str):
            raise RequestError(400, "each of outputs must be an object with a name.")
        names.append(name)
    _require_once("output", names)
    return names


def _wants_binary(document: dict[str, Any]) -> bool:
    """Tell whether any output is asked for as binary."""
    if "parameters" not in document and "outputs" not in document:
        return False
    for entry in (document, *(document.get("outputs") or ())):
        parameters = entry.get("parameters")
        if isinstance(parameters, dict) and (
            parameters.get("binary_data_output") is True or parameters.get("binary_data") is True
        ):
            return True
    return False


def _require_once(what: str, names: list[str]) -> None:
    if len(names) == len(set(names)):
        return
    seen = set()
    for name in names:
        if name in seen:
            raise RequestError(400, f"{what} {name!r} is there twice.")
        seen.add(name)
