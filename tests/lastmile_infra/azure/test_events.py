from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lastmile_infra.azure import events
from lastmile_infra.azure.events import Form
from tests.lastmile_infra.azure.telemetry import Answered, Worked, console, set_aside, traces

FIELD = re.compile(r"\bevent(?:\.([\w.]+)|\['([^']+)'\])")
"""A field of an event in a query."""


def fields(query: str) -> set[str]:
    return {named or quoted for named, quoted in FIELD.findall(query)}


def paths(value: Any, path: str = "") -> set[str]:
    """Return a document's members, by their paths."""
    if not isinstance(value, dict):
        return {path}
    return {inner for key, item in value.items() for inner in paths(item, f"{path}.{key}".lstrip("."))} | {
        path
    }


@pytest.mark.parametrize("form", ["zip", "image"])
def test_every_field_that_is_read_is_one_that_the_runtime_writes(form: Form) -> None:
    lines = traces("app", Answered(), Worked(5)) if form == "zip" else console(Answered())
    written = {path for line in lines for path in paths(json.loads(line))}
    read = fields(events.events(form))
    assert len(read) == {"zip": 6, "image": 5}[form]
    # Nothing on Azure takes messages to a container app (see `lastmile_sls.targets.work`).
    assert read - written == (set() if form == "zip" else {"queue_age_s"})


def test_what_each_alarm_asks() -> None:
    answered = "| where function == 'app' and trigger == 'http'\n"
    numbers = {
        events.error_share("zip", "app"): (answered, "100.0 * countif(status >= 500) / count()"),
        events.latency("zip", "app"): (answered, "percentile(duration_ms, 95)"),
        events.throttled("zip", "app"): (answered, "countif(status == 429)"),
        events.queue_age("zip"): ("| where trigger == 'pubsub'\n", "max(queue_age_s)"),
    }
    for query, (rows, value) in numbers.items():
        assert query == (
            f"{events.events('zip')}\n{rows}"
            f"| summarize TimeGenerated = max(TimeGenerated), value = {value}, rows = count()\n"
            "| where rows > 0\n"
            "| project TimeGenerated, value"
        )


def test_a_message_that_was_set_aside_is_one_that_the_host_says_it_set_aside() -> None:
    query, told = events.dead_letters("churn-dev-jobs-poison"), set_aside("churn-dev-jobs-poison")
    begins = re.search(r"Message startswith '([^']+)'", query)
    has = re.search(r'Message contains "([^"]+)"', query)
    assert begins
    assert told.startswith(begins[1])
    assert has
    assert has[1] in told
    assert has[1] not in set_aside("another-poison")
