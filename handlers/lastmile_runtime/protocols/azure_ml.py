"""Azure Machine Learning's online endpoints: `POST /score`, and `/swagger.json`, which its clients read.

learn.microsoft.com/azure/machine-learning/how-to-inference-server-http, and azureml-inference-server-http 1.5. Errors
carry its member `message` beside the problem's.
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.protocols import predictions, rows
from lastmile_runtime.protocols.bodies import form_of, media_type, object_of, require_method

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.service import Service
    from lastmile_runtime.tensors import Tensor

FORMS = ("data", "input_data", "Inputs")
DEPLOYMENT = "azureml-model-deployment"
"""The header that pins a version, and that tells which one answered."""


def answer(service: Service, request: Request) -> Response:
    """Answer `/score` or `/swagger.json`. Raises RequestError."""
    try:
        return _answer(service, request)
    except RequestError as error:
        error.members = {"message": error.message, **error.members}
        raise


def _answer(service: Service, request: Request) -> Response:
    match request.path:
        case "/score":
            require_method(request, "POST")
            return _score(service, request)
        case "/swagger.json":
            require_method(request, "GET")
            from lastmile_runtime.protocols import swagger

            return json_response(swagger.describe(service, request.query))
    raise RequestError(404, f"{request.path} is not a path of this endpoint; /docs lists them.")


def _score(service: Service, request: Request) -> Response:
    """Answer `data` and `input_data` with a bare list, as scoring scripts do; `Inputs` with `Results`, as AutoML's do."""
    media_type(request, ("application/json",))
    document = object_of(request, f"one of {', '.join(FORMS)}")
    inputs = _inputs(document, service.versions[service.champion()])
    prediction = service.predict(request, inputs, pin=request.headers.get(DEPLOYMENT))
    found = predictions.rows_of(prediction)
    value = {"Results": found} if "Inputs" in document else found
    return predictions.respond(value, prediction, {DEPLOYMENT: prediction.version})


def _inputs(document: dict[str, Any], version: Version) -> list[Tensor]:
    """Return the inputs of the one form: rows, a data frame in the `split` orientation, or columns by name."""
    form = form_of(document, FORMS)
    value = document[form]
    if form == "Inputs" and isinstance(value, dict) and len(value) == 1:
        # `{"data": rows}` of AutoML and `{"WebServiceInput0": rows}` of the designer: the name is theirs.
        (name, inner), known = *value.items(), _known(version)
        value = value if name in known else inner
    if isinstance(value, dict) and "data" in value and "data" not in _known(version):
        return rows.from_split(value, version)
    return rows.from_inputs(value, version)


def _known(version: Version) -> list[str]:
    return version.columns or [spec.name for spec in version.inputs]
