"""Reads scikit-learn's transformers of what may be missing or text: SimpleImputer, OneHotEncoder, OrdinalEncoder."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, isnan, nan
from typing import Any

from lastmile_sls.compile.not_carried import NotCarried
from lastmile_sls.compile.pipeline import Categories, Impute, OneHot, Ordinal, Value
from lastmile_sls.compile.readers.row import Row, beside, computed
from lastmile_sls.compile.readers.sklearn_steps import Read

_NONE = -1.0


def _simple_imputer(estimator: Any, row: Row) -> Read:
    missing = estimator.missing_values
    if hasattr(missing, "item"):
        missing = missing.item()
    if type(missing) not in (int, float, str):
        raise NotCarried("SimpleImputer missing_values", repr(missing))
    statistics = [_plain(value) for value in estimator.statistics_.tolist()]
    keep = None
    if not estimator.keep_empty_features:
        keep = [place for place, value in enumerate(statistics) if not _is_nan(value)]
        keep = None if len(keep) == len(statistics) else keep
    indicators = estimator.indicator_.features_.tolist() if estimator.add_indicator else []
    mixed = estimator._fit_dtype.kind == "O"
    check = [] if mixed else row.check("SimpleImputer", "infinite" if _is_nan(missing) else "not_finite")
    remaining = row if keep is None else row.take(keep)
    if estimator.strategy in ("mean", "median"):
        remaining = remaining.as_numbers()
    steps = [*check, Impute(missing, statistics, keep, indicators)]
    return steps, beside([remaining, computed(len(indicators), finite=True)]) if indicators else remaining


def _one_hot_encoder(estimator: Any, row: Row) -> Read:
    _require_float64(estimator)
    columns = []
    start = 0
    for place, categories in enumerate(estimator.categories_):
        groups, infrequent = _groups(estimator, place, len(categories))
        dropped = _dropped(estimator, place)
        codes = [_place(group, dropped, start) for group in groups]
        unknown: float | None = _NONE
        if estimator.handle_unknown == "error":
            unknown = None
        elif estimator.handle_unknown != "ignore" and infrequent is not None:
            unknown = _place(infrequent, dropped, start)
        columns.append(_categories(row.origins[place], categories.tolist(), codes, unknown))
        start += len(set(groups)) - (dropped is not None)
    sparse = bool(estimator.sparse_output)
    return [OneHot(columns, start)], computed(start, finite=True, sparse=sparse)


def _ordinal_encoder(estimator: Any, row: Row) -> Read:
    _require_float64(estimator)
    columns = []
    for place, categories in enumerate(estimator.categories_):
        groups, _ = _groups(estimator, place, len(categories))
        codes = [float(group) for group in groups]
        at = estimator._missing_indices.get(place)
        if at is not None:
            codes[at] = float(estimator.encoded_missing_value)
        unknown = None if estimator.handle_unknown == "error" else float(estimator.unknown_value)
        columns.append(_categories(row.origins[place], categories.tolist(), codes, unknown))
    numbers = [code for known in columns for code in (*known.codes, known.missing, known.unknown)]
    finite = all(number is None or isfinite(number) for number in numbers)
    return [Ordinal(columns)], row.as_numbers(finite=finite)


def _groups(estimator: Any, place: int, count: int) -> tuple[list[int], int | None]:
    """Return the group that each category of a column is in, and the group of the infrequent ones."""
    mapping = estimator._default_to_infrequent_mappings[place] if estimator._infrequent_enabled else None
    if mapping is None:
        return list(range(count)), None
    groups = [int(group) for group in mapping]
    missing = getattr(estimator, "_missing_indices", {}).get(place)
    if missing is not None:
        groups = [*groups[:missing], missing, *groups[missing + 1 :]]
    return groups, int(mapping[estimator._infrequent_indices[place][0]])


def _dropped(estimator: Any, place: int) -> int | None:
    dropped = estimator._drop_idx_after_grouping
    return None if dropped is None or dropped[place] is None else int(dropped[place])


def _place(group: int, dropped: int | None, start: int) -> float:
    if group == dropped:
        return _NONE
    return float(start + group - (dropped is not None and group > dropped))


def _categories(origin: int, found: list[Any], codes: list[float], unknown: float | None) -> Categories:
    """Return what an encoder knows of a column. None is left out: no request can hold it."""
    known = [(value, code) for value, code in zip(found, codes, strict=True) if value is not None]
    missing = next((code for value, code in known if _is_nan(value)), None)
    present = [(_plain(value), code) for value, code in known if not _is_nan(value)]
    values, kept = [value for value, _ in present], [code for _, code in present]
    return Categories(origin, values, kept, missing, unknown)


def _plain(value: Any) -> Value:
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "item"):
        value = value.item()
    if type(value) in (bool, int, float):
        plain: Value = value
        return plain
    if value is None:
        return nan
    raise NotCarried("encoder category", repr(value))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and isnan(value)


def _require_float64(estimator: Any) -> None:
    import numpy as np

    if np.dtype(estimator.dtype) != np.float64:
        raise NotCarried("encoder dtype", np.dtype(estimator.dtype).name)


ENCODERS: dict[str, Callable[[Any, Row], Read]] = {
    "SimpleImputer": _simple_imputer,
    "OneHotEncoder": _one_hot_encoder,
    "OrdinalEncoder": _ordinal_encoder,
}
