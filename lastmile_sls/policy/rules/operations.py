"""Who is woken, and what a month may cost, in the environments where that matters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import FUNCTIONS, STACK, UNKNOWN, Resource, at, of_type, tag_of
from lastmile_sls.policy.rule import Found, Problem, Rule, unknown

_ALARMS: Mapping[str, tuple[str, str, str]] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", "actionsEnabled", "alarmActions"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("alarmName", "actionsEnabled", "alarmActions"),
    "gcp:monitoring/alertPolicy:AlertPolicy": ("displayName", "enabled", "notificationChannels"),
    "azure-native:monitor:MetricAlert": ("ruleName", "enabled", "actions"),
    "azure-native:monitor:ScheduledQueryRule": ("ruleName", "enabled", "actions.actionGroups"),
}
"""By type: the input with its name, the one that switches it off, and the one with whom it tells."""
_BUDGETS: Mapping[str, tuple[str, str]] = {
    "aws:budgets/budget:Budget": ("limitAmount", "notifications"),
    "gcp:billing/budget:Budget": ("amount.specifiedAmount.units", "thresholdRules"),
    "azure-native:consumption:Budget": ("amount", "notifications"),
    "azure-native:costmanagement:Budget": ("amount", "notifications"),
}
"""By type: the input with the limit, and the one with when somebody is told."""


def _judge_alarms(resources: Sequence[Resource], parameters: Parameters) -> Iterator[Found]:
    alarms = of_type(resources, *_ALARMS)
    for stack, environment in _held(resources, parameters.alarms.environments):
        for signal in parameters.alarms.signals:
            mine = [alarm for alarm in alarms if _is_on(alarm, signal)]
            if not mine:
                yield stack, Problem(f"{environment} has no alarm on {signal}.")
            elif not any(_tells(alarm) for alarm in mine):
                yield (
                    mine[0],
                    Problem(f"{environment} has an alarm on {signal} that is switched off, or tells nobody."),
                )


def _is_on(alarm: Resource, signal: str) -> bool:
    """Tell whether an alarm is on a signal: one of its names says so."""
    names = [alarm.name, at(alarm.inputs, _ALARMS[alarm.type][0])]
    word = re.compile(rf"(^|[^a-z]){signal}($|[^a-z])")
    return any(isinstance(name, str) and word.search(name.lower()) for name in names)


def _tells(alarm: Resource) -> bool:
    _, switch, told = _ALARMS[alarm.type]
    return at(alarm.inputs, switch) is not False and bool(at(alarm.inputs, told))


def _judge_budget(resources: Sequence[Resource], parameters: Parameters) -> Iterator[Found]:
    budgets = of_type(resources, *_BUDGETS)
    for stack, environment in _held(resources, parameters.budget.environments):
        if not budgets:
            yield stack, Problem(f"{environment} has no budget.")
    for budget in budgets:
        limit, alerts = (at(budget.inputs, path) for path in _BUDGETS[budget.type])
        if parameters.budget.environments and not alerts:
            yield budget, Problem(f"{_BUDGETS[budget.type][1]} is empty, so that nobody is told.")
        if parameters.budget.max_monthly is not None:
            yield from ((budget, problem) for problem in _over(budget, limit, parameters.budget.max_monthly))


def _over(budget: Resource, limit: Any, most: float) -> Iterator[Problem]:
    path = _BUDGETS[budget.type][0]
    if limit is UNKNOWN:
        yield unknown(path)
    elif limit is None:
        yield Problem(f"{path} is not set; at most {most:g} is allowed.")
    elif float(limit) > most:
        yield Problem(f"{path} is {float(limit):g}; at most {most:g} is allowed.")


def _held(resources: Sequence[Resource], environments: Iterable[str]) -> Iterator[tuple[Resource, str]]:
    """Yield the stack, and its functions' environment by their tags, if that is one of these."""
    found = {tag_of(function, "environment") for function in of_type(resources, *FUNCTIONS)}
    for stack in of_type(resources, STACK):
        for environment in sorted(found & set(environments), key=str):
            yield stack, environment


ALARMS = Rule(
    id="alarms",
    demands="In these environments somebody is told of every signal that is required.",
    fix="Set operations.notify: the alarms come with it.",
    of_stack=_judge_alarms,
)
BUDGET = Rule(
    id="budget",
    demands="In these environments a month's cost has a limit, of which somebody is told.",
    fix="Set budget.monthly_limit and budget.notify, or lower the limit.",
    of_stack=_judge_budget,
)
