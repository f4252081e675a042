"""What people deploy to Lambda: the same application behind Mangum."""

from fastapi_sklearn import app
from mangum import Mangum

handler = Mangum(app)
