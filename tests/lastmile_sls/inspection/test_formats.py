"""XGBoost, LightGBM and ONNX files; those in files/ were written by xgboost 3.2, lightgbm 4.7 and skl2onnx 1.20."""

from __future__ import annotations

import contextlib
import json
import os
import struct
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection import lightgbm, onnx, ubjson, xgboost
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts
from lastmile_sls.inspection.protobuf import ProtobufError, fields

FILES = Path(__file__).with_name("files")
NAMES = ("age", "height", "weight")


def described(facts: ModelFacts) -> tuple[list[Any], list[Any]]:
    return (
        [(column.name, column.datatype) for column in facts.inputs],
        [(column.name, column.datatype, column.shape) for column in facts.outputs],
    )


def refusal(reader: ModuleType, path: Path) -> str:
    with pytest.raises(LastmileError) as caught:
        reader.read(path)
    return str(caught.value)


# --- XGBoost


@pytest.mark.parametrize("name", ["xgboost_binary.json", "xgboost_binary.ubj"])
def test_an_xgboost_classifier_in_both_formats(name: str) -> None:
    assert xgboost.read(FILES / name) == ModelFacts(
        framework="xgboost",
        framework_version="3.2.0",
        requirements=("xgboost==3.2.0",),
        inputs=tuple(ColumnFacts(column, "FP32") for column in NAMES),
        outputs=(ColumnFacts("predict", "INT64"), ColumnFacts("predict_proba", "FP32", (-1, 2))),
    )


def test_xgboost_without_names_with_classes_and_with_categories() -> None:
    facts = xgboost.read(FILES / "xgboost_multi.ubj")
    assert described(facts) == (
        [("x0", "FP32"), ("x1", "FP32"), ("x2", "FP32")],
        [("predict", "INT64", (-1,)), ("predict_proba", "FP32", (-1, 3))],
    )
    assert not facts.named
    facts = xgboost.read(FILES / "xgboost_regressor.json")
    assert described(facts)[1] == [("predict", "FP32", (-1,))]
    assert facts.inputs[3] == ColumnFacts("c", "INT64")
    assert facts.notes == ("c: categories, which the model takes as the numbers they had in training.",)


_PARAMETERS = {"num_feature": "2", "num_class": "0", "num_target": "1"}
_XGBOOST = {
    "{}": "KeyError 'learner'",
    '{"learner": []}': "TypeError list indices must be integers or slices, not str",
    json.dumps(
        {"learner": {"learner_model_param": {"num_feature": "99999999"}}}
    ): "ValueError num_feature is 99999999, but must be from 1 to 100000",
    json.dumps(
        {"learner": {"learner_model_param": _PARAMETERS, "feature_names": ["a"]}, "version": [1]}
    ): "ValueError it has 1 feature_names, but num_feature is 2",
    json.dumps(
        {
            "learner": {
                "learner_model_param": {**_PARAMETERS, "num_class": "99999999"},
                "objective": {"name": "multi:softprob"},
            },
            "version": [1],
        }
    ): "ValueError num_class is 99999999 and num_target is 1",
    json.dumps(
        {"learner": {"learner_model_param": {"num_feature": 1e999}}}
    ): "OverflowError cannot convert float infinity to integer",
}


