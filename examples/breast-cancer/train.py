"""Trains the champion and the challenger on scikit-learn's bundled Wisconsin data, and keeps a held-out split.

Writes models/champion.joblib, models/challenger.joblib and models/held_out.csv beside this file.
"""

from __future__ import annotations

import csv
from pathlib import Path

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).parent / "models"


def main() -> None:
    data = load_breast_cancer()
    x_train, x_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.2, stratify=data.target, random_state=0
    )
    champion = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    challenger = GradientBoostingClassifier(n_estimators=200, max_depth=3, random_state=0)
    FOLDER.mkdir(exist_ok=True)
    for name, model in (("champion", champion), ("challenger", challenger)):
        model.fit(x_train, y_train)
        joblib.dump(model, FOLDER / f"{name}.joblib")
        print(
            f"{name}: {type(model).__name__}, accuracy on the held-out split {model.score(x_test, y_test):.3f}"
        )
    with (FOLDER / "held_out.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*data.feature_names, "target"])
        writer.writerows([*row, label] for row, label in zip(x_test, y_test, strict=True))


if __name__ == "__main__":
    main()
