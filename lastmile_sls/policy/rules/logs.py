"""How long logs are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import UNKNOWN, Resource, at, of_type
from lastmile_sls.policy.rule import Found, Problem, Rule, unknown

_RETENTION: Mapping[str, tuple[str, int | None]] = {
    "aws:cloudwatch/logGroup:LogGroup": ("retentionInDays", None),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": ("retentionDays", 30),
    "azure-native:operationalinsights:Workspace": ("retentionInDays", 30),
    "azure-native:operationalinsights:Table": ("retentionInDays", 0),
}
"""By type: the input, and the days when nothing, or 0, is said: None is for ever, 0 what the workspace says
(docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html; ProjectBucketConfigArgs;
learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure, 2026-11-29)."""


def _judge(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    if resource.type not in _RETENTION:
        return
    path, default = _RETENTION[resource.type]
    value, logs = at(resource.inputs, path), parameters.logs
    if value is UNKNOWN:
        yield unknown(path)
        return
    days = int(value) if value and int(value) > 0 else default
    between = f"{logs.min_days} to {logs.max_days} days are allowed"
    if days == 0:
        return
    if days is None:
        yield Problem(f"{path} is not set, so that logs are kept for ever; {between}.")
    elif not logs.min_days <= days <= logs.max_days:
        yield Problem(f"{path} is {days}; {between}.")


def _judge_functions(resources: Sequence[Resource], parameters: Parameters) -> Iterator[Found]:
    """A function of AWS's whose group is not made beforehand makes one itself, without retention or tags."""
    groups = of_type(resources, "aws:cloudwatch/logGroup:LogGroup")
    names = [at(group.inputs, "name") for group in groups]
    for function in of_type(resources, "aws:lambda/function:Function"):
        wanted = at(function.inputs, "loggingConfig.logGroup") or _own(at(function.inputs, "name"))
        if isinstance(wanted, str) and wanted in names:
            continue
        if wanted is UNKNOWN or (names and not all(isinstance(name, str) for name in names)):
            yield function, unknown("which log group it writes to")
        else:
            yield function, Problem("no LogGroup of the stack is the one that it writes to.")


def _own(name: Any) -> Any:
    return f"/aws/lambda/{name}" if isinstance(name, str) else UNKNOWN


LOG_RETENTION = Rule(
    id="log-retention",
    demands="Logs are kept as long as they must be, and not longer than they may be.",
    fix="Set operations.log_retention_days.",
    of_resource=_judge,
)
LOG_GROUPS = Rule(
    id="log-groups",
    demands="Every function of AWS's writes into a log group of its stack, which has a retention.",
    fix="lastmile makes one for each function; elsewhere make a LogGroup named /aws/lambda/ and the function's name.",
    of_stack=_judge_functions,
)
