"""An XGBoost booster, as `save_model` wrote it (JSON or UBJSON)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost

from lastmile_runtime.predictors.arrays import from_array, to_matrix
from lastmile_runtime.tensors import Tensor

if TYPE_CHECKING:
    from lastmile_runtime.manifest import Version
    from lastmile_runtime.predictors import Predict


def load(path: str, version: Version) -> Predict:
    """Load the booster. Classifiers give the class's number as `predict`, and `predict_proba` where they know it."""
    booster = xgboost.Booster()
    booster.load_model(path)
    booster.set_param({"nthread": 1})
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    # As XGBoost's own scikit-learn wrapper does: a model that stopped early answers with its best round.
    best = booster.attr("best_iteration")
    rounds = (0, int(best) + 1) if best is not None else (0, 0)

    def predict(inputs: list[Tensor]) -> list[Tensor]:
        values = to_matrix(inputs, version, np.float32)
        raw = booster.inplace_predict(values, iteration_range=rounds, validate_features=False)
        return _outputs(objective, raw)

    return predict


def _outputs(objective: str, raw: Any) -> list[Tensor]:
    match objective:
        case "binary:logistic":
            proba = np.column_stack([1 - raw, raw])
        case "multi:softprob":
            proba = raw
        case "binary:hinge" | "multi:softmax":
            return [from_array("predict", raw.astype(np.int64))]
        case _:
            return [from_array("predict", raw)]
    return [from_array("predict", proba.argmax(axis=1)), from_array("predict_proba", proba)]
