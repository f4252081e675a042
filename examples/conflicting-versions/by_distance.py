"""The first generation: minutes by kilometres alone."""


class ByDistance:
    def predict(self, inputs: dict[str, list[float]]) -> dict[str, list[float]]:
        return {"minutes": [8.0 + 2.5 * kilometres for kilometres in inputs["kilometres"]]}
