"""Stand for XGBoost's and LightGBM's boosters in a pickle: the libraries' own readers are native code, which bytes that
are not a whole model can crash. They know what an estimator asks its booster for while it is described.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lastmile_sls.inspection import lightgbm, ubjson
from lastmile_sls.inspection.refused import RefusedPickleError


class Booster:
    """What both have: a model in a state, which is read as the file would be."""

    def __setstate__(self, state: Any) -> None:
        try:
            self._read(state)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            told = f"{type(error).__name__} {error}"
            raise RefusedPickleError(f"it holds a booster that is not whole ({told})", _SAVE) from error

    def _read(self, state: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def predict(self, *arguments: Any) -> Any:
        """Only say that there is such a method: the library's own predicts."""
        raise NotImplementedError


class XgboostBooster(Booster):
    """Knows the columns of `xgboost.core.Booster`."""

    def _read(self, state: Mapping[str, Any]) -> None:
        learner = ubjson.decode(bytes(memoryview(state["handle"])))["Model"]["learner"]
        self._count = int(learner["learner_model_param"]["num_feature"])
        self.feature_names = learner.get("feature_names") or None

    def num_features(self) -> int:
        """Return how many columns the model takes."""
        return self._count


class LightgbmBooster(Booster):
    """Knows the columns of `lightgbm.basic.Booster`."""

    def _read(self, state: Mapping[str, Any]) -> None:
        text = state["_handle"] if "_handle" in state else state["handle"]
        self._names = lightgbm.header_of(text)["feature_names"].split()

    def feature_name(self) -> list[str]:
        """Return the names of the columns."""
        return self._names


_SAVE = "Save the model again."
STAND_INS: dict[tuple[str, str], type[Booster]] = {
    ("xgboost.core", "Booster"): XgboostBooster,
    ("lightgbm.basic", "Booster"): LightgbmBooster,
}
"""By the pair that a pickle names."""
