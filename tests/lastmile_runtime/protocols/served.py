"""Applications to ask in the protocols of rows: models whose answers show what they were given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lastmile_runtime.http import Request, Response
from lastmile_runtime.manifest import TensorSpec, Version
from tests.lastmile_runtime.bundles import Client, routing, write_bundle

ROWS = [[1, 2], [3, 4.5]]
SUMS = """
class Model:
    def predict(self, inputs):
        rows = inputs["input"] if "input" in inputs else zip(inputs["a"], inputs["b"])
        return [float(sum(row)) for row in rows]
"""
NEGATED = SUMS.replace("sum(row)", "-sum(row)")
FAILING = "class Model:\n    def predict(self, inputs):\n        raise ZeroDivisionError('broken')\n"


def table(id_: str = "v1") -> Version:
    """A model that takes a table with two columns of numbers, as one matrix or as columns."""
    inputs, outputs = [TensorSpec("input", "FP64", [-1, 2])], [TensorSpec("predict", "FP64", [-1])]
    return Version(
        id_, "python", f"models/{id_}/model.py", "Model", ["a", "b"], inputs=inputs, outputs=outputs
    )


class Served(Client):
    """v1 answers each row's sum and is the champion; v2 answers its negative and gets what is pinned to it."""

    def __init__(self, folder: Path, champion: str = SUMS) -> None:
        versions = [table("v1"), table("v2")]
        digest = write_bundle(
            folder, versions, {versions[0].artifact: champion, versions[1].artifact: NEGATED}
        )
        super().__init__(folder, digest, routing(v1=10_000, v2=0))

    def post(self, path: str, body: Any, query: str = "", **headers: str) -> Response:
        """Send a body, text as it is and all else as JSON; an underscore in a header's name is a hyphen."""
        content = (
            body
            if isinstance(body, bytes)
            else (body if isinstance(body, str) else json.dumps(body)).encode()
        )
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.application.handle(Request("POST", path, sent, content, query))

    def ask(self, method: str, path: str, query: str = "") -> Response:
        return self.application.handle(Request(method, path, None, b"", query))


def problem(response: Response) -> tuple[int, str]:
    """Return an error's status and message, after looking at its form."""
    assert response.headers["content-type"] == "application/problem+json"
    document = json.loads(response.body)
    assert document["status"] == response.status
    return response.status, document["detail"]
