"""Trains the models that the entries serve; run by the environment `train`: `python train.py FOLDER`.

Over 30 float32 features: gradient boosting of 200 trees of depth 4, as joblib writes it and as ONNX, and a LightGBM
booster of 500 trees, as text; with one held-out row and what each model itself says of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import joblib
import lightgbm
import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split


def main(folder: Path) -> None:
    data, target = load_breast_cancer(return_X_y=True)
    data = data.astype(np.float32)
    train, held_out, classes, _ = train_test_split(data, target, random_state=0, stratify=target)
    model = GradientBoostingClassifier(n_estimators=200, max_depth=4, random_state=0).fit(train, classes)
    joblib.dump(model, folder / "model.joblib")
    onnx = to_onnx(model, train[:1], options={id(model): {"zipmap": False}})
    (folder / "model.onnx").write_bytes(onnx.SerializeToString())
    booster = lightgbm.LGBMClassifier(n_estimators=500, min_child_samples=2, learning_rate=0.02, verbose=-1)
    booster.fit(train, classes)
    booster.booster_.save_model(folder / "model.txt")
    # A row that is hard to tell: whoever answers a constant, or another row's class, is not taken for right.
    row = held_out[int(np.abs(model.predict_proba(held_out)[:, 1] - 0.5).argmin())]
    facts = {
        "row": row.tolist(),
        "probability": float(model.predict_proba([row])[0, 1]),
        "booster_probability": float(booster.predict_proba([row])[0, 1]),
        "minimum": float(data.min()),
        "maximum": float(data.max()),
        "input": onnx.graph.input[0].name,
        "outputs": [output.name for output in onnx.graph.output],
    }
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
