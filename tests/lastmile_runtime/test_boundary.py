"""What the ring may reach: checked in its sources, and in fresh processes that answered a prediction."""

from __future__ import annotations

import ast
import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lastmile_runtime
from lastmile_runtime.manifest import TensorSpec, Version
from tests.lastmile_runtime.bundles import python_bundle, write_bundle
from tests.lastmile_runtime.predictors.onnx_file import linear

HANDLERS = Path(lastmile_runtime.__file__).parent.parent
SOURCES = sorted(HANDLERS.rglob("*.py"))
# Answers one prediction through the local adapter's own modules, and prints what is loaded then.
ANSWER = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import lastmile_runtime.adapters.local
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
environ = {"LASTMILE_BUNDLE": sys.argv[2], "LASTMILE_MANIFEST_DIGEST": sys.argv[3],
           "LASTMILE_ROUTING": '{"champion": "v1", "weights": {"v1": 10000}}'}
body = b'{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}'
answer = start(environ, Log("predict", lambda line: None), keeps_running=True).handle(
    Request("POST", "/v2/models/breast-cancer/infer", {}, body))
assert answer.status == 200, answer.body
loaded = set(sys.modules)
import json
print(json.dumps({
    "data": json.loads(answer.body)["outputs"][0]["data"],
    "loaded": sorted(loaded),
    "foreign": sorted({name.partition(".")[0] for name in loaded - before} - sys.stdlib_module_names),
}))
"""
NEVER = {
    "pydantic",
    "fastapi",
    "mangum",
    "pulumi",
    "boto3",
    "asyncio",
    "numpy",
    "sklearn",
    "lastmile_sls",
    "lastmile_infra",
}
COSTLY = {
    "typing",
    "dataclasses",
    "pathlib",
    "random",
    "hashlib",
    "hmac",
    "email",
    "ssl",
    "urllib",
    "json",
    "re",
    "enum",
    "logging",
    "http",
}


def answer(folder: Path, digest: str) -> Any:
    command = [sys.executable, "-I", "-c", ANSWER, str(HANDLERS), str(folder), digest]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_plain_class_is_answered_with_the_standard_library_alone(tmp_path: Path) -> None:
    found = answer(tmp_path, python_bundle(tmp_path))
    assert found["data"] == [2, 4]
    assert found["foreign"] == ["lastmile_model_v1", "lastmile_runtime"]
    assert not {name.partition(".")[0] for name in found["loaded"]} & NEVER


def test_of_the_standard_library_nothing_costly_is_imported(tmp_path: Path) -> None:
    found = answer(tmp_path, python_bundle(tmp_path))
    assert not set(found["loaded"]) & COSTLY


def test_an_onnx_model_adds_numpy_and_onnxruntime_alone(tmp_path: Path) -> None:
    version = Version("v1", "onnx", "models/v1/model.onnx", inputs=[TensorSpec("x", "FP32", [-1, 2])])
    found = answer(tmp_path, write_bundle(tmp_path, [version], {version.artifact: linear()}))
    assert found["data"] == [211.0]
    assert found["foreign"] == ["lastmile_runtime", "numpy", "onnxruntime"]
    assert "asyncio" not in found["loaded"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(HANDLERS)))
def test_no_source_imports_another_ring(source: Path) -> None:
    # CPython 3.11 fails in ast.parse when the collector runs Python code meanwhile (hypothesis has it do so).
    gc.disable()
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    finally:
        gc.enable()
    for statement in ast.walk(tree):
        match statement:
            case ast.Import():
                names = [alias.name for alias in statement.names]
            case ast.ImportFrom():
                names = [statement.module or ""]
            case _:
                continue
        assert not {name.partition(".")[0] for name in names} & {"lastmile_sls", "lastmile_infra"}
