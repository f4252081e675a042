"""Makes bundles to serve, as ring two writes them, from files and versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lastmile_runtime.application import Application
from lastmile_runtime.http import Request, Response
from lastmile_runtime.manifest import FILE, Bundle, Manifest, TensorSpec, Version, digest, hash_file, render
from lastmile_runtime.routing import FixedRouting

MODEL = "breast-cancer"
DOUBLER = """
class Model:
    def predict(self, inputs):
        return {"doubled": [[2 * value for value in row] for row in inputs["x"]]}
"""


def python_version(id_: str = "v1", entry: str | None = "Model") -> Version:
    """A plain class that takes one matrix with two columns."""
    return Version(
        id_,
        "python",
        f"models/{id_}/model.py",
        entry,
        inputs=[TensorSpec("x", "FP64", [-1, 2])],
        outputs=[TensorSpec("doubled", "FP64", [-1, 2])],
    )


def write_bundle(
    folder: Path,
    versions: list[Version],
    files: dict[str, bytes | str],
    contract: dict[str, Any] | None = None,
) -> str:
    """Write the files and their manifest; return its digest."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    hashes = {name: hash_file(str(folder / name)) for name in files}
    content = render(Manifest(MODEL, versions, hashes, contract))
    (folder / FILE).write_bytes(content)
    return digest(content)


def python_bundle(folder: Path, source: str = DOUBLER, ids: tuple[str, ...] = ("v1",)) -> str:
    """Write a bundle of plain classes; return its digest."""
    versions = [python_version(id_) for id_ in ids]
    return write_bundle(folder, versions, {version.artifact: source for version in versions})


def routing(**weights: int) -> dict[str, Any]:
    """A routing document, the first version the champion; one version gets everything."""
    weights = weights or {"v1": 10_000}
    return {
        "champion": next(iter(weights)),
        "weights": weights,
        "shadows": [],
        "sticky": None,
        "salt": "salt",
    }


class Client:
    """Asks an application, as an adapter would."""

    def __init__(
        self, folder: Path, digest_: str, document: dict[str, Any] | None = None, draw: int = 0
    ) -> None:
        bundle = Bundle(str(folder), digest_)
        versions = [version.id for version in bundle.manifest.versions]
        self.application = Application(bundle, FixedRouting(document or routing(), versions), lambda: draw)

    def get(self, path: str, method: str = "GET") -> Response:
        return self.application.handle(Request(method, path))

    def infer(
        self, body: Any, path: str = f"/v2/models/{MODEL}/infer", headers: dict[str, str] | None = None
    ) -> Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.application.handle(Request("POST", path, headers, content))


def matrix(rows: list[list[Any]], name: str = "x", datatype: str = "FP64") -> dict[str, Any]:
    """One input of a request: a matrix."""
    shape = [len(rows), len(rows[0])]
    return {"name": name, "shape": shape, "datatype": datatype, "data": rows}
