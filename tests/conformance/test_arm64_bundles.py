"""Bundles that were built on x86-64 for arm64 answer under qemu-user, with Debian's Python for that processor."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import yaml
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.neighbors import KNeighborsClassifier

from lastmile_sls.build.builder import Builder
from lastmile_sls.build.prepare import Prepared
from lastmile_sls.bundle.cache import FileDigests
from lastmile_sls.bundle.dependencies.environment import Environment
from lastmile_sls.bundle.trust.beside import certification_name, folder_of, read_documents
from lastmile_sls.engine.interface import Program
from lastmile_sls.plan.document import read
from lastmile_sls.spec.load import load

pytestmark = pytest.mark.conformance
PYTHON = "3.11"
PACKAGES = (
    *(f"python{PYTHON}-minimal", f"libpython{PYTHON}-minimal", f"libpython{PYTHON}-stdlib"),
    *("libc6", "zlib1g", "libexpat1", "libssl3", "libffi8", "liblzma5", "libbz2-1.0", "libuuid1"),
    *("libstdc++6", "libgcc-s1", "libgomp1"),
)
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from lastmile_runtime.http import Request
from lastmile_runtime.startup import start
from lastmile_runtime.telemetry import Log
environ = {"LASTMILE_BUNDLE": sys.argv[1], "LASTMILE_MANIFEST_DIGEST": sys.argv[2], "LASTMILE_ROUTING": sys.argv[3]}
application = start(environ, Log("test", lambda line: None), keeps_running=False)
for line in sys.stdin:
    path, _, body = line.partition(" ")
    print(application.handle(Request("POST", path, {}, body.encode())).body.decode())
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Debian's Python for arm64, which this machine's packages know nothing of."""
    for program in ("qemu-aarch64", "apt-get", "dpkg-deb"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}, of Debian's {'qemu-user' if 'qemu' in program else 'apt'}")
    made = tmp_path_factory.mktemp("arm64")
    for folder in ("state/lists/partial", "cache/archives/partial", "packages", "root"):
        (made / folder).mkdir(parents=True)
    (made / "state/status").touch()
    configuration = made / "apt.conf"
    configuration.write_text(
        'APT::Architecture "arm64";\nAPT::Architectures { "arm64"; };\nAPT::Sandbox::User "root";\n'
        f'Dir::State "{made}/state";\nDir::State::status "{made}/state/status";\nDir::Cache "{made}/cache";\n'
    )
    environ = {**os.environ, "APT_CONFIG": str(configuration)}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "download", "-qq", *PACKAGES]):
        done = subprocess.run(
            command, cwd=made / "packages", env=environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"Debian's packages for arm64 cannot be had: {done.stderr.strip()[-200:]}")
    for package in (made / "packages").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(made / "root")], check=True)
    return made / "root"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("work")
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 4))
    labels = (rows[:, 0] + rows[:, 1] > 0).astype(int)
    joblib.dump(GradientBoostingClassifier(n_estimators=20).fit(rows, labels), folder / "trees.joblib")
    joblib.dump(KNeighborsClassifier().fit(rows, labels), folder / "neighbours.joblib")
    spec: dict[str, Any] = {
        "name": "models",
        "owner": "o",
        "cost_center": "c",
        "versions": [
            {"id": "trees", "artifact": "trees.joblib", "framework": "sklearn"},
            {"id": "neighbours", "artifact": "neighbours.joblib", "framework": "sklearn", "compiled": False},
        ],
        "traffic": {"champion": "trees"},
        "bundle": {"python": PYTHON},
        "resources": {"processor": "arm64"},
    }
    path = folder / "lastmile.yaml"
    path.write_text(yaml.safe_dump(spec))
    # What Lambda's Python 3.11 runs on is too old for today's scikit-learn; Debian 12 is not.
    environment = Environment(PYTHON, "arm64", "manylinux_2_36")
    environ = {**os.environ, "LASTMILE_CACHE": str(folder / "cache")}
    place, digests = folder / "project", FileDigests(folder / "digests.json")
    made = load(path)
    record = Builder(made, path, "aws", environment, environ, place, digests, print).build(
        eject=False, upgrade=False
    )
    program = Program(place, made.name, "dev-aws")
    return Prepared(made, read(place / "plan.json"), program, record.predictors, environment, record)


def test_a_bundle_answers_on_the_other_processor(root: Path, prepared: Prepared) -> None:
    (function,) = prepared.plan["functions"]
    assert [served.predictor for served in prepared.predictors] == ["trees", "sklearn"]
    bundle = prepared.bundle(function["name"])
    documents = read_documents(folder_of(bundle)).contents
    asked = [
        (f"/v2/models/models/versions/{version}/infer", example)
        for version in function["versions"]
        for example in json.loads(documents[certification_name(version)])["examples"]
    ]
    python = str(root / f"usr/bin/python{PYTHON}")
    routing = json.dumps({"champion": "trees", "weights": {"trees": 10_000, "neighbours": 0}})
    command = ["qemu-aarch64", "-L", str(root), python, "-I", "-S", "-c", ASK, str(bundle)]
    done = subprocess.run(
        [*command, function["bundle"]["digest"], routing],
        input="".join(f"{path} {json.dumps({'inputs': example['inputs']})}\n" for path, example in asked),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONHOME": str(root / "usr")},
    )
    assert done.returncode == 0, done.stderr
    assert "evaluated in Python" not in done.stderr  # the native library for arm64 did it
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(asked) == 10
    for (_, example), answer in zip(asked, answers, strict=True):
        for expected, found in zip(example["outputs"], answer["outputs"], strict=True):
            assert (found["name"], found["shape"]) == (expected["name"], expected["shape"])
            np.testing.assert_allclose(found["data"], expected["data"], rtol=1e-9)
