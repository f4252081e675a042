from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lastmile_runtime.errors import RequestError
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.models import Models
from lastmile_runtime.tensors import Tensor
from tests.lastmile_runtime.bundles import DOUBLER, python_bundle

X = Tensor("x", "FP64", [1, 2], [1.0, 2.0])
COUNTS_LOADS = """
import pathlib, time

class Model:
    def load(self, folder):
        time.sleep(0.05)
        with open(pathlib.Path(folder) / "loads", "a") as file:
            file.write("x")

    def predict(self, inputs):
        return {"doubled": inputs["x"]}
"""
FAILS_WHILE_THERE_IS_NO_FILE = """
import pathlib

class Model:
    def load(self, folder):
        (pathlib.Path(folder) / "weights").read_text()

    def predict(self, inputs):
        raise RuntimeError("no such day")
"""
EXITS = "import sys\nsys.exit(3)\n"


def models(folder: Path, source: str) -> Models:
    return Models(Bundle(str(folder), python_bundle(folder, source)))


def test_a_model_loads_once_and_predicts(tmp_path: Path) -> None:
    served = models(tmp_path, DOUBLER)
    assert served.load("v1") > 0
    assert served.load("v1") == 0
    (output,) = served.predict("v1", [X])
    assert (output.name, output.data) == ("doubled", [2.0, 4.0])


def test_concurrent_first_requests_load_once(tmp_path: Path) -> None:
    served = models(tmp_path, COUNTS_LOADS)
    threads = [threading.Thread(target=served.load, args=("v1",)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "models/v1/loads").read_text() == "x"


def test_a_failed_load_says_why_and_is_tried_again(tmp_path: Path) -> None:
    served = models(tmp_path, FAILS_WHILE_THERE_IS_NO_FILE)
    with pytest.raises(RequestError) as refused:
        served.load("v1")
    path = tmp_path / "models/v1/weights"
    reason = f"FileNotFoundError: [Errno 2] No such file or directory: '{path}'"
    assert (refused.value.status, refused.value.message) == (500, f"version 'v1' cannot be loaded: {reason}")
    assert served.failures == {"v1": refused.value.message}
    path.write_text("1")
    assert served.load("v1") > 0
    assert served.failures == {}


def test_an_artifact_that_was_changed_is_never_loaded(tmp_path: Path) -> None:
    served = models(tmp_path, DOUBLER)
    canary = tmp_path / "canary"
    (tmp_path / "models/v1/model.py").write_text(f"open({str(canary)!r}, 'w')")
    with pytest.raises(
        RequestError, match=r"^version 'v1' cannot be loaded: BundleError: models/v1/model\.py has the size "
    ):
        served.load("v1")
    assert not canary.exists()


def test_a_model_that_ends_the_process_is_a_failed_load(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"^version 'v1' cannot be loaded: SystemExit: 3$"):
        models(tmp_path, EXITS).load("v1")


def test_a_model_that_fails_says_why(tmp_path: Path) -> None:
    served = models(tmp_path, FAILS_WHILE_THERE_IS_NO_FILE)
    (tmp_path / "models/v1/weights").write_text("1")
    served.load("v1")
    with pytest.raises(RequestError) as refused:
        served.predict("v1", [X])
    assert refused.value.status == 500
    assert refused.value.message == "version 'v1' failed on this request: RuntimeError: no such day"
