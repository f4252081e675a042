"""What the last build made, beside it: an unchanged spec is not built again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lastmile_sls.bundle.cache import key_of
from lastmile_sls.bundle.served import Served
from lastmile_sls.certification.first_answer import FirstAnswer

FILE = "build.json"
FORMAT = "lastmile.build/1"


@dataclass(frozen=True)
class Record:
    """A build."""

    inputs: str
    """The key of all that it was made from (see `lastmile_sls.build.inputs`)."""
    outputs: Mapping[str, str]
    """What was made, by path relative to the project: a digest of all names, sizes and times."""
    packages: Mapping[str, str]
    """The package of each function that has one, by path relative to the project."""
    system_libraries: Mapping[str, Mapping[str, str]]
    """By function, what its packages load and do not bring, each with the file that loads it."""
    predictors: list[Served]
    answers: dict[str, FirstAnswer | str] | None
    """The first answers, where they were measured."""

    def is_current(self, inputs: str, folder: Path) -> bool:
        """Tell whether all that it made is there as it was, and would be made again."""
        return self.inputs == inputs and all(
            state_of(folder / name) == state for name, state in self.outputs.items()
        )


def read_record(folder: Path) -> Record | None:
    """Return the record of a project; None where there is none that this version reads."""
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            return None
        predictors = [Served(**entry) for entry in document["predictors"]]
        answers = document["answers"]
        return Record(
            *(document["inputs"], document["outputs"], document["packages"]),
            *(document["system_libraries"], predictors),
            None if answers is None else _answers(answers),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(folder: Path, record: Record) -> None:
    """Write the record of a project. Raises OSError."""
    document: dict[str, Any] = {"format": FORMAT, **asdict(record)}
    half = folder / f".{FILE}.new"
    half.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    half.replace(folder / FILE)


def forget_record(folder: Path) -> None:
    """Remove the record: what it says is about to change. Raises OSError."""
    (folder / FILE).unlink(missing_ok=True)


def state_of(path: Path) -> str:
    """Return a digest of the names, sizes and times of a file, or of all files in a folder; empty when it is not there."""
    if path.is_file():
        return key_of([_mark(path.stat())])
    if not path.is_dir():
        return ""
    found = []
    for folder, folders, names in os.walk(path):
        folders.sort()
        found += [
            [folder[len(str(path)) :], name, *_mark(os.lstat(f"{folder}/{name}"))] for name in sorted(names)
        ]
    return key_of(found)


def _mark(state: os.stat_result) -> tuple[int, int, int]:
    return state.st_size, state.st_mtime_ns, state.st_ino


def _answers(answers: dict[str, Any]) -> dict[str, FirstAnswer | str]:
    return {
        id_: FirstAnswer(**answer) if isinstance(answer, dict) else str(answer)
        for id_, answer in answers.items()
    }
