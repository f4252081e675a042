"""What people write who mind the size: the ONNX model in FastAPI."""

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
app = FastAPI()


class Row(BaseModel):
    features: list[float]


@app.post("/predict")
def predict(row: Row):
    _, probabilities = session.run(None, {name: np.array([row.features], dtype=np.float32)})
    return {"probability": probabilities[0].tolist()}
