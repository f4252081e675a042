"""What a budget has changed of a spec's numbers is applied to the plan and said, and goes when it goes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lastmile_runtime.stores import open_store
from lastmile_sls.budget import override
from lastmile_sls.budget.apply import apply_override, find_override
from lastmile_sls.budget.apply import prepare as prepare_deployed
from lastmile_sls.budget.override import Override
from lastmile_sls.build.prepare import Prepared, prepare
from lastmile_sls.build.record import read_record
from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records
from lastmile_sls.local.home import Place
from lastmile_sls.local.records import Owner, Record
from lastmile_sls.plan.document import read
from lastmile_sls.spec.model import Resources

SINCE = "2026-11-22T06:00:00Z"
OVERRIDE = Override("2026-11/drop-warm", 0, SINCE, "96.0", "cron@runner", "96.0 % of 250 USD spent")
BUDGET = {"monthly_limit": 250, "notify": ["a@example.com"], "actions": {"drop_warm_percent": 95}}
TOLD = f"min_instances is 0 instead of 2: budget override since {SINCE} (96.0 % spent)"


def write_spec(folder: Path) -> Path:
    """Write a spec with one plain model that keeps two instances warm."""
    folder.mkdir()
    (folder / "model.py").write_text(
        "class Model:\n    def predict(self, inputs):\n        return {'y': inputs['x']}\n"
    )
    tensor = [{"name": "x", "datatype": "FP64", "shape": [-1, 1]}]
    spec = {
        "name": "m",
        "owner": "o",
        "cost_center": "c",
        "versions": [{"id": "v1", "artifact": "model.py", "framework": "python", "entry": "Model"}],
        "contract": {"inputs": tensor, "outputs": [{**tensor[0], "name": "y"}]},
        "bundle": {"bytecode": "none"},
        "resources": {"min_instances": 2},
        "budget": BUDGET,
    }
    path = folder / "lastmile.yaml"
    path.write_text(yaml.safe_dump(spec))
    return path


def warm_on_disk(prepared: Prepared) -> list[int]:
    plan = read(prepared.program.folder / "plan.json")
    return [function["min_instances"] for function in plan["functions"]]


def test_it_is_applied_to_the_plan_said_and_gone_with_the_next_plan(tmp_path: Path) -> None:
    environ = {"LASTMILE_HOME": str(tmp_path / "home"), "LASTMILE_CACHE": str(tmp_path / "cache")}
    spec = write_spec(tmp_path / "work")
    prepared = prepare(spec, "local", environ)
    assert (warm_on_disk(prepared), prepared.overrides) == ([2], ())
    assert prepared.plan["routing"] is not None  # one version, but a budget that acts
    under = apply_override(prepared, OVERRIDE)
    assert (warm_on_disk(under), under.overrides) == ([0], (TOLD,))
    assert under.plan == read(under.program.folder / "plan.json")
    kept = read_record(under.program.folder)
    assert kept == under.record
    again = prepare(spec, "local", environ)
    assert (warm_on_disk(again), again.plan, again.overrides) == ([2], prepared.plan, ())
    assert apply_override(again, None) is again
    assert find_override(again, environ) is None  # nothing is deployed
    place = Place.of(tmp_path / "home", "m-dev")
    owner = Owner("urn:pulumi:dev-local::m::x", "embedded")
    inputs = {"bucket": "state", "path": "routing.json"}
    records.put(place, Record("document", "routing", inputs, {}, owner, SINCE))
    store = open_store((place.root / "buckets" / "state").as_uri())
    assert find_override(again, environ) is None
    store.put(override.PATH, json.dumps({"format": override.FORMAT, **vars(OVERRIDE)}).encode())
    assert find_override(again, environ) == OVERRIDE
    deployed = prepare_deployed(spec, "local", environ)
    assert (deployed.overrides, deployed.plan, warm_on_disk(deployed)) == ((TOLD,), under.plan, [0])
    assert deployed.record.is_current(deployed.record.inputs, deployed.program.folder)
    for update in (
        {"budget": None},
        {"resources": Resources()},
    ):  # it acts no more, or there is nothing to drop
        other = replace(again, spec=again.spec.model_copy(update=update))
        assert find_override(other, environ) is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            {"format": "lastmile.override/2"},
            "its format is 'lastmile.override/2', but this version reads 'lastmile.",
        ),
        ({**vars(OVERRIDE), "format": override.FORMAT, "min_instances": -1}, "min_instances is -1."),
        (
            {**vars(OVERRIDE), "format": override.FORMAT, "max": 1},
            "Override.__init__() got an unexpected keyword",
        ),
        ([], "list indices must be integers"),
    ],
)
def test_one_that_cannot_be_read_stops_the_deployment(tmp_path: Path, content: object, why: str) -> None:
    store = open_store(tmp_path.as_uri())
    store.put(override.PATH, json.dumps(content).encode())
    with pytest.raises(LastmileError) as refused:
        override.read(store)
    told = "budget/override.json, which may say how many instances are kept warm, cannot be used: "
    assert refused.value.message.startswith(told + why)
