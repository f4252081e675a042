from __future__ import annotations

import pytest

from lastmile_runtime import predictors
from lastmile_runtime.errors import BundleError
from lastmile_runtime.manifest import Version


def test_a_kind_that_is_not_there_is_refused() -> None:
    version = Version("v1", "os", "models/v1/model")
    with pytest.raises(BundleError) as refused:
        predictors.load("model", version)
    assert (
        str(refused.value)
        == "predictor is 'os', but must be one of lightgbm, onnx, pipeline, python, sklearn, trees, xgboost."
    )
