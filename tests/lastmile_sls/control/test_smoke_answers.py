from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.bundle.trust.beside import bind, certification_name, folder_of, write_documents
from lastmile_sls.control.smoke_answers import read_certified
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.document import render
from tests.lastmile_infra.plans import DIGEST, plan_of, spec_of, two_versions

ROW = [{"name": "x", "shape": [1], "datatype": "FP64", "data": [2.0]}]


def test_the_answers_of_every_function_are_read(tmp_path: Path) -> None:
    plan = plan_of(spec_of(**two_versions(apart=True)), "aws")
    (tmp_path / "plan.json").write_text(render(plan))
    for function in plan["functions"]:
        example = {"inputs": ROW, "outputs": ROW}
        contents = {
            certification_name(version): bind({"examples": [example], "tolerances": {"y": 0.1}}, DIGEST)
            for version in function["versions"]
        }
        write_documents(folder_of(tmp_path / function["bundle"]["path"]), DIGEST, contents)
    found = read_certified(tmp_path)
    assert (found.model, found.champion, found.digests) == ("churn", "v1", {"v1": DIGEST, "v2": DIGEST})
    assert [(q.version, q.inputs, q.tolerances) for q in found.questions["v2"]] == [("v2", ROW, {"y": 0.1})]


def test_a_project_that_was_not_built_or_by_another_version_is_told(tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as caught:
        read_certified(tmp_path)
    assert caught.value.message == f"no certified answers are here: {tmp_path / 'plan.json'} is not there."
    assert caught.value.hint == "Build it: lastmile build"
    (tmp_path / "plan.json").write_text('{"format": "lastmile.plan/1"}')
    with pytest.raises(LastmileError, match=r"no certified answers are here: .* has the format"):
        read_certified(tmp_path)
