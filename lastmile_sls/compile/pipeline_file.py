"""Writes a pipeline as the JSON document that the runtime evaluates, and its forest as a forest file beside it.

Floats are written as Python writes them, which reads back to the same bits; NaN and infinities as JSON's usual words.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lastmile_sls.compile import forest_file
from lastmile_sls.compile.forest import Forest
from lastmile_sls.compile.pipeline import Branches, Pipeline, Step

FORMAT = "lastmile.pipeline/1"
FOREST_SUFFIX = ".forest"


def write(pipeline: Pipeline, path: Path) -> list[Path]:
    """Write a pipeline, the same one always as the same bytes; return the files that there are now, `path` first.

    Raises OSError, and ForestError for a forest that the file cannot hold.
    """
    written = [path]
    document: dict[str, Any] = {
        "format": FORMAT,
        "columns": pipeline.columns,
        "steps": _steps(pipeline.steps),
        "widths": pipeline.widths,
        "answers": [asdict(answer) for answer in pipeline.answers],
    }
    if isinstance(pipeline.final, Forest):
        beside = path.with_name(path.name + FOREST_SUFFIX)
        beside.write_bytes(forest_file.render(pipeline.final))
        written.append(beside)
        document["final"] = {"kind": "forest", "file": beside.name}
    elif pipeline.final is not None:
        document["final"] = {"kind": pipeline.final.KIND, **asdict(pipeline.final)}
    path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")), encoding="ascii")
    return written


def _steps(steps: list[Step]) -> list[dict[str, Any]]:
    return [
        {"kind": step.KIND, "branches": [_steps(branch) for branch in step.branches]}
        if isinstance(step, Branches)
        else {"kind": step.KIND, **asdict(step)}
        for step in steps
    ]
