"""Writes the models that `mlflow models serve` serves: `python mlflow_save.py MODEL.joblib FOLDER`."""

import sys
from pathlib import Path

import joblib
import mlflow


class Total(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input.sum(axis=1)


def main(model: Path, folder: Path) -> None:
    estimator = joblib.load(model)
    # mlflow refuses pickles of types that it was not told of; joblib's own format is what the peers load too.
    mlflow.sklearn.save_model(
        estimator, folder / "sklearn", serialization_format="cloudpickle", pyfunc_predict_fn="predict_proba"
    )
    mlflow.pyfunc.save_model(folder / "noop", python_model=Total())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
