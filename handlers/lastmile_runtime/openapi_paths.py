"""The paths of the OpenAPI document: for each protocol what it takes and answers, with an example: pure."""

from __future__ import annotations

from lastmile_runtime import schemas

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

    from lastmile_runtime.manifest import Version
    from lastmile_runtime.schemas import Rules, Schema

JSON, PROBLEM, CSV, BINARY = (
    "application/json",
    "application/problem+json",
    "text/csv",
    "application/octet-stream",
)
RECEIPT = {
    "x-model-version": "The version that answered.",
    "x-model-digest": "The digest of the bundle that it is in.",
    "x-model-route": "Why it was this version.",
    "server-timing": "What the prediction took, in milliseconds.",
}
TAGS = {
    "Open Inference Protocol": "Version 2, as KServe, Triton and MLServer speak it.",
    "KServe v1": "What TensorFlow Serving speaks as well.",
    "MLflow": "MLflow's scoring server, and what SageMaker asks of a container.",
    "SageMaker": "What boto3's `sagemaker-runtime` sends.",
    "Vertex AI": "What Google's prediction client sends over REST.",
    "Azure Machine Learning": "What `az ml online-endpoint invoke` sends.",
    "Jobs": "Answers that come later.",
}
_V2, _V1, _MLFLOW, _SAGEMAKER, _VERTEX, _AZURE, _JOBS = TAGS
_BINARY_TENSORS = (
    "With application/octet-stream: the JSON, and binary tensors behind it. The header inference-header-content-length "
    "says how many bytes the JSON has (the protocol's binary tensor data extension)."
)
_READ = (401, 404, 405, 500, 503)
_ASK = (400, 401, 404, 405, 413, 415, 422, 500, 503)


