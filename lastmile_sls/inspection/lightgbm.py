"""What a LightGBM model says about itself, in the header of its text file."""

from __future__ import annotations

import re
from pathlib import Path

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts, numbered_columns

NAME = "lightgbm"
LABEL = "LightGBM (text)"

_HEADER_BYTES = 4 << 20
_NUMBER = re.compile("[0-9]{1,9}")
_PROBABILITIES = ("binary", "multiclass", "multiclassova", "cross_entropy")


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether a file is a LightGBM text model, by its first line."""
    return head.startswith((b"tree\n", b"tree\r\n"))


def read(path: Path, *, trust: bool = False) -> ModelFacts:
    """Return what the header says. Raises LastmileError when it says not enough."""
    header = _header(path)
    names = header.get("feature_names", "").split()
    count = header.get("max_feature_idx", "")
    if not names or count != str(len(names) - 1):
        raise LastmileError(
            f"{path.name} is a LightGBM model whose header has {len(names)} feature_names, "
            f"but max_feature_idx is {count!r}.",
            "Save it anew: booster.save_model(path)",
        )
    generated = all(name == f"Column_{index}" for index, name in enumerate(names))
    columns = (
        numbered_columns(len(names)) if generated else tuple(ColumnFacts(name, "FP64") for name in names)
    )
    return ModelFacts(
        framework=NAME,
        requirements=("lightgbm",),
        inputs=columns,
        outputs=_outputs(path, header),
        named=not generated,
        notes=("The file does not say which LightGBM made it. Pin the version under requirements.",),
    )


def _header(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return header_of(file.read(_HEADER_BYTES).decode("utf-8", errors="replace"))


def header_of(text: str) -> dict[str, str]:
    """Return the fields before the first tree of a model's text."""
    lines = text.split("\nTree=", 1)[0].splitlines()
    return {key: value for key, found, value in (line.partition("=") for line in lines) if found}


def _outputs(path: Path, header: dict[str, str]) -> tuple[ColumnFacts, ...]:
    objective = (header.get("objective", "").split() or [""])[0]
    told = header.get("num_class") or "1"
    if not _NUMBER.fullmatch(told):
        raise LastmileError(
            f"{path.name} is a LightGBM model whose num_class is {told!r}, but must be a number.",
            "Save it anew: booster.save_model(path)",
        )
    if objective in _PROBABILITIES:
        shape = (-1, max(int(told), 2))
        return (ColumnFacts("predict", "INT64"), ColumnFacts("predict_proba", "FP64", shape))
    return (ColumnFacts("predict", "FP64"),)
