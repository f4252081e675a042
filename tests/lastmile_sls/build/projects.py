"""Specs in a folder, and an environment that keeps builds among the test's own files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import yaml
from sklearn.tree import DecisionTreeClassifier

from tests.lastmile_sls.bundle.dependencies.wheels import make_wheel
from tests.lastmile_sls.commands import PLACES

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
PLAIN = """
import abacus

class Model:
    def predict(self, inputs):
        return {"total": [abacus.add(row) for row in inputs["x"]]}
"""
ABACUS = "def add(row):\n    return float(sum(row))\n"


def make_folder(folder: Path) -> Path:
    """Make a folder with a model that compiles, and one that needs a package."""
    folder.mkdir()
    train(folder, 0)
    (folder / "plain.py").write_text(PLAIN)
    return folder


def train(folder: Path, column: int) -> None:
    """Train a tree that tells the sign of a column."""
    joblib.dump(DecisionTreeClassifier(max_depth=3).fit(X, X[:, column] > 0), folder / "tree.joblib")


def make_environ(folder: Path) -> dict[str, str]:
    """Make an environment whose registry is a folder with one package."""
    wheels = folder / "wheels"
    files = {"abacus/__init__.py": ABACUS, "abacus/tests/test_it.py": "", "abacus/x.pyi": ""}
    make_wheel(wheels, "abacus", "1.0", files)
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "LASTMILE_CACHE": str(folder / "cache"),
        "LASTMILE_HOME": str(folder / "home"),
        "UV_FIND_LINKS": str(wheels),
        "UV_NO_INDEX": "1",
        "UV_CACHE_DIR": str(folder / "uv"),
    }


def write(folder: Path, **changes: Any) -> Path:
    """Write a spec that says where on each cloud; `targets` are merged into that."""
    targets = {name: {**place, **changes.get("targets", {}).get(name, {})} for name, place in PLACES.items()}
    changes["targets"] = {**changes.get("targets", {}), **targets}
    version = {"id": "v1", "artifact": "tree.joblib", "framework": "sklearn"}
    spec = {"name": "m", "owner": "o", "cost_center": "c", "versions": [version], **changes}
    path = folder / "lastmile.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def needing(*requirements: str, **changes: Any) -> dict[str, Any]:
    """A version that needs packages, and its contract."""
    version = {"id": "v1", "artifact": "plain.py", "framework": "python", "entry": "Model"}
    contract = {
        "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}],
        "outputs": [{"name": "total", "datatype": "FP64"}],
    }
    return {"versions": [{**version, "requirements": list(requirements)}], "contract": contract, **changes}
