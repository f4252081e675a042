"""Programs with one violation of each rule, as projects that the checking providers carry, and what is found in them."""

from __future__ import annotations

from pathlib import Path

from lastmile_sls.engine.interface import Program
from lastmile_sls.policy.parameters import Parameters, load
from tests.clouds.stacks import write_project

FOLDER = Path(__file__).parent
POLICY = FOLDER / "policy.yaml"
CLOUDS = ("aws", "gcp", "azure")


def parameters() -> Parameters:
    return load(POLICY)


def planted(cloud: str, folder: Path) -> Program:
    """Write the project of a cloud's planted program."""
    return write_project(folder, (FOLDER / f"{cloud}.py").read_text(encoding="utf-8"), name="planted")
