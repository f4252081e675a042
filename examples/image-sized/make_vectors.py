"""Makes the table of vectors: random ones, the same each time, which is enough to show what its size means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WORDS, NUMBERS = 80_000, 1_000
MODELS = Path(__file__).parent / "models"


def main() -> None:
    MODELS.mkdir(exist_ok=True)
    table = np.random.default_rng(7).standard_normal((WORDS, NUMBERS), dtype=np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "word"], ["vector"])],
        "word-vectors",
        [helper.make_tensor_value_info("word", TensorProto.INT64, [None])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [None, NUMBERS])],
        [numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, MODELS / "word_vectors.onnx")
    (MODELS / "words.csv").write_text("word\n0\n1\n79999\n")
    size = (MODELS / "word_vectors.onnx").stat().st_size / 2**20
    print(f"word_vectors.onnx: {WORDS} words, {size:.0f} MB")


if __name__ == "__main__":
    main()
