"""FastAPI around a model that costs nothing."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Row(BaseModel):
    features: list[float]


@app.post("/predict")
def predict(row: Row):
    return {"total": sum(row.features)}