@pytest.mark.parametrize(("content", "says"), _XGBOOST.items())
def test_an_xgboost_file_that_lacks_a_part(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(content)
    expected = f"m.json is not a whole XGBoost model: {says}.\nSave it anew: model.save_model(path)"
    assert refusal(xgboost, path) == expected


def test_an_xgboost_file_in_neither_format(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"learner": ')
    assert refusal(xgboost, path).startswith("m.json is neither JSON nor UBJSON: Expecting value")
    path.write_text('{"learner":' + "[" * 100_000)
    assert refusal(xgboost, path).startswith("m.json is neither JSON nor UBJSON: maximum recursion depth")
    path.write_bytes((FILES / "xgboost_binary.ubj").read_bytes()[:900])
    assert refusal(xgboost, path).startswith("m.json is neither JSON nor UBJSON: it ")
    with path.open("wb") as file:
        os.truncate(file.fileno(), xgboost.MAX_BYTES + 1)
    assert (
        refusal(xgboost, path)
        == f"m.json has {xgboost.MAX_BYTES + 1} bytes, but at most {xgboost.MAX_BYTES} are read."
    )


_L = b"L" + struct.pack(">q", 1)
_UBJSON = {
    b"[" * 80: "it is nested more than 64 deep",
    b"[#L" + struct.pack(">q", 1 << 40): "it announces 1099511627776 items, but has 0 bytes left",
    b"[$d#L" + struct.pack(">q", 1 << 40): "it announces 4398046511104 bytes, but has 0 left",
    b"[$d": "it announces a type without a count at byte 3",
    b"SL" + struct.pack(">q", -1): "it has no length at byte 10",
    b"Q": "byte 1 is 'Q', which begins no value",
    b"{" + _L + b"aT" + _L + b"aT}": "it has 'a' twice in one object",
    b"[$Z#L" + struct.pack(">q", 1 << 40): "it announces items of the type 'Z' at byte 13",
    b"d\x00": "it is cut short or garbled near byte 1",
}


@pytest.mark.parametrize(("content", "says"), _UBJSON.items())
def test_ubjson_that_is_cut_short_or_announces_too_much(content: bytes, says: str) -> None:
    with pytest.raises(ubjson.UbjsonError) as caught:
        ubjson.decode(content)
    assert str(caught.value) == says


def test_ubjson_of_every_kind() -> None:
    numbers = b"i\xffU\x01I\x00\x02l\x00\x00\x00\x03d\x3f\x80\x00\x00D\x3f\xf0" + bytes(6)
    assert ubjson.decode(b"[" + numbers + b"TFZNCaSi\x02hi]") == [
        -1, 1, 2, 3, 1.0, 1.0, True, False, None, "a", "hi",
    ]  # fmt: skip
    assert ubjson.decode(b"{#i\x01i\x01aT") == {"a": True}
    assert isinstance(ubjson.decode(b"[$U#i\x02ab"), ubjson.Skipped)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(ubjson.UbjsonError):
        ubjson.decode(content)
    with contextlib.suppress(ProtobufError):
        list(fields(memoryview(content)))


# --- LightGBM

_NOTE = "The file does not say which LightGBM made it. Pin the version under requirements."


def test_a_lightgbm_classifier() -> None:
    assert lightgbm.read(FILES / "lightgbm_binary.txt") == ModelFacts(
        framework="lightgbm",
        requirements=("lightgbm",),
        inputs=tuple(ColumnFacts(column, "FP64") for column in NAMES),
        outputs=(ColumnFacts("predict", "INT64"), ColumnFacts("predict_proba", "FP64", (-1, 2))),
        notes=(_NOTE,),
    )


def test_lightgbm_without_names() -> None:
    multi = lightgbm.read(FILES / "lightgbm_multi.txt")
    assert described(multi) == (
        [("x0", "FP64"), ("x1", "FP64"), ("x2", "FP64")],
        [("predict", "INT64", (-1,)), ("predict_proba", "FP64", (-1, 3))],
    )
    assert not multi.named
    assert described(lightgbm.read(FILES / "lightgbm_regressor.txt"))[1] == [("predict", "FP64", (-1,))]


def test_a_lightgbm_header_that_contradicts_itself(tmp_path: Path) -> None:
    path = tmp_path / "m.txt"
    path.write_text("tree\nmax_feature_idx=4\nfeature_names=a b\n")
    assert refusal(lightgbm, path) == (
        "m.txt is a LightGBM model whose header has 2 feature_names, but max_feature_idx is '4'."
        "\nSave it anew: booster.save_model(path)"
    )


@pytest.mark.parametrize("told", ["x", "-3", "9" * 5000])
def test_a_lightgbm_header_with_classes_that_are_no_number(tmp_path: Path, told: str) -> None:
    path = tmp_path / "m.txt"
    path.write_text(f"tree\nmax_feature_idx=0\nfeature_names=a\nobjective=multiclass\nnum_class={told}\n")
    assert refusal(lightgbm, path) == (
        f"m.txt is a LightGBM model whose num_class is {told!r}, but must be a number."
        "\nSave it anew: booster.save_model(path)"
    )


# --- ONNX


def field(number: int, value: bytes | int) -> bytes:
    """Return one field in protocol buffers' wire format; lengths stay below 128."""
    return (
        bytes([number << 3, value])
        if isinstance(value, int)
        else bytes([number << 3 | 2, len(value)]) + value
    )


def model_with(graph: bytes) -> bytes:
    return field(1, 8) + field(7, graph)


def test_an_onnx_classifier() -> None:
    assert onnx.read(FILES / "sklearn_plain.onnx") == ModelFacts(
        framework="onnx",
        requirements=("onnxruntime",),
        inputs=(ColumnFacts("X", "FP32", (-1, 3)),),
        outputs=(ColumnFacts("label", "INT64"), ColumnFacts("probabilities", "FP32", (-1, 2))),
        notes=("Made by skl2onnx 1.20.0; operator sets: ai.onnx.ml 1, ai.onnx 22, ai.onnx 22.",),
    )


def test_an_onnx_zipmap_becomes_a_matrix() -> None:
    assert described(onnx.read(FILES / "sklearn_zipmap.onnx"))[1] == [
        ("output_label", "INT64", (-1,)),
        ("output_probability", "FP32", (-1, -1)),
    ]


@pytest.mark.parametrize("name", ["sklearn_plain.onnx", "sklearn_zipmap.onnx"])
def test_what_is_read_is_what_onnx_runtime_says(name: str) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(FILES / name, providers=["CPUExecutionProvider"])
    facts = onnx.read(FILES / name)
    assert [column.name for column in facts.inputs] == [tensor.name for tensor in session.get_inputs()]
    assert [column.name for column in facts.outputs] == [tensor.name for tensor in session.get_outputs()]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("location", ["../../etc/passwd", "weights.bin"])
def test_weights_in_other_files_are_refused(tmp_path: Path, location: str, nested: bool) -> None:
    entry = field(1, b"location") + field(2, location.encode())
    tensor = field(8, b"w") + field(13, entry)
    graph = field(5, tensor)
    if nested:
        graph = field(1, field(5, field(6, graph)))
    path = tmp_path / "m.onnx"
    path.write_bytes(model_with(graph))
    assert refusal(onnx, path) == (
        f"m.onnx keeps the tensor 'w' in another file, {location!r}, but a version is one file."
        "\nSave it as one: onnx.save(onnx.load(path), path, save_as_external_data=False)"
    )


_ODD = field(11, field(1, b"x") + field(2, field(1, field(1, 14))))
_UNKNOWN = field(11, field(1, b"x") + field(2, field(8, b"")))
_MAPS = field(12, field(1, b"y") + field(2, field(4, field(1, field(5, b"")))))
_ONNX = {
    field(1, 8): "it has no graph",
    model_with(_ODD): "x has the element type 14, which the Open Inference Protocol has no name for",
    model_with(_UNKNOWN): "x is neither a tensor nor a list of dictionaries of numbers",
    model_with(_MAPS): "y holds dictionaries of no known type",
    field(1, 8) + b"\x3a\x7f": "it is cut short or garbled at byte 4",
    field(1, 8) + b"\xff" * 12: "it is cut short or garbled at byte 2",
}


@pytest.mark.parametrize(("content", "says"), _ONNX.items())
def test_an_onnx_file_that_is_not_whole(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert refusal(onnx, path) == f"m.onnx is not a whole ONNX model: {says}.\nExport it anew."


def test_graphs_in_graphs_have_a_limit(tmp_path: Path) -> None:
    graph = b""
    for _ in range(18):
        graph = field(1, field(5, field(6, graph)))
    path = tmp_path / "m.onnx"
    path.write_bytes(model_with(graph))
    assert refusal(onnx, path).startswith(
        "m.onnx is not a whole ONNX model: it has graphs in graphs, more than 16 deep."
    )


# --- against the frameworks themselves


@pytest.mark.conformance
def test_files_that_xgboost_writes(tmp_path: Path) -> None:
    import numpy as np
    from xgboost import XGBClassifier, XGBRegressor

    x = np.random.default_rng(0).normal(size=(60, 4))
    for suffix in ("json", "ubj"):
        path = tmp_path / f"m.{suffix}"
        XGBClassifier(n_estimators=2).fit(x, np.arange(60) % 3).save_model(path)
        assert described(xgboost.read(path))[1][1] == ("predict_proba", "FP32", (-1, 3))
        XGBRegressor(n_estimators=2).fit(x, x[:, :2]).save_model(path)
        assert described(xgboost.read(path))[1] == [("predict", "FP32", (-1, 2))]


@pytest.mark.conformance
def test_files_that_lightgbm_writes(tmp_path: Path) -> None:
    import numpy as np
    from lightgbm import LGBMClassifier

    x = np.random.default_rng(0).normal(size=(60, 4))
    model = LGBMClassifier(n_estimators=2, verbose=-1).fit(x, np.arange(60) % 2)
    model.booster_.save_model(tmp_path / "m.txt")
    assert described(lightgbm.read(tmp_path / "m.txt"))[1][1] == ("predict_proba", "FP64", (-1, 2))


@pytest.mark.conformance
def test_pickles_of_the_wrappers_are_read(tmp_path: Path) -> None:
    import joblib
    import numpy as np
    from lightgbm import LGBMClassifier
    from xgboost import XGBClassifier

    from lastmile_sls.inspection import sklearn
    from lastmile_sls.inspection.sklearn import check_pickle

    x = np.random.default_rng(0).normal(size=(60, 4))
    for model in (LGBMClassifier(n_estimators=2, verbose=-1), XGBClassifier(n_estimators=2)):
        model.fit(x, np.arange(60) % 2)
        path = tmp_path / "m.joblib"
        joblib.dump(model, path)
        check_pickle(path)
        assert np.array_equal(joblib.load(path).predict_proba(x), model.predict_proba(x))
        assert described(sklearn.read(path))[1] == [
            ("predict", "INT64", (-1,)),
            ("predict_proba", "FP64", (-1, 2)),
        ]


@pytest.mark.conformance
def test_files_that_skl2onnx_writes(tmp_path: Path) -> None:
    import numpy as np
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    x = np.random.default_rng(0).normal(size=(60, 4)).astype("f4")
    model = RandomForestClassifier(3).fit(x, np.arange(60) % 3)
    (tmp_path / "m.onnx").write_bytes(to_onnx(model, x[:1], options={"zipmap": False}).SerializeToString())
    assert described(onnx.read(tmp_path / "m.onnx"))[1][1] == ("probabilities", "FP32", (-1, 3))
