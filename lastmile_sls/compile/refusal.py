"""What no reader carries, each with its reason: such a model is served by its own library, never by a wrong forest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from lastmile_sls.errors import LastmileError

REFUSALS = {
    "estimator": "only the ensembles of trees that the readers name are read, not what is built around them or derives "
    "from them",
    "output": "the readers carry what trees predict: predict, predict_proba, and decision_function and score_samples "
    "where scikit-learn has them",
    "numbers": "thresholds may be infinite, but what leaves and base scores add up must be finite",
    "classifier with several outputs": "a forest decides on one class per row",
    "GradientBoosting init": "only `zero` and dummy estimators give every row the same start",
    "GradientBoosting loss": "the link of a loss that scikit-learn does not name is unknown",
    "HistGradientBoosting loss": "the link of a loss that scikit-learn does not name is unknown",
    "HistGradientBoosting categories": "categories must be whole numbers from 0 to 16777215",
    "XGBoost version": "models from before 2.0 treat base scores and categories in other ways",
    "XGBoost booster": "only gbtree and dart have trees",
    "XGBoost multi_strategy": "leaves of multi_output_tree are stored differently by each version",
    "XGBoost objective": "how this objective turns sums into predictions is not carried",
    "XGBoost targets": "classifying several targets at once leaves one class per row undefined",
    "XGBClassifier objective": "only binary:logistic, multi:softprob and multi:softmax give this class probabilities",
    "LightGBM linear_tree": "its leaves are linear models, not numbers",
    "LightGBM objective": "how this objective turns sums into predictions is not carried",
    "LightGBM categories": "categories must be at most 16777215",
    "LightGBM pred_early_stop": "it leaves trees out, row by row",
    "LGBMClassifier objective": "only binary, multiclass and multiclassova give this class probabilities",
}
"""Each option, and why it is refused. docs/compiled-models.md lists them."""


class CannotCompile(LastmileError):
    """A model that no reader carries. `option` is one of `refusals`."""

    refusals: ClassVar[Mapping[str, str]] = REFUSALS

    def __init__(self, option: str, found: object) -> None:
        self.option = option
        self.why = f"{option} is {found}, but {self.refusals[option]}"
        super().__init__(
            f"the model cannot be compiled: {self.why}.",
            "It keeps its own library; predictions stay the same.",
        )
