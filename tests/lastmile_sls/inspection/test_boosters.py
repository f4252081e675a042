from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from lastmile_sls.inspection.boosters import STAND_INS, Booster, LightgbmBooster, XgboostBooster
from lastmile_sls.inspection.globals import CALLS, CLASSES, VALUES
from lastmile_sls.inspection.refused import RefusedPickleError
from lastmile_sls.inspection.sklearn import read

FILES = Path(__file__).with_name("files")
TABLE = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
XGBOOST = b"{L" + struct.pack(">q", 5) + b"Model" + (FILES / "xgboost_binary.ubj").read_bytes() + b"}"
LIGHTGBM = (FILES / "lightgbm_binary.txt").read_text()


def given(kind: type[Booster], state: Any) -> Any:
    booster = kind()
    booster.__setstate__(state)
    return booster


def test_they_know_the_columns() -> None:
    booster = given(XgboostBooster, {"handle": bytearray(XGBOOST)})
    assert (booster.num_features(), booster.feature_names) == (3, ["age", "height", "weight"])
    for name in ("handle", "_handle"):
        assert given(LightgbmBooster, {name: LIGHTGBM}).feature_name() == ["age", "height", "weight"]


@pytest.mark.parametrize(
    ("kind", "state", "says"),
    [
        (XgboostBooster, {}, "KeyError 'handle'"),
        (XgboostBooster, {"handle": None}, "TypeError memoryview: a bytes-like object is required, not 'NoneType'"),
        (XgboostBooster, {"handle": XGBOOST[:400]}, "UbjsonError it announces 10 bytes, but has 1 left"),
        (LightgbmBooster, {"handle": "tree\n"}, "KeyError 'feature_names'"),
        (LightgbmBooster, {"handle": 3}, "AttributeError 'int' object has no attribute 'split'"),
        (LightgbmBooster, [], "TypeError list indices must be integers or slices, not str"),
    ],
)  # fmt: skip
def test_a_booster_that_is_not_whole(kind: type[Booster], state: Any, says: str) -> None:
    with pytest.raises(RefusedPickleError) as refused:
        given(kind, state)
    assert (str(refused.value), refused.value.hint) == (
        f"it holds a booster that is not whole ({says})",
        "Save the model again.",
    )


def test_the_libraries_own_boosters_are_never_made() -> None:
    assert not STAND_INS.keys() & {*CALLS, *CLASSES, *VALUES}


def estimators() -> list[Any]:
    xgboost, lightgbm = pytest.importorskip("xgboost"), pytest.importorskip("lightgbm")
    small: dict[str, Any] = {"n_estimators": 2, "n_jobs": 1}
    return [
        xgboost.XGBClassifier(**small),
        xgboost.XGBRegressor(**small),
        lightgbm.LGBMClassifier(**small, verbose=-1),
        lightgbm.LGBMRegressor(**small, verbose=-1),
    ]


@pytest.mark.parametrize("rows", [TABLE, TABLE.to_numpy()], ids=["names", "numbers"])
def test_an_estimator_is_described_as_with_the_librarys_own(tmp_path: Path, rows: Any) -> None:
    path = tmp_path / "model.joblib"
    for estimator in estimators():
        estimator.fit(rows, TABLE["a"] > 0)
        for protocol in (2, 5):
            joblib.dump(estimator, path, protocol=protocol)
            checked, trusted = read(path), read(path, trust=True)
            assert (checked.inputs, checked.outputs, checked.named) == (
                trusted.inputs,
                trusted.outputs,
                trusted.named,
            )
