"""What holds for the repository as a whole: rings, documents, and the README's blocks."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from lastmile_sls.cli import COMMANDS
from lastmile_sls.spec.model import Spec
from lastmile_sls.targets.fit import TARGETS, refusals
from tests.lastmile_sls.commands import LASTMILE, Workspace

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
RINGS = {
    "handlers/lastmile_runtime": {"lastmile_sls", "lastmile_infra"},
    "lastmile_sls": {"lastmile_infra"},
    "infra/lastmile_infra": set(),
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("ring", RINGS)
def test_no_ring_imports_one_further_out(ring: str) -> None:
    wrong = [
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / ring).rglob("*.py")
        for name in imports(path) & RINGS[ring]
    ]
    assert wrong == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=\[]", requirement)[0] for requirement in project["dependencies"]}
    table = (ROOT / "docs" / "dependencies.md").read_text().split("Measured by")[0]
    explained = set(re.findall(r"^\| ([a-z-]+) \| ", table, flags=re.MULTILINE)) - {"package"}
    assert explained == declared


def test_the_readmes_spec_is_one() -> None:
    spec_text, targets = blocks("yaml")
    spec = Spec.model_validate({**yaml.safe_load(spec_text), **yaml.safe_load(targets)})
    assert spec.traffic.weights == {"v1": 90, "v2": 10}
    assert {target: refusals(target, spec) for target in TARGETS} == {target: [] for target in TARGETS}


def test_the_readmes_class_predicts() -> None:
    (text,) = blocks("python")
    namespace: dict[str, type] = {}
    exec(text, namespace)
    model = namespace["Doubler"]()
    model.load(".")
    assert model.predict({"x": [[1, 2.5]]}) == {"doubled": [[2, 5.0]]}


def test_the_readmes_own_model_works_as_written(work: Workspace) -> None:
    """Runs the block line by line in one shell; `pip install` is what has been done already."""
    (text,) = [block for block in blocks("sh") if "lastmile init" in block]
    lines = [
        line.split("#")[0].strip() for line in text.splitlines() if line.startswith(("lastmile", "curl"))
    ]
    assert [line.split()[:2] for line in lines][:2] == [["lastmile", "init"], ["lastmile", "up"]]
    (work.folder / "lastmile.yaml").unlink()
    train = (
        "import joblib; from sklearn.linear_model import LogisticRegression; "
        "joblib.dump(LogisticRegression().fit([[0, 1], [1, 0]], [0, 1]), 'model.joblib')"
    )
    subprocess.run([sys.executable, "-c", train], cwd=work.folder, check=True)
    (work.folder / "rows.csv").write_text("age,income\n1.5,2\n2.5,3\n")
    environ = {**work.environ(), "PATH": f"{LASTMILE.parent}{os.pathsep}{os.environ['PATH']}"}
    script = "set -e\n" + "\n".join(lines)
    run = subprocess.run(
        ["sh", "-c", script], cwd=work.folder, env=environ, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(run.stdout.strip().splitlines()[-1]) == {"ready": True, "live": True}


def test_every_command_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`?lastmile ([a-z]+)", README)) - {"writes", "reads", "looks", "prints"}
    assert named <= set(COMMANDS), named - set(COMMANDS)
    assert set(COMMANDS) <= named | {"help"}, set(COMMANDS) - named


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    run = subprocess.run([str(LASTMILE), name, "--help"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith(f"Usage: lastmile {name}")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str) -> None:
    run = subprocess.run([str(LASTMILE), "completion", shell], capture_output=True, text=True, check=True)
    assert "_LASTMILE_COMPLETE" in run.stdout


def test_make_targets_of_the_readme_are_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for line in "\n".join(blocks("sh")).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert set(words[1:]) <= targets
