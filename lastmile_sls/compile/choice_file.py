"""A choice on disk, so that a model that did not change is not compiled and certified again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lastmile_runtime.manifest import TensorSpec, Version, hash_file
from lastmile_sls.certification.compare import Report
from lastmile_sls.certification.examples import Example
from lastmile_sls.compile.choose import Choice, Refused, served_files

FILE = "choice.json"


def write(choice: Choice, folder: Path) -> None:
    """Write a choice whose compiled files, if it has any, lie in the folder; what else lies there is removed."""
    is_compiled = choice.report is not None
    kept = {path.name for path in choice.files} if is_compiled else set()
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()
    document = {
        "version": choice.version.to_json(),
        "files": {path.name: _hash(path) for path in choice.files} if is_compiled else None,
        "refused": [vars(refused) for refused in choice.refused],
        "report": choice.report.to_json() if choice.report else None,
        "examples": [vars(example) for example in choice.examples],
    }
    (folder / FILE).write_text(json.dumps(document, indent=1), encoding="utf-8")


def read(folder: Path, artifact: Path) -> Choice:
    """Return the choice in a folder; `artifact` is the original's file.

    Raises OSError, KeyError, TypeError or ValueError for what is not as it was written.
    """
    document: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    version = document["version"]
    tensors = {key: [TensorSpec(**tensor) for tensor in version[key]] for key in ("inputs", "outputs")}
    found = Version(**{**version, **tensors})
    hashes, report = document["files"], document["report"]
    files = served_files(found.predictor, artifact) if hashes is None else [folder / name for name in hashes]
    for path in files if hashes else ():
        if _hash(path) != hashes[path.name]:
            raise ValueError(f"{path.name} was changed")
    return Choice(
        found,
        files,
        [Refused(**refused) for refused in document["refused"]],
        None if report is None else Report.from_json(report),
        [Example(**example) for example in document["examples"]],
    )


def _hash(path: Path) -> str:
    found: str = hash_file(str(path))["sha256"]
    return found
