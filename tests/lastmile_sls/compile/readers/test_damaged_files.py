from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lastmile_sls.compile import readers
from lastmile_sls.compile.forest_file import render
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
        "cat_l2": 0,
        "max_cat_to_onehot": 1,
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
            forest = readers.read_file(path, "lightgbm" if kind == "txt" else "xgboost")
        except LastmileError as error:
            outcomes[type(error)] += 1
        else:
            assert render(forest)
            outcomes["read"] += 1
    assert outcomes[LastmileError] > 20
    assert outcomes["read"] > 0


def first_tree(document: Any) -> Any:
    return document["learner"]["gradient_booster"]["gbtree"]["model"]["trees"][0]


CONTRADICTIONS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "more outputs than there can be": (
        "ValueError it has 1000000000 outputs, but at most 65535 are read.",
        lambda document: document["learner"]["learner_model_param"].update(num_class="1000000000"),
    ),
    "outputs that its objective does not have": (
        "the forest cannot be written: outputs is 3, but must be 1 with the transform binary_sigmoid.",
        lambda document: document["learner"]["learner_model_param"].update(num_class="3"),
    ),
    "a feature that is no whole number": (
        "TypeError 'float' object cannot be interpreted as an integer.",
        lambda document: first_tree(document)["split_indices"].__setitem__(0, 1.5),
    ),
    "a feature that there is not": (
        "the forest cannot be written: tree 0, node 0: its feature is 7, but there are 3.",
        lambda document: first_tree(document)["split_indices"].__setitem__(0, 7),
    ),
    "categories that are several splits'": (
        "ValueError its splits have 1000000 categories, but it has 4.",
        lambda document: first_tree(document).update(
            categories=[1, 2, 3, 4],
            categories_nodes=[0],
            categories_segments=[0],
            categories_sizes=[1_000_000],
        ),
    ),
    "less than no categories": (
        "ValueError its splits have -1 categories, but it has 4.",
        lambda document: first_tree(document).update(
            categories=[1, 2, 3, 4], categories_nodes=[0], categories_segments=[0], categories_sizes=[-1]
        ),
    ),
    "a category that is text": (
        "TypeError 'str' object cannot be interpreted as an integer.",
        lambda document: first_tree(document)["categories"].__setitem__(0, "a"),
    ),
}


@pytest.mark.parametrize(("says", "change"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_an_xgboost_file_that_contradicts_itself(
    tmp_path: Path, says: str, change: Callable[[Any], object]
) -> None:
    document = json.loads(xgboost_file("json"))
    change(document)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document))
    with pytest.raises(LastmileError) as refused:
        readers.read_file(path, "xgboost")
    assert (refused.value.message, refused.value.hint) == (
        f"model.json is not a whole model: {says}",
        "Save it anew with the library's save_model.",
    )


@pytest.mark.parametrize(
    ("line", "changed", "says"),
    [
        (
            "num_tree_per_iteration=1",
            "num_tree_per_iteration=1000000000",
            "ValueError it has 1000000000 outputs, but at most 65535 are read.",
        ),
        (
            "max_feature_idx=2",
            "max_feature_idx=-1",
            "the forest cannot be written: features is 0, but must be from 1 to 16777215.",
        ),
        ("cat_boundaries=0 1", "cat_boundaries=9 1", "ValueError its cat_boundaries go from 9 back to 1."),
        ("cat_boundaries=0 1", "cat_boundaries=0", "KeyError 0."),
    ],
)
def test_a_lightgbm_file_that_contradicts_itself(tmp_path: Path, line: str, changed: str, says: str) -> None:
    path, text = tmp_path / "model.txt", lightgbm_file().decode()
    assert line in text
    path.write_text(text.replace(line, changed))
    with pytest.raises(LastmileError) as refused:
        readers.read_file(path, "lightgbm")
    assert refused.value.message == f"model.txt is not a whole model: {says}"
