"""MLServer around a model that costs nothing."""

from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Total(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        total = sum(payload.inputs[0].data)
        output = ResponseOutput(name="total", shape=[1], datatype="FP64", data=[total])
        return InferenceResponse(model_name=self.name, outputs=[output])
