from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from lastmile_runtime.manifest import Version
from lastmile_runtime.predictors.onnx import load
from lastmile_runtime.predictors.onnx_mark import OPTIMIZED, is_optimized
from lastmile_sls.compile import onnx_optimize
from lastmile_sls.compile.onnx_external import external_files
from lastmile_sls.compile.onnx_optimize import optimize
from lastmile_sls.errors import LastmileError
from tests.lastmile_runtime.predictors.calls import ask, matrix
from tests.lastmile_runtime.predictors.onnx_file import FLOAT, Array, linear, model, node, weights

WEIGHTS = np.array([10, 100], dtype=np.float32).tobytes()


def external(location: str, offset: str = "0", length: str = "8") -> bytes:
    """The weights (10, 100) of the shape [2, 1], in another file."""
    entries = {"location": location, "offset": offset, "length": length}
    pairs = b"".join(
        _field(13, _field(1, key.encode()) + _field(2, value.encode())) for key, value in entries.items()
    )
    return b"\x08\x02\x08\x01\x10\x01" + _field(8, b"w") + pairs + b"\x70\x01"


def _field(number: int, content: bytes) -> bytes:
    length = len(content)
    assert length < 1 << 14
    return (
        bytes([number << 3 | 2, *([length] if length < 128 else [length & 127 | 128, length >> 7])]) + content
    )


def with_weights_in(location: str, **more: str) -> bytes:
    return model(
        [node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "one"], ["y"])],
        [Array("x", FLOAT, (-1, 2))],
        [Array("y", FLOAT, (-1, 1))],
        (external(location, **more), weights("one", (1,), [1])),
    )


