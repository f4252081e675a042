"""The certified answers of a project that was built: what a deployment is asked, and by which bundle it should answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.bundle.trust.beside import certification_name, folder_of, read_documents
from lastmile_sls.check.answers import Question
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import read


@dataclass(frozen=True)
class Certified:
    """What is known of a model's versions."""

    model: str
    champion: str
    questions: Mapping[str, list[Question]]
    """By version; none where the model could not be asked when it was built."""
    digests: Mapping[str, str]
    """Of the bundle that each version is in."""


def read_certified(project: Path) -> Certified:
    """Return what a project's bundles were certified with. Raises LastmileError when there are none."""
    path = project / "plan.json"
    if not path.exists():
        raise LastmileError(
            f"no certified answers are here: {path} is not there.", "Build it: lastmile build"
        )
    try:
        plan = read(path)
    except ValueError as error:
        raise LastmileError(f"no certified answers are here: {error}", "Build it: lastmile build") from error
    questions: dict[str, list[Question]] = {}
    digests = {}
    for function in plan["functions"]:
        documents = read_documents(folder_of(project / function["bundle"]["path"]))
        for version in function["versions"]:
            found = json.loads(documents.contents[certification_name(version)])
            tolerances = found.get("tolerances", {})
            questions[version] = [
                Question(version, one["inputs"], one["outputs"], tolerances) for one in found["examples"]
            ]
            digests[version] = function["bundle"]["digest"]
    routing = plan["functions"][0]["routing"]
    return Certified(plan["project"], routing["champion"], questions, digests)
