"""Checks of real models under the clouds' own runtime clients, with each Python that is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import joblib
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier

from lastmile_runtime.manifest import FILE, digest
from lastmile_sls.bundle.build import build_bundle
from lastmile_sls.bundle.bytecode import compile_bundle
from lastmile_sls.bundle.models import prepare_models
from lastmile_sls.check.answers import Question
from lastmile_sls.check.check import check_bundle
from lastmile_sls.check.checked import Check, Checked
from lastmile_sls.check.flame import render as render_page
from lastmile_sls.check.profile import costliest
from lastmile_sls.check.run import Run
from lastmile_sls.errors import LastmileError
from tests.conformance.test_azure_runtime import find_python
from tests.lastmile_runtime.bundles import routing
from tests.lastmile_sls.specs import make_spec

pytestmark = pytest.mark.conformance
NEWER = find_python()
PYTHONS = pytest.mark.parametrize(
    "python", list(dict.fromkeys(filter(None, (sys.executable, NEWER)))), ids=lambda path: Path(path).name
)
newer = pytest.mark.skipif(
    NEWER is None, reason="Azure's worker needs Python 3.13 or newer, and none was found"
)
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
# Every start and every profile is under a machine's load; a budget of this is never met by chance.
AMPLE_MS = 60_000


class Trained:
    """A model on disk, its bundles, and what it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rows, classes = load_breast_cancer(return_X_y=True)
        model = GradientBoostingClassifier(n_estimators=30, random_state=0).fit(rows, classes)
        joblib.dump(model, folder / "m.joblib")
        self.questions = [self._question(model, row) for row in rows[:5]]

    def _question(self, model: Any, row: Any) -> Question:
        probabilities = model.predict_proba([row]).tolist()
        return Question(
            "v1",
            [{"name": "input", "datatype": "FP64", "shape": [1, 30], "data": [row.tolist()]}],
            [
                {"name": "predict", "datatype": "INT64", "shape": [1], "data": model.predict([row]).tolist()},
                {"name": "predict_proba", "datatype": "FP64", "shape": [1, 2], "data": probabilities},
            ],
        )

    def build(self, name: str, *, compiled: bool) -> Path:
        version = {"id": "v1", "artifact": "m.joblib", "framework": "sklearn", "compiled": compiled}
        spec = make_spec(versions=[version], traffic={})
        models = prepare_models(spec, self.folder, self.folder / f"{name}-scratch")
        return build_bundle(spec, self.folder, self.folder / name, models).folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def compiled(trained: Trained) -> Path:
    """A bundle of compiled trees, with bytecode for each Python."""
    folder = trained.build("compiled", compiled=True)
    if NEWER and sys.executable != NEWER:
        compile_bundle(folder, NEWER)
    return folder


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home of its own for the tools, which are installed once for all of these tests."""
    return {**os.environ, "LASTMILE_HOME": str(tmp_path_factory.mktemp("home"))}


def run_of(target: str, folder: Path, python: str, **changes: Any) -> Run:
    known: dict[str, Any] = {
        "target": target,
        "folder": folder,
        "digest": digest((folder / FILE).read_bytes()),
        "interpreter": Path(python),
        "memory_mb": 2048,
        "timeout_s": 60.0,
        "routing": routing(),
        "startup_s": 60.0,
    }
    return Run(**{**known, **changes})


def named(checked: Checked, name: str, contract: str | None) -> Check:
    (found,) = [check for check in checked.checks if (check.name, check.contract) == (name, contract)]
    return found


@PYTHONS
def test_compiled_trees_on_lambda_under_both_loops(
    python: str, compiled: Path, trained: Trained, environ: dict[str, str]
) -> None:
    checked = check_bundle(
        run_of("aws", compiled, python), trained.questions, environ=environ, cold_start_budget_ms=AMPLE_MS
    )
    assert checked.passed, checked.summary()
    own, client = checked.results
    assert (own.contract, client.contract) == ("aws bootstrap", "aws awslambdaric")
    for result, names in (
        (own, ["interpreter", "runtime", "manifest", "model", "answer"]),
        (client, ["interpreter", "client", "runtime", "manifest", "model", "answer"]),
    ):
        assert len(result.starts) == 3
        assert result.median is not None
        assert [phase.name for phase in result.median.phases] == names
        assert result.median.startup_ms is not None
        assert result.median.startup_ms < result.median.first_answer_ms
        assert named(checked, "answers of v1", result.contract).message == (
            "5 as expected, the largest difference 0."
        )
        assert result.profile is not None
    # AWS's client is imported by its own loop alone, and a compiled model brings nothing beside the runtime.
    origins = [
        {result.profile.origins.of(found.module) for found in result.profile.walk()}
        for result in checked.results
        if result.profile
    ]
    assert "client" not in origins[0]
    assert "client" in origins[1]
    assert "package" not in origins[0] | origins[1]


@PYTHONS
def test_compiled_trees_in_a_container(
    python: str, compiled: Path, trained: Trained, environ: dict[str, str]
) -> None:
    checked = check_bundle(run_of("gcp", compiled, python), trained.questions, environ=environ)
    assert checked.passed, checked.summary()
    assert named(checked, "startup probe", "gcp container").message == "GET /v2/health/ready answers 200."
    assert re.fullmatch(
        r"it ended \d+ ms after SIGTERM\.", named(checked, "SIGTERM", "gcp container").message
    )


@newer
def test_compiled_trees_under_azures_worker(
    compiled: Path, trained: Trained, environ: dict[str, str]
) -> None:
    checked = check_bundle(run_of("azure", compiled, cast("str", NEWER)), trained.questions, environ=environ)
    assert checked.passed, checked.summary()
    (result,) = checked.results
    assert named(checked, "functions", "azure worker").message == "the worker finds predict."
    assert result.median is not None
    assert [phase.name for phase in result.median.phases][:3] == ["interpreter", "client", "runtime"]
    assert result.profile is not None
    assert "azure" in {cost.name for cost in costliest(result.profile, 5)}


@newer
def test_azures_worker_tells_why_it_cannot_load_an_app(
    compiled: Path, trained: Trained, environ: dict[str, str]
) -> None:
    run = run_of("azure", compiled, cast("str", NEWER), digest="sha256:" + "0" * 64)
    checked = check_bundle(run, trained.questions, environ=environ)
    found = named(checked, "first answer", "azure worker")
    assert found.message.startswith("start 1 gave none: the worker failed: ")
    assert "BundleError: manifest.json has the digest sha256:" in found.message


def test_azures_worker_is_not_published_for_older_pythons(
    compiled: Path, trained: Trained, environ: dict[str, str]
) -> None:
    if sys.version_info >= (3, 13):
        pytest.skip("this Python is new enough")
    with pytest.raises(LastmileError) as caught:
        check_bundle(run_of("azure", compiled, sys.executable), trained.questions, environ=environ)
    assert caught.value.hint == "Check with a Python 3.13 or newer."


def test_awss_client_tells_why_a_handler_cannot_be_imported(
    compiled: Path, trained: Trained, environ: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(compiled, folder)
    for path in (*folder.glob("lastmile_runtime/pack.*"), folder / "lastmile_runtime/adapters/aws.py"):
        path.unlink()
    run = run_of("aws", folder, sys.executable, contracts=("aws awslambdaric",))
    checked = check_bundle(run, trained.questions, environ=environ)
    found = named(checked, "first answer", "aws awslambdaric")
    assert found.message.startswith(
        "start 1 gave none: it cannot start: Runtime.ImportModuleError: Unable to import"
    )
    assert "lastmile_runtime.adapters.aws" in found.message


def with_packages(bundle: Path, folder: Path) -> Path:
    """Return a bundle that has scikit-learn and what it needs at its root, as one for a cloud will."""
    shutil.copytree(bundle, folder)
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
    frozen = subprocess.run(
        [str(uv), "pip", "freeze", "--python", sys.executable], capture_output=True, text=True, check=True
    ).stdout
    wanted = [line for line in frozen.splitlines() if re.match(r"(scikit-learn|numpy|scipy)==", line)]
    subprocess.run([*command, "--link-mode", "copy", *wanted], check=True)
    return folder


def test_scikit_learn_served_as_it_is_exceeds_a_budget_and_names_what_costs(
    trained: Trained, environ: dict[str, str], tmp_path: Path
) -> None:
    folder = with_packages(trained.build("framework", compiled=False), tmp_path / "bundle")
    run = run_of("aws", folder, sys.executable)
    checked = check_bundle(run, trained.questions, environ=environ, starts=1, cold_start_budget_ms=200)
    for result in checked.results:
        assert named(checked, "answers of v1", result.contract).status == "passed", checked.summary()
        budget = named(checked, "cold start budget", result.contract)
        assert budget.status == "failed"
        assert re.search(
            r"but the budget is 200 ms\. The imports that cost most: .*scipy \d+ ms", budget.message
        )
        assert result.profile is not None
        assert result.profile.origins.of("sklearn.tree") == "package"
    size = named(checked, "size", None)
    assert checked.size.unpacked > 100 * 2**20
    assert size.status == ("failed" if checked.size.unpacked > 250 * 2**20 else "passed")
    page(render_page(checked, checked.results[0]), tmp_path, least=200)


class Frames(HTMLParser):
    """The frames of a chart that a browser has drawn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.labels: list[str] = []
        self.texts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "g" and str(found.get("class", "")).startswith("frame"):
            self.labels.append(str(found["aria-label"]))
        self.texts += tag == "text"


def page(text: str, folder: Path, least: int) -> list[str]:
    """Have a browser draw a page; return its frames' labels, of which there must be some."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not on PATH")
    path = folder / "page.html"
    path.write_text(text)
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=5000",
        "--window-size=1400,1400",
    ]
    done = subprocess.run(
        [CHROMIUM, *flags, "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    frames = Frames(done.stdout)
    assert len(frames.labels) >= least
    assert frames.texts > 10
    return frames.labels


def test_a_browser_draws_the_page_of_a_compiled_model(
    compiled: Path, trained: Trained, environ: dict[str, str], tmp_path: Path
) -> None:
    checked = check_bundle(
        run_of("aws", compiled, sys.executable, contracts=("aws bootstrap",)),
        trained.questions,
        environ=environ,
    )
    labels = page(render_page(checked, checked.results[0]), tmp_path, least=20)
    assert labels[0].startswith("interpreter: ")
    assert any(label.startswith("lastmile_runtime.adapters.aws_bootstrap: ") for label in labels)
    document = json.loads(json.dumps(checked.to_json()))
    assert document["passed"] is True
