"""`lastmile fit`: side by side for people, whole for programs, and an exit code for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lastmile_sls.commands import Workspace

README = Path(__file__).parents[3] / "README.md"
SPEC = """name: churn
owner: growth-team
cost_center: cc-4711
versions: [{id: v1, artifact: m.joblib, framework: sklearn}]
resources: {memory_mb: 1024, timeout_s: 45}
targets:
  aws: {region: eu-west-1}
  gcp: {project: my-project-123, region: europe-west1, base_image: "docker.io/library/python:3.13-slim"}
  azure: {location: westeurope}
"""
CLOUDS = ("--target", "aws", "--target", "gcp", "--target", "azure")


@pytest.fixture
def spec(work: Workspace) -> Workspace:
    (work.folder / "lastmile.yaml").write_text(SPEC)
    return work


def test_the_readme_shows_what_it_prints(spec: Workspace) -> None:
    shown = README.read_text().split("what would make it fit:\n\n```\n")[1].partition("```")[0]
    printed = spec.run("fit", *CLOUDS, environ={"COLUMNS": "140"}).stdout
    lines = [line.rstrip() for line in printed.splitlines()]
    table, _, refusal = shown.partition("...\n")
    assert all(line in lines for line in table.splitlines())
    assert " ".join(refusal.split()) in " ".join(printed.split())


def test_one_target_that_fits_is_enough(spec: Workspace) -> None:
    assert spec.run("fit").returncode == 0
    run = spec.run("fit", "--target", "azure", check=False)
    assert (run.returncode, run.stderr) == (1, "")
    assert "azure cannot carry it:" in run.stdout
    assert "Write 2048." in run.stdout


def test_programs_get_all_of_it(spec: Workspace) -> None:
    document = json.loads(spec.run("fit", *CLOUDS, "--json").stdout)
    assert document["spec"] == "churn"
    assert {one["target"]: one["fits"] for one in document["targets"]} == {
        "aws": False,
        "gcp": True,
        "azure": False,
    }
    (azure,) = (one for one in document["targets"] if one["target"] == "azure")
    (refusal,) = azure["refusals"]
    assert (refusal["field"], refusal["value"], refusal["change"]) == (
        "resources.memory_mb",
        1024,
        "Write 2048.",
    )
    memory = azure["limits"][0]
    assert (memory["field"], memory["value"], memory["allowed"], memory["fits"]) == (
        "memory",
        "1024 MB",
        "512, 2048, 4096 MB",
        False,
    )
    assert memory["source"].startswith("https://learn.microsoft.com/")


def test_a_narrow_terminal_has_the_targets_below_each_other(spec: Workspace) -> None:
    printed = spec.run("fit", *CLOUDS, environ={"COLUMNS": "60"}).stdout
    table = printed.partition("aws cannot carry it:")[0]
    assert max(map(len, table.splitlines())) <= 60
    headings = [line.split() for line in table.splitlines() if "this spec" in line]
    assert headings == [["this", "spec", "aws"], ["this", "spec", "gcp"], ["this", "spec", "azure"]]
    memory = [line.split("MB", 1)[1].strip() for line in table.splitlines() if line.startswith("memory")]
    assert memory == ["✓ 128 to 10240 MB", "✓ 128 to 32768 MB", "✗ 512, 2048, 4096 MB"]


def test_nothing_is_coloured_but_on_a_terminal(spec: Workspace) -> None:
    assert "\x1b" not in spec.run("fit").stdout


def test_up_refuses_with_the_same_words_before_anything_is_built(spec: Workspace) -> None:
    told = spec.fails("build", "--target", "azure")
    (folder,) = (entry for entry in (spec.folder,) if entry.is_dir())
    assert "artifact is 'm.joblib', but there is no such file" in told
    (folder / "m.joblib").write_bytes(b"")
    told = spec.fails("build", "--target", "azure")
    assert "the target azure cannot carry this spec:" in told
    assert (
        "resources.memory_mb is 1024, but Azure Functions Flex Consumption allows 512, 2048, 4096 MB" in told
    )
    assert not (folder / ".lastmile").exists()


def test_another_environment(spec: Workspace) -> None:
    assert spec.run("fit", "--environment", "prod").stdout.startswith("churn (prod)\n")
