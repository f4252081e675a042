from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import azure.functions as func

from lastmile_infra.azure.schedule import _FUNCTION
from lastmile_runtime.adapters.azure import _take_times
from tests.lastmile_infra.azure.recorded import GROUP, Run, provisioned
from tests.lastmile_infra.plans import spec_of

APP = "churn-dev-predict"


def test_the_clock_is_a_setting_of_the_function(watched: Run) -> None:
    assert watched.settings(APP)["LASTMILE_SCHEDULE"] == "0 0 6 * * 1,2,3,4,5"
    assert watched.outputs["schedule"] == f"{GROUP}/Microsoft.Web/sites/{APP}-1234567/functions/scheduled"


def test_without_a_schedule_there_is_no_clock(tmp_path: Path) -> None:
    run = provisioned(spec_of(queue={}), tmp_path)
    assert "LASTMILE_SCHEDULE" not in run.settings(APP)
    assert "schedule" not in run.outputs


def test_the_function_is_the_runtimes() -> None:
    functions: Any = None  # nothing is called
    app = func.FunctionApp()
    _take_times(app, functions)
    (made,) = app.get_functions()
    assert made.get_function_name() == _FUNCTION
    (trigger,) = json.loads(str(made))["bindings"]
    assert (trigger["type"], trigger["schedule"]) == ("timerTrigger", "%LASTMILE_SCHEDULE%")
