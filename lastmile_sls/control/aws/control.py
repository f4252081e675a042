"""What AWS says of a deployment: Lambda's functions, EventBridge Scheduler's clock, CloudWatch's alarms."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.aws.client import Aws
from lastmile_sls.control.aws.log import LogGroup
from lastmile_sls.control.aws.queue import SqsView
from lastmile_sls.control.aws.usage import counted
from lastmile_sls.control.clock import CloudClock
from lastmile_sls.control.refusals import MissingError
from lastmile_sls.control.schedules import next_run
from lastmile_sls.control.times import read, told
from lastmile_sls.control.told import AlarmMode, AlarmState, FunctionState, ScheduleMode, ScheduleState, State
from lastmile_sls.control.usage import Counted
from lastmile_sls.plan.grouping import ROUTER

ALIAS = "live"
"""What callers reach (see `lastmile_infra.aws.policies`)."""
_DIGEST = "LASTMILE_MANIFEST_DIGEST"
_NAMESPACE, _ERRORS = "lastmile", "faas.errors"
"""What the runtime counts (`lastmile_runtime.forms.emf`)."""
_HOUR_S = 3600
_MODES: dict[str, AlarmMode] = {"OK": "ok", "ALARM": "alarm", "INSUFFICIENT_DATA": "no data"}


class Control:
    """A deployment on AWS."""

    def __init__(self, stack: CloudStack) -> None:
        """Raises LastmileError when boto3 is not installed."""
        self._stack = stack
        self._aws = Aws(stack)
        self._clock = CloudClock()

    def functions(self) -> tuple[FunctionState, ...]:
        """Return what Lambda says of the alias that callers reach."""
        return tuple(self._function(name, arn) for name, arn in self._stack.parts("functions").items())

    def schedule(self) -> ScheduleState | None:
        """Return the clock; Scheduler does not say when it ran last."""
        id_ = self._stack.schedule
        if id_ is None:
            return None
        group, _, name = id_.rpartition(":")[2].removeprefix("schedule/").rpartition("/")
        asked = {"Name": name, **({"GroupName": group} if group else {})}
        try:
            with self._aws.asking(f"the schedule {name}"):
                found = self._aws.client("scheduler").get_schedule(**asked)
        except MissingError as error:
            return ScheduleState(id_, "missing", last_error=error.message)
        mode: ScheduleMode = "on" if found["State"] == "ENABLED" else "paused"
        expression = found["ScheduleExpression"]
        due = next_run(expression, self._clock.now()) if mode == "on" else None
        return ScheduleState(id_, mode, expression, due)

    def alarms(self) -> tuple[AlarmState, ...]:
        """Return what CloudWatch says of each."""
        ids = self._stack.parts("alarms")
        if not ids:
            return ()
        with self._aws.asking("the alarms"):
            answer = self._aws.client("cloudwatch").describe_alarms(AlarmNames=sorted(ids.values()))
        found = {alarm["AlarmName"]: alarm for alarm in answer["MetricAlarms"]}
        return tuple(_alarm(signal, id_, found.get(id_)) for signal, id_ in ids.items())

    def queue(self) -> SqsView | None:
        """Return the queue."""
        urls = self._stack.parts("queue")
        return SqsView(self._aws, urls["jobs"], urls["dead_letters"], self._clock) if urls else None

    def log(self, function: str) -> LogGroup:
        """Return a function's log group."""
        return LogGroup(self._aws, function, self._stack.parts("logs")[function], self._clock)

    def usage(self, since: date) -> tuple[Counted, ...]:
        """Return each version's requests from a day on."""
        arn = self._stack.parts("functions")[ROUTER]
        name = arn.rpartition(":function:")[2].partition(":")[0]
        return counted(self._aws, name, self._stack.versions, since, self._clock.now())

    def _function(self, name: str, arn: str) -> FunctionState:
        what = f"the function {name}"
        client = self._aws.client("lambda")
        try:
            with self._aws.asking(what):
                found = client.get_function_configuration(FunctionName=arn, Qualifier=ALIAS)
        except MissingError as error:
            return FunctionState(name, arn, "missing", error.message)
        state, why = _state(found)
        with self._aws.asking(what):
            limit = client.get_function_concurrency(FunctionName=arn)
        return FunctionState(
            name,
            arn,
            state,
            why,
            found["Version"],
            found.get("Environment", {}).get("Variables", {}).get(_DIGEST),
            found["MemorySize"],
            self._warm(arn, what),
            limit.get("ReservedConcurrentExecutions"),
            _when(found.get("LastModified")),
            self._errors(found["FunctionName"]),
        )

    def _warm(self, arn: str, what: str) -> int:
        """Return how many instances are kept ready; for a function that is there, 404 says that none are."""
        from botocore.exceptions import ClientError

        client = self._aws.client("lambda")
        with self._aws.asking(what):
            try:
                found = client.get_provisioned_concurrency_config(FunctionName=arn, Qualifier=ALIAS)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return 0
                raise
        return int(found["RequestedProvisionedConcurrentExecutions"])

    def _errors(self, function: str) -> int:
        now = self._clock.now()
        with self._aws.asking("the errors of the last hour"):
            answer = self._aws.client("cloudwatch").get_metric_statistics(
                Namespace=_NAMESPACE,
                MetricName=_ERRORS,
                Dimensions=[{"Name": "function", "Value": function}],
                StartTime=now - timedelta(seconds=_HOUR_S),
                EndTime=now,
                Period=_HOUR_S,
                Statistics=["Sum"],
            )
        errors: int = round(sum(point["Sum"] for point in answer["Datapoints"]))
        return errors


def _state(found: dict[str, Any]) -> tuple[State, str | None]:
    """Return a function's state; one that Lambda has put to rest is ready, for it wakes with the next call
    (docs.aws.amazon.com/lambda/latest/dg/functions-states.html, read 2026-11-29)."""
    match found.get("State", "Active"):
        case "Active" if found.get("LastUpdateStatus") == "Failed":
            return "failed", found.get("LastUpdateStatusReason")
        case "Active" if found.get("LastUpdateStatus") == "InProgress":
            return "updating", found.get("LastUpdateStatusReason")
        case "Active" | "Inactive":
            return "ready", None
        case "Pending":
            return "updating", found.get("StateReason")
        case _:
            return "failed", found.get("StateReason")


def _alarm(signal: str, id_: str, found: dict[str, Any] | None) -> AlarmState:
    if found is None:
        return AlarmState(signal, id_, "missing")
    state = _MODES[found["StateValue"]]
    since = told(found.get("StateTransitionedTimestamp") or found.get("StateUpdatedTimestamp"))
    return AlarmState(
        signal, id_, state, (found.get("StateReason") or None) if state == "alarm" else None, since
    )


def _when(text: str | None) -> str | None:
    return told(read(text)) if text else None
