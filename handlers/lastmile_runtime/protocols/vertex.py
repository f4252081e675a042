"""Vertex AI's online predictions: `/v1/projects/{p}/locations/{l}/endpoints/{e}:predict`, and its custom container's route.

cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
"""

from __future__ import annotations

from lastmile_runtime.errors import RequestError
from lastmile_runtime.http import Request, Response, json_response
from lastmile_runtime.protocols import rows
from lastmile_runtime.protocols.bodies import require_method

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.service import Service


def answer(service: Service, request: Request) -> Response:
    """Answer a prediction as the service does, with what was deployed; in a custom container the service adds that."""
    from lastmile_runtime.protocols.kserve_v1 import inputs_of

    require_method(request, "POST")
    name, _, method = request.path.rpartition("/")[2].partition(":")
    if method != "predict":
        raise RequestError(
            404, f"{request.path} is not a path of Vertex AI's predictions; they end in :predict."
        )
    prediction = service.predict(request, inputs_of(service, request))
    value = {
        "predictions": rows.to_predictions(prediction),
        "deployedModelId": prediction.version,
        "model": f"{request.path.removeprefix('/v1/').rpartition('/endpoints/')[0]}/models/{service.model}",
        "modelDisplayName": service.model,
        "modelVersionId": prediction.version,
    }
    if name == "vertex":
        value = {"predictions": value["predictions"]}
    return json_response(value, headers=prediction.headers, facts=prediction.facts)
