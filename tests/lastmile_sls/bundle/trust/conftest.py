"""A bundle as `build_bundle` makes it, built once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lastmile_sls.bundle.build import BuiltBundle, build_bundle
from lastmile_sls.bundle.models import prepare_models
from lastmile_sls.bundle.trust.contents import read_manifest
from lastmile_sls.bundle.trust.facts import (
    Considerations,
    Dataset,
    Facts,
    Library,
    Metric,
    VersionFacts,
)
from lastmile_sls.bundle.trust.keys import KeyPair, generate_key
from lastmile_sls.compile.choose import Choice
from tests.lastmile_sls.bundle.trust.pki import NOW
from tests.lastmile_sls.specs import make_spec

ROWS = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]])
DIGEST = "sha256:" + 64 * "d"
INPUTS = [
    {"name": "age", "datatype": "FP64", "minimum": 18.0, "maximum": 99.0, "out_of_range": "reject"},
    {"name": "income", "datatype": "FP64"},
]


@dataclass(frozen=True)
class Built:
    """A bundle, and what was chosen for its versions."""

    bundle: BuiltBundle
    models: Sequence[Choice]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build a bundle of a compiled model, a plain class, and an application of the user's."""
    folder = tmp_path_factory.mktemp("spec")
    joblib.dump(LogisticRegression().fit(ROWS, [0, 1, 1, 0]), folder / "m.joblib")
    (folder / "two.py").write_text("class Model:\n    def predict(self, inputs):\n        return inputs\n")
    (folder / "app.py").write_text("app = None\n")
    spec = make_spec(
        versions=[
            {"id": "v1", "artifact": "m.joblib", "framework": "sklearn"},
            {"id": "v2", "artifact": "two.py", "framework": "python", "entry": "Model"},
        ],
        contract={"inputs": INPUTS},
        endpoint={"app": "app.py:app"},
    )
    models = prepare_models(spec, folder, folder / "scratch")
    return Built(build_bundle(spec, folder, folder / "churn", models), models)


@pytest.fixture
def bundle(built: Built, tmp_path: Path) -> Path:
    """Return a bundle's folder, to do anything to."""
    return shutil.copytree(built.bundle.folder, tmp_path / "bundles" / "churn")


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    """Return a key pair."""
    return generate_key(tmp_path / "keys")


@pytest.fixture
def facts(built: Built) -> Facts:
    """Return everything that can be known of the bundle."""
    manifest, digest = read_manifest(built.bundle.folder)
    data = Dataset("customers 2025", DIGEST, "s3://data/customers 2025.parquet", "All customers of 2025.")
    considerations = Considerations(
        users=("The sales team",),
        use_cases=("Whom to call",),
        limitations=("Customers of less than a month",),
        trade_offs=("Recall before precision",),
        risks=(("Age may stand for other things", "Reviewed each quarter"), ("Unknown", "")),
    )
    first = VersionFacts(
        framework="scikit-learn",
        description="The first one.",
        task="classification",
        report=built.models[0].report,
        metrics=(Metric("AUC", 0.91, "Ireland", 0.88, 0.93), Metric("accuracy", "high"), Metric("F1", 0.5)),
        data=(data, Dataset("more")),
        considerations=considerations,
    )
    libraries = (
        Library("Scikit_Learn", "1.9.1", 64 * "a", "BSD-3-Clause"),
        Library("numpy", "2.4.6+local", "", "bsd-3-clause and MIT"),
        Library("other", "1", 64 * "b", "See the website"),
        Library("nameless", "2"),
    )
    return Facts(
        digest=digest,
        manifest=manifest,
        lastmile="0.1.0",
        owner="Ann@Example.com",
        description="Who leaves?",
        versions={"v1": first, "v2": VersionFacts(data=(data,))},
        libraries=libraries,
        python="3.13",
        made=NOW,
    )
