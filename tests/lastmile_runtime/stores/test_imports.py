"""What reading one document imports, in a fresh process: it happens at a cold start, before the first answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lastmile_runtime
from tests.lastmile_runtime.stores.servers import ok, serving
from tests.lastmile_runtime.test_boundary import COSTLY

HANDLERS = Path(lastmile_runtime.__file__).parent.parent
READ = """
import sys
sys.path.insert(0, sys.argv[1])
from lastmile_runtime.stores import open_store
assert open_store(sys.argv[2]).get("routing.json", deadline_s=10).content == b"{}"
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""
LIBRARIES = {"obstore", "boto3", "botocore", "datetime", "asyncio", "numpy"}
KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.mark.parametrize("kind", ["file", "http", "s3", "gs"])
def test_reading_a_document_imports_nothing_costly(kind: str, tmp_path: Path) -> None:
    (tmp_path / "routing.json").write_bytes(b"{}")
    token = json.dumps({"access_token": "t", "expires_in": 3600}).encode()
    answers = {"/routing.json": b"{}", "/b/routing.json": b"{}"}
    with serving(lambda target, _: ok(answers.get(target, token))) as server:
        url = f"http://127.0.0.1:{server.port}"
        store = {"file": tmp_path.as_uri(), "http": url, "s3": "s3://b", "gs": "gs://b"}[kind]
        environ = {**os.environ, **KEYS, "AWS_ENDPOINT_URL_S3": url, "STORAGE_EMULATOR_HOST": url}
        command = [sys.executable, "-I", "-c", READ, str(HANDLERS), store]
        run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert not set(run.stdout.split()) & (COSTLY | LIBRARIES)
