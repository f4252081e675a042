"""Optimises an ONNX model when it is bundled, so that the function that loads it need not: offline, by ONNX Runtime.

Only what holds on every processor is done: constants folded, nodes fused. The layout of weights, which ONNX Runtime
makes for the processor that it runs on, stays as it is
(onnxruntime.ai/docs/performance/model-optimizations/graph-optimizations.html).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Literal

from lastmile_runtime.predictors.onnx_mark import OPTIMIZED
from lastmile_sls.compile.onnx_external import external_files, total_bytes
from lastmile_sls.errors import LastmileError

Level = Literal["basic", "extended"]
"""basic: the operators are ONNX's own, which any ONNX Runtime has; extended: also ONNX Runtime's own, which one that is
much older than the one here may lack."""
_LEVELS = {"basic": "ORT_ENABLE_BASIC", "extended": "ORT_ENABLE_EXTENDED"}
EXTERNAL_FROM_BYTES = 1 << 30
"""From this size on weights go to a file beside the model, which as a protocol buffer holds at most 2 GiB."""
DATA_SUFFIX = ".data"
_SMALLEST_BYTES = 1 << 10


def optimize(path: Path, destination: Path, level: Level = "extended") -> list[Path]:
    """Write an optimised model; return its files, `destination` first.

    Raises LastmileError for a model that ONNX Runtime cannot load, that has weights outside of its own folder, or that
    the result does not stand for: it is loaded, and must have the same inputs and outputs.
    """
    ort = _runtime()
    size = total_bytes(path)
    with tempfile.TemporaryDirectory(dir=destination.parent) as folder:
        made, beside = Path(folder) / destination.name, Path(folder) / (destination.name + DATA_SUFFIX)
        options = _options(ort, getattr(ort.GraphOptimizationLevel, _LEVELS[level]))
        options.optimized_model_filepath = str(made)
        _write_weights(options, beside.name, _SMALLEST_BYTES if size >= EXTERNAL_FROM_BYTES else 2 * size)
        before = _signature(_load(ort, path, options, "cannot be loaded"))
        with made.open("ab") as model:
            model.write(OPTIMIZED)
        options = _options(ort, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
        after = _signature(_load(ort, made, options, "cannot be loaded once it is optimised"))
        if after != before:
            raise LastmileError(
                f"{path.name} has {before} once it is loaded, but {after} once it is optimised.",
                "Serve it as it is.",
            )
        # The model's own file last: it names the other.
        written = [*external_files(made), made]
        return [file.replace(destination.with_name(file.name)) for file in written][::-1]


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise LastmileError(
            "Optimising an ONNX model takes onnxruntime, which is not installed.",
            "Install it: pip install 'lastmile-sls[onnx]'",
        ) from error
    return onnxruntime


def _options(ort: Any, level: Any) -> Any:
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return options


def _write_weights(options: Any, name: str, smallest_bytes: int) -> None:
    """Have weights of a size, and larger, written to a file beside the model, and all others into it."""
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", name)
    options.add_session_config_entry(
        "session.optimized_model_external_initializers_min_size_in_bytes", str(smallest_bytes)
    )


def _load(ort: Any, path: Path, options: Any, problem: str) -> Any:
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no class of their own
        raise LastmileError(f"{path.name} {problem} by ONNX Runtime: {error}.", "Export it anew.") from error


def _signature(session: Any) -> dict[str, list[tuple[str, str, tuple[Any, ...]]]]:
    described = {"inputs": session.get_inputs(), "outputs": session.get_outputs()}
    return {
        side: [(node.name, node.type, tuple(node.shape)) for node in nodes]
        for side, nodes in described.items()
    }
