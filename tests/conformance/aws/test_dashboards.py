"""The dashboard is what CloudWatch takes: the types of `cloudwatch-dashboard-types`, which others wrote, accept it.

The types follow docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html; the
TypeScript compiler holds the document against them as a literal, in which it takes no property that they do not have.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lastmile_infra.aws import dashboard
from tests.conformance.aws.deployments import WORK
from tests.conformance.iam.evaluator import NODE
from tests.lastmile_infra.plans import plan_of, spec_of, two_versions

pytestmark = pytest.mark.conformance
OPTIONS = (
    *("--noEmit", "--strict", "--skipLibCheck", "--pretty", "false"),
    *("--target", "es2022", "--module", "preserve", "--moduleResolution", "bundler"),
)
_TIMEOUT_S = 120


def complaints(documents: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return what the compiler says of each document, by name; nothing of those that it takes."""
    node, compiler = shutil.which("node"), NODE / "node_modules" / "typescript" / "bin" / "tsc"
    if not node or not compiler.is_file():
        pytest.skip(f"{NODE} has no TypeScript (make conformance puts it there)")
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    for name, document in documents.items():
        text = "import type { Dashboard } from 'cloudwatch-dashboard-types'\nexport const found: Dashboard = "
        (folder / f"{name}.ts").write_text(text + json.dumps(document, indent=1))
    files = [f"{name}.ts" for name in documents]
    done = subprocess.run(
        [node, str(compiler), *OPTIONS, *files],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    told: dict[str, str] = {}
    for line in done.stdout.splitlines():
        name, mark, rest = line.partition(".ts(")
        assert mark or line.startswith(" "), line
        if mark:
            told[name] = told.get(name, "") + rest.partition(": error ")[2]
    assert bool(told) == bool(done.returncode), done.stdout
    return told


def _spoil_title(properties: dict[str, Any]) -> None:
    properties["titel"] = properties.pop("title")


def _spoil_view(properties: dict[str, Any]) -> None:
    properties["view"] = "lines"


def _spoil_statistic(properties: dict[str, Any]) -> None:
    properties["metrics"][0][-1]["stat"] = "Median"


def _spoil_axis(properties: dict[str, Any]) -> None:
    properties["yAxis"]["left"]["min"] = "0"


def _spoil_threshold(properties: dict[str, Any]) -> None:
    properties["annotations"]["horizontal"][0]["value"] = "800"


SPOILT: dict[str, Callable[[dict[str, Any]], None]] = {
    "title": _spoil_title,
    "view": _spoil_view,
    "statistic": _spoil_statistic,
    "axis": _spoil_axis,
    "threshold": _spoil_threshold,
}


def test_the_dashboards_are_what_cloudwatch_takes_and_a_mistake_is_not(tmp_path: Path) -> None:
    plan = plan_of(spec_of(**two_versions(apart=True), **WORK), "aws")
    whole = json.loads(dashboard.body(plan, "eu-west-1"))
    small = json.loads(
        dashboard.body(plan_of(spec_of(operations={"notify": ["a@example.com"]}), "aws"), "eu-west-1")
    )
    documents = {"whole": whole, "small": small}
    for name, spoil in SPOILT.items():
        documents[name] = copy.deepcopy(whole)
        spoil(documents[name]["widgets"][2]["properties"])  # latency, which has an alarm's line
    documents["type"] = copy.deepcopy(whole)
    documents["type"]["widgets"][0]["type"] = "graph"
    documents["width"] = copy.deepcopy(whole)
    documents["width"]["widgets"][0]["width"] = "12"
    assert sorted(complaints(documents, tmp_path)) == sorted([*SPOILT, "type", "width"])
