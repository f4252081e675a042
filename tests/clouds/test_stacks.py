"""Golden files hold no secret, no unknown, no folder of a machine; plugins stand in the project's own file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from lastmile_sls.engine.properties import ASSET_SIGNATURE, SIGNATURE_KEY, UNKNOWN_SENTINEL, secret
from tests.clouds.stacks import assert_golden, golden, install_plugins, read_golden, write_project
from tests.clouds.wire import Record

RECORDS = [
    Record("b:b:B", "z", {"plain": "at /tmp/x/y", "hidden": [secret("hush")], "later": UNKNOWN_SENTINEL}),
    Record(
        "a:a:A", "y", {"__defaults": [], "code": {SIGNATURE_KEY: ASSET_SIGNATURE, "path": "/tmp/x/c.zip"}}
    ),
]
TEXT = """[
  {
    "inputs": {
      "code": "[file c.zip]"
    },
    "name": "y",
    "type": "a:a:A"
  },
  {
    "inputs": {
      "hidden": [
        "[secret]"
      ],
      "later": "[unknown]",
      "plain": "at FOLDER/y"
    },
    "name": "z",
    "type": "b:b:B"
  }
]
"""


def test_a_golden_text_is_stable_and_veiled() -> None:
    assert golden(RECORDS, {"/tmp/x": "FOLDER"}) == TEXT
    assert golden(RECORDS[::-1], {"/tmp/x": "FOLDER"}) == TEXT


def test_the_month_in_which_a_budget_begins_is_not_in_a_golden_text() -> None:
    begun = "2026-11-01T00:00:00Z"
    texts = [
        golden([Record("b:b:B", "z", {"timePeriod": {"startDate": start}})])
        for start in (begun, begun.replace("11", "12"))
    ]
    assert texts[0] == texts[1]
    assert '"startDate": "[this month]"' in texts[0]
    assert "2026-11-02" in golden([Record("b:b:B", "z", {"startDate": "2026-11-02T00:00:00Z"})])


def test_a_golden_file_is_written_on_demand_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "golden"
    monkeypatch.delenv("LASTMILE_GOLDEN", raising=False)
    with pytest.raises(AssertionError, match=r"one\.json is not there. Write it: LASTMILE_GOLDEN=write"):
        assert_golden("one", RECORDS, folder=folder)
    monkeypatch.setenv("LASTMILE_GOLDEN", "write")
    assert_golden("one", RECORDS, folder=folder)
    monkeypatch.delenv("LASTMILE_GOLDEN")
    assert_golden("one", RECORDS, folder=folder)
    assert [r.key for r in read_golden(folder / "one.json")] == [("a:a:A", "y"), ("b:b:B", "z")]
    with pytest.raises(AssertionError, match="says otherwise"):
        assert_golden("one", RECORDS[:1], folder=folder)


def test_plugins_take_the_place_of_those_that_the_project_names(tmp_path: Path) -> None:
    write_project(tmp_path / "project", "")
    path = tmp_path / "project" / "Pulumi.yaml"
    named = {"providers": [{"name": "lastmile", "path": "bin"}, {"name": "random", "path": "other"}]}
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "plugins": named}))
    install_plugins(tmp_path / "project", tmp_path / "plugins")
    told = yaml.safe_load(path.read_text())["plugins"]["providers"]
    assert [plugin["name"] for plugin in told] == ["random", "aws", "gcp", "azure-native", "lastmile"]
    for name in ("aws", "gcp", "azure-native", "lastmile"):
        assert os.access(tmp_path / "plugins" / f"pulumi-resource-{name}", os.X_OK)
