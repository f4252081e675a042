"""Answers that come later and a file scored by the clock's message, on this machine as the README says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from tests.examples.projects import FOLDER
from tests.lastmile_sls.commands import Workspace, ask

EXAMPLE = "overnight"


def test_it_does_what_its_readme_says(work: Workspace) -> None:
    shutil.copytree(
        FOLDER / EXAMPLE, work.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".lastmile")
    )
    spec = work.folder / "lastmile.yaml"
    text = spec.read_text(encoding="utf-8")
    spec.write_text(text + f"  local: {{port: {work.port}}}\n", encoding="utf-8")
    work.run("up")
    readme = (work.folder / "README.md").read_text(encoding="utf-8")
    body = re.search(r"respond-async' -d '\n(.*?)'", readme, re.DOTALL)
    assert body is not None
    headers = {"x-api-key": work.run("key").stdout.strip(), "prefer": "respond-async"}
    url = work.run("url").stdout.strip()
    assert ask(f"{url}/v2/models/parcel-delay/infer", headers, json.loads(body[1])).status == 202
    bucket = Path(work.run("bucket").stdout.strip())
    (bucket / "batch/in").mkdir(parents=True)
    shutil.copy(work.folder / "parcels.csv", bucket / "batch/in")
    assert work.run("schedule", "run").stdout.splitlines()[-1].split() == [
        *("✓", "parcels.csv", "5", "rows,", "1", "of", "them", "in", "_errors")
    ]
    (part,) = (bucket / "batch/out/parcels.csv").glob("part-*.csv")
    assert part.read_text().splitlines() == [
        "parcel,distance_km,weight_kg,weekday,delay_h",
        "A-1,120,2.5,1,0.3",
        "A-2,800,40,5,8.0",
        "A-3,60,1,6,14.15",
        "A-5,2000,31.5,7,19.0",
    ]
    (errors,) = (bucket / "batch/out/parcels.csv/_errors").glob("part-*.jsonl")
    assert json.loads(errors.read_text()) == {
        "line": 5,
        "reason": "input 'distance_km' is -5, but must be at least 0 and at most 20000.",
        "row": {"parcel": "A-4", "distance_km": "-5", "weight_kg": "1", "weekday": "2"},
    }
    work.run("destroy", "--yes")
