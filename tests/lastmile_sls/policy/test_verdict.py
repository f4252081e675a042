"""Verdicts: their order, their weight, their words."""

from __future__ import annotations

from typing import get_args

import pytest

from lastmile_sls.policy.parameters import Parameters, RuleId
from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.policy.rules import RULES
from lastmile_sls.policy.verdict import active, judge
from tests.lastmile_sls.policy.judged import made

LARGE = made("aws:lambda/function:Function", "predict", memorySize=4096, name="predict")
GROUP = made("aws:cloudwatch/logGroup:LogGroup", "logs", name="/aws/lambda/predict", retentionInDays=UNKNOWN)


def test_what_is_found_is_told_with_its_fix() -> None:
    parameters = Parameters.model_validate({"functions": {"max_memory_mb": 1024}, "logs": {"max_days": 30}})
    memory, logs = sorted(judge([LARGE, GROUP, GROUP], parameters), reverse=True)
    assert str(memory) == (
        "Function predict: memorySize is 4096 MB; at most 1024 MB are allowed. Lower resources.memory_mb."
    )
    assert str(logs) == "LogGroup logs: retentionInDays is known only after creation."
    assert (memory.stops, logs.stops) == (True, False)
    assert (memory.severity, logs.severity, logs.outcome) == ("mandatory", "mandatory", "unknown")
    assert memory.urn == LARGE.urn


@pytest.mark.parametrize(("weight", "found"), [("mandatory", [True]), ("advisory", [False]), ("off", [])])
def test_how_much_a_rule_weighs_is_a_parameter(weight: str, found: list[bool]) -> None:
    parameters = Parameters.model_validate(
        {"functions": {"max_memory_mb": 1024}, "rules": {"memory": weight, "log-retention": "off"}}
    )
    assert [verdict.stops for verdict in judge([LARGE, GROUP], parameters)] == found
    assert ("memory" in {rule.id for rule in active(parameters)}) == (weight != "off")


def test_every_rule_has_its_id_its_demand_and_its_fix() -> None:
    assert tuple(rule.id for rule in RULES) == get_args(RuleId)
    for rule in RULES:
        assert rule.demands.endswith("."), rule.id
        assert rule.fix.endswith("."), rule.id
        assert (rule.of_resource is None) != (rule.of_stack is None), rule.id
