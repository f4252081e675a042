"""Trains the one model that every entry serves; run by the environment `train`: `python train.py FOLDER`.

Gradient boosting of 200 trees of depth 4 over 30 float32 features, as joblib writes it and as ONNX, with one held-out
row and what the model itself says of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import joblib
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
    # A row that is hard to tell: whoever answers a constant, or another row's class, is not taken for right.
    row = held_out[int(np.abs(model.predict_proba(held_out)[:, 1] - 0.5).argmin())]
    facts = {
        "row": row.tolist(),
        "probability": float(model.predict_proba([row])[0, 1]),
        "minimum": float(data.min()),
        "maximum": float(data.max()),
        "input": onnx.graph.input[0].name,
        "outputs": [output.name for output in onnx.graph.output],
    }
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
