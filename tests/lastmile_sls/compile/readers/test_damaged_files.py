from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lastmile_sls.compile import readers
from lastmile_sls.compile.forest_file import ForestError, render
from lastmile_sls.errors import LastmileError

X = np.random.default_rng(0).normal(size=(80, 3))
X[:, 2] = np.random.default_rng(1).integers(0, 9, 80)
Y = (X[:, 0] + (X[:, 2] > 4) > 0.5).astype(int)
NOISE = b'0123456789-,.[]{}"eE \n=:nNaIf\0\xff'


def xgboost_file(suffix: str) -> bytes:
    xgboost = pytest.importorskip("xgboost")
    types = ["float", "float", "c"]
    data = xgboost.DMatrix(X, Y, feature_types=types, enable_categorical=True)
    return bytes(xgboost.train({"objective": "binary:logistic", "booster": "dart"}, data, 2).save_raw(suffix))


def lightgbm_file() -> bytes:
    lightgbm = pytest.importorskip("lightgbm")
    options = {
        "objective": "binary",
        "num_leaves": 5,
        "verbose": -1,
        "cat_smooth": 0,
        "min_data_per_group": 1,
    }
    text: str = lightgbm.train(options, lightgbm.Dataset(X, Y, categorical_feature=[2]), 2).model_to_string()
    return text.split("feature_importances", maxsplit=1)[0].encode()


def damaged(content: bytes, source: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(source.choice([1, 1, 3])):
        at = source.randrange(len(changed))
        match source.randrange(3):
            case 0:
                changed[at] = source.choice(NOISE)
            case 1:
                del changed[at : at + source.choice([1, 10])]
            case _:
                changed.insert(at, source.choice(NOISE))
    return bytes(changed)


@pytest.mark.parametrize("kind", ["json", "ubj", "txt"])
def test_a_damaged_file_is_read_or_refused_and_breaks_nothing(tmp_path: Path, kind: str) -> None:
    content, source = lightgbm_file() if kind == "txt" else xgboost_file(kind), random.Random(kind)
    path, outcomes = tmp_path / f"model.{kind}", Counter[Any]()
    for _ in range(150):
        path.write_bytes(damaged(content, source))
        try:
            render(readers.read_file(path, "lightgbm" if kind == "txt" else "xgboost"))
        except (LastmileError, ForestError) as error:
            outcomes[type(error)] += 1
        else:
            outcomes["read"] += 1
    assert outcomes[LastmileError] > 20
    assert outcomes["read"] > 0