def written(folder: Path, content: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return path


def predicted(path: Path) -> Any:
    predict = load(str(path), Version("v1", "onnx", path.name))
    return ask(predict, matrix([[1, 2], [3, 4]], "x"))


def operators(path: Path) -> str:
    return path.read_bytes().decode("latin-1")


@pytest.mark.parametrize("level", ["basic", "extended"])
def test_an_optimised_model_answers_the_same(tmp_path: Path, level: Any) -> None:
    path, optimised = written(tmp_path, linear()), tmp_path / "optimised.onnx"
    assert optimize(path, optimised, level) == [optimised]
    assert predicted(optimised) == predicted(path) == {"y": ("FP32", [2, 1], [211.0, 431.0])}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model.onnx", "optimised.onnx"]


def test_constants_are_folded_before_it_is_shipped(tmp_path: Path) -> None:
    nodes = [node("Add", ["w", "w"], ["twice"]), node("MatMul", ["x", "twice"], ["y"])]
    content = model(
        nodes, [Array("x", FLOAT, (-1, 2))], [Array("y", FLOAT, (-1, 1))], (weights("w", (2, 1), [5, 50]),)
    )
    path, optimised = written(tmp_path, content), tmp_path / "optimised.onnx"
    optimize(path, optimised)
    assert "Add" in operators(path)
    assert "Add" not in operators(optimised)
    assert predicted(optimised)["y"][2] == [210.0, 430.0]


def test_the_mark_tells_the_runtime_to_load_it_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, optimised = written(tmp_path, linear()), tmp_path / "optimised.onnx"
    optimize(path, optimised)
    assert (is_optimized(str(path)), is_optimized(str(optimised))) == (False, True)
    assert onnxruntime.InferenceSession(str(optimised)).get_modelmeta().custom_metadata_map == {
        "lastmile.optimized": "yes"
    }
    levels = []
    session = onnxruntime.InferenceSession

    def seen(path: str, options: Any, **more: Any) -> Any:
        levels.append(options.graph_optimization_level)
        return session(path, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", seen)
    predicted(path)
    predicted(optimised)
    known = onnxruntime.GraphOptimizationLevel
    assert levels == [known.ORT_ENABLE_ALL, known.ORT_DISABLE_ALL]


def test_a_short_file_has_no_mark(tmp_path: Path) -> None:
    assert not is_optimized(str(written(tmp_path, b"")))
    assert not is_optimized(str(written(tmp_path, OPTIMIZED[1:])))


def test_weights_in_the_models_own_folder_are_taken_in(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "w.bin").write_bytes(b"\0" * 4 + WEIGHTS)
    path = written(tmp_path, with_weights_in("parts/w.bin", offset="4"))
    assert external_files(path) == [tmp_path / "parts" / "w.bin"]
    optimised = tmp_path / "o" / "optimised.onnx"
    optimised.parent.mkdir()
    assert optimize(path, optimised) == [optimised]
    assert predicted(optimised) == {"y": ("FP32", [2, 1], [211.0, 431.0])}


def test_large_weights_lie_beside_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_optimize, "EXTERNAL_FROM_BYTES", 1)
    large = weights("w", (2, 600), [10.0, 100.0] * 600)
    nodes = [node("MatMul", ["x", "w"], ["y"])]
    path = written(
        tmp_path, model(nodes, [Array("x", FLOAT, (-1, 2))], [Array("y", FLOAT, (-1, 600))], (large,))
    )
    optimised = tmp_path / "o" / "optimised.onnx"
    optimised.parent.mkdir()
    assert [file.name for file in optimize(path, optimised)] == ["optimised.onnx", "optimised.onnx.data"]
    assert external_files(optimised) == [optimised.with_name("optimised.onnx.data")]
    assert optimised.stat().st_size < 1200
    assert predicted(optimised) == predicted(path)


def refusal(path: Path, destination: Path) -> str:
    with pytest.raises(LastmileError) as refused:
        optimize(path, destination / "optimised.onnx")
    assert list(destination.glob("optimised*")) == []
    return str(refused.value)


SAVE = "\nSave the model as one file: onnx.save(onnx.load(path), path, save_as_external_data=False)"
OUTSIDE = {
    "/etc/hostname": f", an absolute path; it must lie in the model's own folder.{SAVE}",
    "../secret": f", which may lead out of the model's own folder.{SAVE}",
    "a/../../secret": f", which may lead out of the model's own folder.{SAVE}",
    "./w.bin": f", which may lead out of the model's own folder.{SAVE}",
    "": f", which is no path relative to the model.{SAVE}",
    "..\\secret": f", which is no path relative to the model.{SAVE}",
    "C:w.bin": f", which is no path relative to the model.{SAVE}",
    "link": f", which is a link or stands behind one; it must be a file.{SAVE}",
    "folder/w.bin": f", which is a link or stands behind one; it must be a file.{SAVE}",
    "*/_ORT_MEM_ADDR_/*": ", but there is no such file.\nKeep it beside the model.",
    "missing": ", but there is no such file.\nKeep it beside the model.",
    "n" * 300: f", which cannot be opened: File name too long.{SAVE}",
}


@pytest.mark.parametrize("location", OUTSIDE)
def test_weights_elsewhere_are_refused_by_name(tmp_path: Path, location: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(WEIGHTS)
    (tmp_path / "w.bin").write_bytes(WEIGHTS)
    (inside / "link").symlink_to(tmp_path / "secret")
    (inside / "folder").symlink_to(tmp_path)
    path = written(inside, with_weights_in(location))
    assert refusal(path, inside) == f"model.onnx keeps the tensor 'w' in {location!r}{OUTSIDE[location]}"


def test_weights_in_a_function_or_a_graph_in_a_node_are_found(tmp_path: Path) -> None:
    tensor = external("../secret")
    attribute = _field(5, tensor)
    function = bytes([25 << 3 & 0x7F | 0x80 | 2, 25 << 3 >> 7])
    for content in (
        linear() + function + bytes([len(_field(7, _field(5, attribute)))]) + _field(7, _field(5, attribute)),
        model([node("If", ["x"], ["y"], attribute=_field(6, _field(5, tensor)))], [], []),
    ):
        with pytest.raises(LastmileError, match="which may lead out"):
            external_files(written(tmp_path, content))


def test_weights_beyond_their_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "w.bin").write_bytes(WEIGHTS)
    told = (
        "model.onnx keeps the tensor 'w' at the bytes 4 to 12 of w.bin, which has 8.\nExport the model anew."
    )
    assert refusal(written(tmp_path, with_weights_in("w.bin", offset="4")), tmp_path) == told
    told = "model.onnx is not a whole ONNX model: the tensor 'w' has an offset or a length that is no number."
    assert (
        refusal(written(tmp_path, with_weights_in("w.bin", offset="x")), tmp_path)
        == f"{told}\nExport it anew."
    )


def test_a_model_that_is_none(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, linear()[:-3]), tmp_path).startswith(
        "model.onnx is not a whole ONNX model:"
    )
    unknown = model([node("Nonsense", ["x"], ["y"])], [Array("x", FLOAT, (1,))], [Array("y", FLOAT, (1,))])
    assert refusal(written(tmp_path, unknown), tmp_path).startswith(
        "model.onnx cannot be loaded by ONNX Runtime: "
    )