class Paths:
    """The paths of one endpoint."""

    def __init__(self, model: str, versions: list[Version], rules: Rules, *, jobs: bool) -> None:
        self._model = model
        self._versions = versions
        self._rules = rules
        self._jobs = jobs
        champion = versions[0]
        self._rows = schemas.example_rows(champion, rules)
        inputs = schemas.example_inputs(champion, rules)
        self._infer = {"inputs": inputs} if inputs else None
        self._instances = {"instances": self._rows} if self._rows else None

    def all(self) -> Schema:
        """Return every path that the application answers."""
        return {**self._open_inference(), **self._rows_protocols(), **self._clouds(), **self._later()}

    def _open_inference(self) -> Schema:
        of = f"/v2/models/{self._model}"
        version = {
            "parameters": [_parameter("version", "path", {"enum": self._names()}, self._versions[0].id)]
        }
        return {
            f"{of}/infer": {"post": self._post_infer("A prediction", [_pin(self._names())])},
            "/v2": {"get": _get(_V2, "The server", "Server")},
            "/v2/health/live": {"get": _get(_V2, "Whether the process lives", "Live")},
            "/v2/health/ready": {"get": _get(_V2, "Whether the champion is loaded", "Ready")},
            "/v2/models": {"get": _get(_V2, "The models", "Models")},
            "/v2/models/stats": {"get": _get(_V2, "What this process has counted", "Statistics")},
            of: {"get": _get(_V2, "The model's signature", "Metadata")},
            f"{of}/ready": {"get": _get(_V2, "Whether the model is ready", "Ready")},
            f"{of}/stats": {"get": _get(_V2, "What this process has counted", "Statistics")},
            f"{of}/versions/{{version}}": {**version, "get": _get(_V2, "A version's signature", "Metadata")},
            f"{of}/versions/{{version}}/ready": {**version, "get": _get(_V2, "Whether it is ready", "Ready")},
            f"{of}/versions/{{version}}/stats": {
                **version,
                "get": _get(_V2, "What it has counted", "Statistics"),
            },
            f"{of}/versions/{{version}}/infer": {
                **version,
                "post": self._post_infer("A prediction of one version", []),
            },
            "/v2/repository/index": {
                "post": {
                    **_get(_V2, "The versions and their states, as Triton lists them", "Index"),
                    "requestBody": {"content": {JSON: {"schema": {}, "example": {}}}},
                }
            },
        }

    def _post_infer(self, summary: str, parameters: list[Schema]) -> Schema:
        bodies = {JSON: _body("InferRequest", self._infer), BINARY: {"schema": {}}}
        found = self._post(_V2, summary, bodies, {JSON: "InferResponse", BINARY: ""}, parameters)
        found["requestBody"]["description"] = _BINARY_TENSORS
        del found["responses"]["415"]
        return found

    def _rows_protocols(self) -> Schema:
        predict = {JSON: _body("Instances", self._instances)}
        header = schemas.example_csv(self._versions[0], self._rules, header=True)
        mlflow = {JSON: _body("Rows", self._instances), CSV: _body("Csv", header)}
        pin = [_pin(self._names())]
        return {
            "/v1/models": {"get": _get(_V1, "The models", "Models")},
            f"/v1/models/{self._model}": {"get": _get(_V1, "Whether the model is ready", "Ready")},
            f"/v1/models/{self._model}:predict": {
                "post": self._post(_V1, "Predictions", predict, {JSON: "Predictions"}, pin)
            },
            "/invocations": {"post": self._post(_MLFLOW, "Predictions", mlflow, {JSON: "Predictions"}, pin)},
            "/ping": {"get": _get(_MLFLOW, "Whether the champion is loaded", "")},
            "/health": {"get": _get(_MLFLOW, "Whether the champion is loaded", "")},
            "/version": {"get": _get(_MLFLOW, "The version of this server", "")},
        }

    def _clouds(self) -> Schema:
        rows = schemas.example_csv(self._versions[0], self._rules, header=False)
        sagemaker = {JSON: _body("SageMakerRequest", self._instances), CSV: _body("Csv", rows)}
        answers = {JSON: "Predictions", CSV: "Csv"}
        variant = [_parameter("x-amzn-sagemaker-target-variant", "header", {"enum": self._names()}, None)]
        invoke = self._post(_SAGEMAKER, "Predictions", sagemaker, answers, variant)
        invoke["responses"]["424"] = _refused(424, _SAGEMAKER)
        del invoke["responses"]["500"]
        score = {JSON: _body("ScoreRequest", {"data": self._rows} if self._rows else None)}
        deployment = [_parameter("azureml-model-deployment", "header", {"enum": self._names()}, None)]
        predict, pin = {JSON: _body("Instances", self._instances)}, [_pin(self._names())]
        asked = _parameter("version", "query", {"enum": ["2", "3", "2.0", "3.0"]}, None)
        of = {
            "parameters": [
                _parameter(n, "path", {"type": "string", "pattern": "^[^/]+$"}, n[0] + "1")
                for n in ("project", "location", "endpoint")
            ]
        }
        endpoint = "/v1/projects/{project}/locations/{location}/endpoints/{endpoint}"
        return {
            f"/endpoints/{self._model}/invocations": {"post": invoke},
            f"{endpoint}:predict": {
                **of,
                "post": self._post(_VERTEX, "Predictions", predict, {JSON: "VertexPredictions"}, pin),
            },
            f"{endpoint}:rawPredict": {
                **of,
                "post": self._post(_VERTEX, "The model's own answer", predict, {JSON: "Predictions"}, pin),
            },
            "/score": {"post": self._post(_AZURE, "Predictions", score, {JSON: "Scores"}, deployment)},
            "/swagger.json": {
                "get": {**_get(_AZURE, "This path, described", "Object"), "parameters": [asked]}
            },
        }

    def _later(self) -> Schema:
        if not self._jobs:
            return {}
        answer = _get(_JOBS, "The answer of a request that was sent with prefer: respond-async", "")
        answer["description"] = (
            "202 until it is there; then the status, headers and body of the answer itself."
        )
        answer["responses"] |= {"202": ok({JSON: "Job"}, "It is not there yet.")}
        answer["responses"]["200"]["content"] |= {CSV: {"schema": {}}, BINARY: {"schema": {}}}
        answer["responses"] |= {str(status): _refused(status, _JOBS) for status in (*_ASK, 424)}
        id_ = _parameter("id", "path", {"type": "string"}, "0" * 32)
        return {"/jobs/{id}": {"parameters": [id_], "get": answer}}

    def _post(
        self, tag: str, summary: str, bodies: Schema, answers: dict[str, str], parameters: list[Schema]
    ) -> Schema:
        found = ok(answers, "The predictions.")
        found["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in RECEIPT}
        responses = {"200": found, **{str(status): _refused(status, tag) for status in _ASK}}
        if self._jobs:
            responses |= {"202": {"$ref": "#/components/responses/Accepted"}, "409": _refused(409, tag)}
            parameters = [*parameters, *({"$ref": f"#/components/parameters/{name}"} for name in LATER)]
        return {
            "tags": [tag],
            "summary": summary,
            "parameters": parameters,
            "requestBody": {"required": True, "content": bodies},
            "responses": responses,
        }

    def _names(self) -> list[str]:
        return [*(version.id for version in self._versions), "champion", "challenger", "shadow"]


LATER: dict[str, Schema] = {
    "prefer": {
        "name": "prefer",
        "in": "header",
        "description": "respond-async: answer 202 now, and the prediction later (RFC 7240).",
        "schema": {"enum": ["respond-async"]},
    },
    "idempotency-key": {
        "name": "idempotency-key",
        "in": "header",
        "description": "With respond-async: a repetition with the same key and body makes no second job.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}


def _parameter(name: str, place: str, schema: Schema, example: Any) -> Schema:
    found = {"name": name, "in": place, "required": place == "path", "schema": schema}
    return found if example is None else {**found, "example": example}


def _pin(names: list[str]) -> Schema:
    told = {"description": "Asks for this version. Default: whichever the traffic gives."}
    return {**_parameter("x-model-version", "header", {"enum": names}, None), **told}


def _body(schema: str, example: Any) -> Schema:
    found = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return found if example is None else {**found, "example": example}


def _get(tag: str, summary: str, schema: str) -> Schema:
    responses = {str(status): _refused(status, tag) for status in _READ}
    return {
        "tags": [tag],
        "summary": summary,
        "responses": {"200": ok({JSON: schema}, "The answer."), **responses},
    }


def ok(schemas_by_media: dict[str, str], description: str) -> Schema:
    """Return a response; for each media type, its schema's name, empty for any content."""
    content = {
        media: {"schema": {"$ref": f"#/components/schemas/{name}"} if name else {}}
        for media, name in schemas_by_media.items()
    }
    return {"description": description, "content": content}


def _refused(status: int, tag: str) -> Schema:
    return {"$ref": f"#/components/responses/{'Error' if tag == _V2 else 'Problem'}{status}"}
