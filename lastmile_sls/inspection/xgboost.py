"""What an XGBoost model says about itself, in JSON or UBJSON; XGBoost is not imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection import ubjson
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts, numbered_columns

NAME = "xgboost"
LABEL = "XGBoost (.json, .ubj)"

_LEARNER = b"learner"


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is an XGBoost model: an object whose first key is `learner`."""
    return head.startswith(b"{") and (_LEARNER in head[:40] or path.suffix == ".ubj")


def read(path: Path, *, trust: bool = False) -> ModelFacts:
    """Return what the model says. Raises LastmileError when it is not one that XGBoost 1.7 or later wrote."""
    document = _document(path)
    try:
        learner, version = document["learner"], document["version"]
        parameters = learner["learner_model_param"]
        count, classes = int(parameters["num_feature"]), int(parameters["num_class"])
        targets = int(parameters.get("num_target", "1"))
        objective = str(learner["objective"]["name"])
        names = learner.get("feature_names") or []
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, f"{error} is missing") from error
    columns = tuple(ColumnFacts(str(name), "FP32") for name in names) or numbered_columns(count, "FP32")
    made_with = ".".join(str(part) for part in version)
    return ModelFacts(
        framework=NAME,
        framework_version=made_with,
        requirements=(f"xgboost=={made_with}",),
        inputs=columns,
        outputs=_outputs(objective, classes, targets),
        named=bool(names),
    )


def _outputs(objective: str, classes: int, targets: int) -> tuple[ColumnFacts, ...]:
    if objective in ("binary:logistic", "multi:softprob"):
        return (ColumnFacts("predict", "INT64"), ColumnFacts("predict_proba", "FP32", (-1, max(classes, 2))))
    return (ColumnFacts("predict", "FP32", (-1, targets) if targets > 1 else (-1,)),)


def _document(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    try:
        # In JSON a quote follows the brace; in UBJSON, a length or a marker.
        is_json = content[1:].lstrip()[:1] == b'"'
        document = json.loads(content) if is_json else ubjson.loads(content)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(document, dict):
        raise _unreadable(path, "it is no object")
    return document


def _unreadable(path: Path, reason: str) -> LastmileError:
    return LastmileError(
        f"{path.name} is not a model that XGBoost 1.7 or later wrote: {reason}.",
        "Save it anew: booster.save_model('model.ubj')",
    )
