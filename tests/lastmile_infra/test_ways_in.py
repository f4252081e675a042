"""The same deployment by the generated project, by the repository's root, and as a component of a user's own program."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lastmile_sls.deploy import embedded_engine
from lastmile_sls.engine.interface import EngineError, Event, Program
from tests.lastmile_infra.plans import plan_of, project_of, spec_of
from tests.lastmile_sls.build.projects import make_folder, write

ROOT = Path(__file__).parents[2]
OWN_PROGRAM = """
from pathlib import Path

import pulumi
import pulumi_aws as aws

import lastmile_infra
from lastmile_sls.plan.document import read

project = Path("churn")
provider = aws.Provider("mine", region="eu-west-1")
options = pulumi.ResourceOptions(providers={"aws": provider})
blue = lastmile_infra.Deployment(read(project / "plan.json"), project, "blue", options)
green = lastmile_infra.Deployment(read(project / "plan.json"), project, "green", options)
aws.ssm.Parameter("endpoint", name="endpoint", type="String", value=blue.url, opts=pulumi.ResourceOptions(provider=provider))
pulumi.export("blue", blue.url)
pulumi.export("keys", blue.key)
"""


def previewed(program: Program, home: Path) -> list[Event]:
    events: list[Event] = []
    embedded_engine(home).preview(program, events.append)
    return [event for event in events if event.kind == "planned"]


def names(events: list[Event]) -> list[str]:
    return [f"{event.type.rsplit(':', 1)[-1]} {event.name}" for event in events]


def test_a_component_in_a_program_of_ones_own(tmp_path: Path) -> None:
    project_of(plan_of(spec_of(endpoint={"auth": "public"}), "aws"), tmp_path / "churn")
    (tmp_path / "__main__.py").write_text(OWN_PROGRAM)
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "shop", "runtime": "python"}))
    events = previewed(Program(tmp_path, "shop", "prod"), tmp_path / "home")
    found = names(events)
    assert [name for name in found if name.startswith("aws ")] == ["aws mine"]
    assert {"Deployment blue", "Deployment green", "Function blue-predict", "Function green-predict"} <= set(
        found
    )
    assert "Parameter endpoint" in found
    children = [event for event in events if event.name.startswith("blue-")]
    assert all("lastmile:index:Deployment$" in event.urn for event in children)


def test_the_repositorys_root_deploys_the_spec_that_its_configuration_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTMILE_CACHE", str(tmp_path / "cache"))
    spec = write(make_folder(tmp_path / "work"), targets={"aws": {"region": "eu-west-1"}})
    config = {"lastmile-sls:spec": str(spec), "lastmile-sls:target": "aws"}
    events = previewed(Program(ROOT, "lastmile-sls", "root", config), tmp_path / "home")
    assert "Function m-dev-predict" in names(events)


def test_what_a_target_refuses_ends_the_program_with_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LASTMILE_CACHE", str(tmp_path / "cache"))
    spec = write(make_folder(tmp_path / "work"), targets={"aws": {"region": None}})
    config = {"lastmile-sls:spec": str(spec), "lastmile-sls:target": "aws"}
    with pytest.raises(EngineError, match=r"targets\.aws\.region is missing: what is deployed to AWS"):
        previewed(Program(ROOT, "lastmile-sls", "root", config), tmp_path / "home")


def test_the_generated_project_is_the_same_whoever_deploys_it(tmp_path: Path) -> None:
    program = project_of(plan_of(spec_of(), "azure"), tmp_path / "dev-azure")
    assert sorted(path.name for path in program.folder.iterdir()) == [
        "Pulumi.yaml",
        "__main__.py",
        "bundles",
        "plan.json",
    ]
    found = names(previewed(program, tmp_path / "home"))
    assert found.count("WebApp churn-dev-predict") == 1
    assert "Package churn-dev-predict-package" in found
