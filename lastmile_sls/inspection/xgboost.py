"""What an XGBoost model says about itself, in its JSON or UBJSON file. XGBoost itself is not imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts, numbered_columns
from lastmile_sls.inspection.ubjson import UbjsonError, decode

NAME = "xgboost"
LABEL = "XGBoost (JSON or UBJSON)"

MAX_BYTES = 1 << 30
_HEAD_CHARACTERS = 32
_MAX_COLUMNS = 100_000
_MAX_CLASSES = 1_000_000
_DATATYPES = {"int": "INT64", "i": "BOOL", "c": "INT64"}
"""XGBoost's types of features; float and q (quantitative) are FP32, c is a category's code."""


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is an XGBoost model: an object whose first member is one of the model's two."""
    text = head.lstrip()[:_HEAD_CHARACTERS]
    if not text.startswith(b"{"):
        return False
    return b"learner" in text or (path.suffix in (".json", ".ubj") and b"version" in text)


def read(path: Path, *, trust: bool = False) -> ModelFacts:
    """Return what the file says. Raises LastmileError when it is no whole XGBoost model."""
    document = _document(path)
    try:
        return _describe(document)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise LastmileError(
            f"{path.name} is not a whole XGBoost model: {type(error).__name__} {error}.",
            "Save it anew: model.save_model(path)",
        ) from error


def _document(path: Path) -> Any:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise LastmileError(f"{path.name} has {size} bytes, but at most {MAX_BYTES} are read.")
    content = path.read_bytes()
    try:
        return json.loads(content) if content.lstrip()[:2] in (b'{"', b"{\n", b"{ ") else decode(content)
    except (UbjsonError, ValueError, RecursionError) as error:
        raise LastmileError(
            f"{path.name} is neither JSON nor UBJSON: {error}.", "Save it anew: model.save_model(path)"
        ) from error


def _describe(document: Any) -> ModelFacts:
    learner = document["learner"]
    count = int(learner["learner_model_param"]["num_feature"])
    if not 0 < count <= _MAX_COLUMNS:
        raise ValueError(f"num_feature is {count}, but must be from 1 to {_MAX_COLUMNS}")
    names, types = learner.get("feature_names") or [], learner.get("feature_types") or []
    version = ".".join(str(int(part)) for part in document["version"])
    columns = (
        numbered_columns(count, "FP32")
        if not names
        else tuple(ColumnFacts(str(name), "FP32") for name in names)
    )
    if len(columns) != count:
        raise ValueError(f"it has {len(names)} feature_names, but num_feature is {count}")
    typed = zip(columns, types or ["float"] * count, strict=True)
    return ModelFacts(
        framework=NAME,
        framework_version=version,
        requirements=(f"xgboost=={version}",),
        inputs=tuple(ColumnFacts(column.name, _DATATYPES.get(kind, "FP32")) for column, kind in typed),
        outputs=_outputs(learner),
        named=bool(names),
        notes=tuple(_notes(columns, types)),
    )


def _outputs(learner: dict[str, Any]) -> tuple[ColumnFacts, ...]:
    objective = learner["objective"]["name"]
    classes, targets = (
        int(learner["learner_model_param"].get(key, 0)) for key in ("num_class", "num_target")
    )
    if classes > _MAX_CLASSES or targets > _MAX_CLASSES:
        raise ValueError(f"num_class is {classes} and num_target is {targets}")
    if objective in ("binary:logistic", "multi:softprob"):
        shape = (-1, max(classes, 2))
        return (ColumnFacts("predict", "INT64"), ColumnFacts("predict_proba", "FP32", shape))
    return (ColumnFacts("predict", "FP32", (-1, targets) if targets > 1 else (-1,)),)


def _notes(columns: tuple[ColumnFacts, ...], types: list[str]) -> list[str]:
    coded = [column.name for column, kind in zip(columns, types, strict=False) if kind == "c"]
    if not coded:
        return []
    return [f"{', '.join(coded)}: categories, which the model takes as the numbers they had in training."]
