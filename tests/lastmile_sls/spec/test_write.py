from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastmile_sls.spec.load import load
from lastmile_sls.spec.model import Spec
from lastmile_sls.spec.write import to_yaml
from tests.lastmile_sls.spec.specs import FULL, SMALL, write_spec


@pytest.mark.parametrize("text", [SMALL, FULL])
def test_what_is_written_is_read_back(tmp_path: Path, text: str) -> None:
    spec = load(write_spec(tmp_path, text))
    assert load(write_spec(tmp_path, to_yaml(spec, "lastmile.schema.json"))) == spec


@settings(max_examples=150)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_read_back(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spec = load(write_spec(Path(folder), SMALL))
        spec = Spec.model_validate({**spec.model_dump(), "description": text})
        assert load(write_spec(Path(folder), to_yaml(spec, "s.json"))) == spec


def test_a_beginner_sees_what_to_change(tmp_path: Path) -> None:
    spec = load(
        write_spec(tmp_path, SMALL + "contract: {inputs: [{name: age, datatype: FP64, minimum: 1.0}]}\n")
    )
    assert to_yaml(spec, "lastmile.schema.json") == (
        """\
# yaml-language-server: $schema=lastmile.schema.json
name: churn
environment: dev  # dev, staging, prod: each is a deployment of its own
owner: team-a  # who answers for it: a cost tag
cost_center: c-1  # who pays for it: a cost tag

# add a second version here, and give it a share under traffic
versions:
  - id: v1
    artifact: model.joblib
    framework: sklearn

# key: callers send an API key (lastmile key prints it); public: anyone may call
endpoint:
  auth: key

# per process; an idle deployment costs nothing
resources:
  memory_mb: 512
  timeout_s: 30

# what goes in and comes out, with the ranges seen in the sample
contract:
  inputs:
    - {name: age, datatype: FP64, minimum: 1.0}
"""
    )
