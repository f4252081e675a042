"""The estimator in BentoML."""

import os

import bentoml
import joblib


@bentoml.service
class Classifier:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["BENCH_MODEL"])

    @bentoml.api
    def predict(self, features: list[float]) -> list[float]:
        return self.model.predict_proba([features])[0].tolist()
