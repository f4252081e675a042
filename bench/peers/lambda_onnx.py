"""The ONNX application behind Mangum."""

from fastapi_onnx import app
from mangum import Mangum

handler = Mangum(app)
