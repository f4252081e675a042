"""A function's ways to its bucket, on emulators that others wrote: its routing document and its model's weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lastmile_runtime import weights
from lastmile_runtime.application import Application
from lastmile_runtime.http import Request
from lastmile_runtime.manifest import FILE, digest
from lastmile_runtime.startup import start
from lastmile_runtime.stores import Conflict, open_store
from lastmile_runtime.telemetry import Log
from lastmile_sls.errors import LastmileError
from lastmile_sls.traffic.change import Document, set_weights
from lastmile_sls.traffic.live import Author, LiveTraffic
from tests.conformance.emulators import az, gs_emulator, s3
from tests.lastmile_runtime.bundles import MODEL, matrix, python_bundle, python_version, routing, write_bundle

if TYPE_CHECKING:
    from lastmile_runtime.stores import Store

pytestmark = pytest.mark.conformance
AUTHOR = Author("ann", "for the test")
WEIGHTS = bytes(range(256)) * 8192  # 2 MiB, in three chunks
CHUNK_BYTES = 1_000_000
# The model says of its weights only how many there are and what the last byte is.
SOURCE = """
import pathlib
class Model:
    def load(self, folder):
        self.table = pathlib.Path(folder, "table.bin").read_bytes()
    def predict(self, inputs):
        return {"doubled": [[len(self.table), self.table[-1]] for _ in inputs["x"]]}
"""


@pytest.fixture(scope="module", params=[s3, gs_emulator, az], ids=lambda start: start.__name__)
def bucket(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with (
        pytest.MonkeyPatch.context() as environ,
        request.param(environ, tmp_path_factory.mktemp("bucket")) as url,
    ):
        yield url


@pytest.fixture
def place(bucket: str, request: pytest.FixtureRequest) -> str:
    """A folder of the bucket for one test."""
    return f"{bucket}/{request.node.originalname}"


def function(folder: Path, manifest_digest: str, document: Document, **environ: str) -> Application:
    """Start what a function runs, as its environment says."""
    given = {
        "LASTMILE_BUNDLE": str(folder),
        "LASTMILE_MANIFEST_DIGEST": manifest_digest,
        "LASTMILE_ROUTING": json.dumps(document),
        **environ,
    }
    return start(given, Log("predict", lambda line: None), keeps_running=False)


def answer(application: Application) -> dict[str, Any]:
    body = json.dumps({"inputs": [matrix([[1, 2]])]}).encode()
    found: dict[str, Any] = json.loads(
        application.handle(Request("POST", f"/v2/models/{MODEL}/infer", body=body)).body
    )
    return found


def answering(application: Application) -> str:
    """Return the version that answers, the routing document read anew."""
    application.restored()
    return str(answer(application)["model_version"])


def test_the_routing_document_is_made_once_read_and_swapped(place: str, tmp_path: Path) -> None:
    store = open_store(f"{place}/routing")
    deployed = {**routing(v1=10_000, v2=0), "max_age_s": 3600, "deadline_s": 10}
    store.put("routing.json", json.dumps(deployed).encode(), if_absent=True)
    with pytest.raises(Conflict, match=r"^routing\.json is there already\.$"):
        store.put("routing.json", b"{}", if_absent=True)

    folder = tmp_path / "bundle"
    made = python_bundle(folder, ids=("v1", "v2"))
    served = function(folder, made, deployed, LASTMILE_ROUTING_URL=f"{place}/routing/routing.json")
    assert answering(served) == "v1"

    live = LiveTraffic(store, "routing.json", ["v1", "v2"])
    record = live.change("set", AUTHOR, lambda now: set_weights(now, {"v2": 10_000}, ["v1", "v2"]))
    assert record["to"]["weights"] == {"v1": 0, "v2": 10_000}
    assert answering(served) == "v2"
    live.roll_back(AUTHOR)
    assert answering(served) == "v1"
    assert [change["revision"] for change in live.history()] == [1, 2]


def test_of_two_who_change_the_traffic_at_once_one_is_refused(place: str) -> None:
    store = open_store(f"{place}/routing")
    store.put("routing.json", json.dumps(routing(v1=10_000, v2=0)).encode(), if_absent=True)
    ours, theirs = (LiveTraffic(store, "routing.json", ["v1", "v2"]) for _ in range(2))

    def meanwhile(now: Document) -> Document:
        theirs.change("set", Author("bob", ""), lambda now: set_weights(now, {"v2": 500}, ["v1", "v2"]))
        return set_weights(now, {"v2": 9_000}, ["v1", "v2"])

    with pytest.raises(LastmileError) as refused:
        ours.change("set", AUTHOR, meanwhile)
    assert refused.value.message == "the traffic was changed meanwhile by bob (set); nothing was done."
    assert ours.read()["weights"] == {"v1": 9_500, "v2": 500}


def bundle_with_stored_weights(store: Store, folder: Path) -> tuple[str, str]:
    """Make a bundle whose model has its weights in the store; return its digest, and the weights' name there."""
    table = folder / "table.bin"
    table.write_bytes(WEIGHTS)
    entry = weights.describe(str(table), chunk_bytes=CHUNK_BYTES)
    store.put(entry["sha256"], WEIGHTS)
    write_bundle(folder / "bundle", [python_version()], {"models/v1/model.py": SOURCE})
    path = folder / "bundle" / FILE
    manifest = json.loads(path.read_text())
    manifest["files"]["models/v1/table.bin"] = entry
    path.write_text(json.dumps(manifest))
    return digest(path.read_bytes()), entry["sha256"]


def test_a_models_weights_are_fetched_and_verified(place: str, tmp_path: Path) -> None:
    url = f"{place}/weights"
    made, _ = bundle_with_stored_weights(open_store(url), tmp_path)
    kept = {"LASTMILE_WEIGHTS_URL": url, "LASTMILE_WEIGHTS_FOLDER": str(tmp_path / "kept")}
    served = function(tmp_path / "bundle", made, routing(), **kept)
    assert answer(served)["outputs"][0]["data"] == [len(WEIGHTS), 255]


def test_weights_of_which_one_byte_was_changed_are_refused(place: str, tmp_path: Path) -> None:
    url = f"{place}/weights"
    store = open_store(url)
    made, name = bundle_with_stored_weights(store, tmp_path)
    spoiled = bytearray(WEIGHTS)
    spoiled[1_500_000] ^= 1
    store.put(name, bytes(spoiled))
    kept = {"LASTMILE_WEIGHTS_URL": url, "LASTMILE_WEIGHTS_FOLDER": str(tmp_path / "kept")}
    served = function(tmp_path / "bundle", made, routing(), **kept)
    reason = "models/v1/table.bin is corrupt in the store: chunk 2 of 3 is not the deployed one."
    assert reason in answer(served)["error"]
    assert not [path for path in (tmp_path / "kept").rglob("*.bin") if path.is_file()]
