"""What Google says of a deployment: Cloud Run's services and revisions, Scheduler's clock, Monitoring's alerts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.gcp.client import Google
from lastmile_sls.control.gcp.log import ServiceLog
from lastmile_sls.control.gcp.metrics import total
from lastmile_sls.control.gcp.queue import PubSubView
from lastmile_sls.control.gcp.usage import counted
from lastmile_sls.control.refusals import MissingError
from lastmile_sls.control.times import read, told
from lastmile_sls.control.told import AlarmState, FunctionState, ScheduleMode, ScheduleState, State
from lastmile_sls.control.usage import Counted
from lastmile_sls.plan.grouping import ROUTER

_DIGEST = "LASTMILE_MANIFEST_DIGEST"
_RETRIED_FOR_S, _FIRST_PAUSE_S = 30.0, 1.0
_UNITS_MB = {"Mi": 1.0, "Gi": 1024.0, "M": 1e6 / 2**20, "G": 1e9 / 2**20, "Ki": 1 / 1024}


class Control:
    """A deployment on Google Cloud."""

    def __init__(self, stack: CloudStack, google: Google | None = None) -> None:
        """Raises LastmileError when google-cloud-run is not installed, or nobody is logged in."""
        self._stack = stack
        self._google = google or Google(stack)

    def functions(self) -> tuple[FunctionState, ...]:
        """Return what Cloud Run says of each service, and of the revision that answers."""
        return tuple(self._function(name, id_) for name, id_ in self._stack.parts("functions").items())

    def schedule(self) -> ScheduleState | None:
        """Return the clock."""
        id_ = self._stack.schedule
        if id_ is None:
            return None
        try:
            found = self._google.rest(f"the schedule {id_.rpartition('/')[2]}", "cloudscheduler", id_)
        except MissingError as error:
            return ScheduleState(id_, "missing", last_error=error.message)
        status = found.get("status") or {}
        failed = str(status.get("message") or f"code {status['code']}") if status.get("code") else None
        mode: ScheduleMode = "on" if found.get("state") == "ENABLED" else "paused"
        return ScheduleState(
            id_,
            mode,
            found.get("schedule"),
            _time(found.get("scheduleTime")) if mode == "on" else None,
            _time(found.get("lastAttemptTime")),
            failed,
        )

    def alarms(self) -> tuple[AlarmState, ...]:
        """Return which policies have an open alert."""
        ids = self._stack.parts("alarms")
        if not ids:
            return ()
        alerts = self._google.rest(
            "the alerts",
            "monitoring",
            f"projects/{self._google.project}/alerts",
            parameters={"filter": 'state="OPEN"', "pageSize": 1000},
        ).get("alerts", ())
        open_since = {alert["policy"]["name"]: alert.get("openTime") for alert in reversed(alerts)}
        return tuple(
            AlarmState(signal, id_, "alarm", None, _time(open_since[id_]))
            if id_ in open_since
            else AlarmState(signal, id_, "ok")
            for signal, id_ in ids.items()
        )

    def queue(self) -> PubSubView | None:
        """Return the queue."""
        names = self._stack.parts("queue")
        if not names:
            return None
        return PubSubView(self._google, names["topic"], names["subscription"], names["dead_letters"])

    def log(self, function: str) -> ServiceLog:
        """Return a function's log."""
        return ServiceLog(self._google, function, self._stack.parts("logs")[function])

    def usage(self, since: date) -> tuple[Counted, ...]:
        """Return each version's requests from a day on."""
        service = self._stack.parts("functions")[ROUTER].rpartition("/")[2]
        return counted(self._google, self._stack.deployment, service, since)

    def _function(self, name: str, id_: str) -> FunctionState:
        what = f"the function {name}"
        try:
            service = self._get("ServicesClient", "get_service", id_, what)
        except MissingError as error:
            return FunctionState(name, id_, "missing", error.message)
        state, why = _state(service)
        ready = service.latest_ready_revision
        live: Any = self._get("RevisionsClient", "get_revision", ready, what) if ready else service.template
        container = live.containers[0]
        return FunctionState(
            name,
            id_,
            state,
            why,
            ready.rpartition("/")[2] or None,
            next((env.value for env in container.env if env.name == _DIGEST), None),
            _memory_mb(container.resources.limits.get("memory")),
            live.scaling.min_instance_count,
            live.scaling.max_instance_count or None,
            told(service.update_time),
            self._errors(id_.rpartition("/")[2]),
        )

    def _get(self, client: str, method: str, name: str, what: str) -> Any:
        """Return a resource of Cloud Run's; a busy service is asked again for half a minute."""
        from google.api_core import exceptions, retry

        again = retry.Retry(
            retry.if_exception_type(exceptions.TooManyRequests, exceptions.ServiceUnavailable),
            initial=_FIRST_PAUSE_S,
            maximum=8.0,
            timeout=_RETRIED_FOR_S,
        )
        with self._google.asking(what):
            return getattr(self._google.run_client(client), method)(name=name, retry=again)

    def _errors(self, service: str) -> int:
        return round(
            total(
                self._google,
                'metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision" '
                f'AND resource.labels.service_name="{service}" AND metric.labels.response_code_class="5xx"',
                timedelta(hours=1),
            )
        )


def _state(service: Any) -> tuple[State, str | None]:
    """Return a service's state (cloud.google.com/run/docs/reference/rest/v2/Condition, read 2026-11-29)."""
    condition = service.terminal_condition
    why = condition.message or None
    if service.reconciling:
        return "updating", why
    match condition.state.name:
        case "CONDITION_SUCCEEDED":
            return "ready", None
        case "CONDITION_PENDING" | "CONDITION_RECONCILING" | "STATE_UNSPECIFIED":
            return "updating", why
        case _:
            return "failed", why


def _memory_mb(text: str | None) -> int | None:
    """Return a quantity of Kubernetes, 512Mi, in MB of 2**20 bytes."""
    if not text:
        return None
    for unit, mb in _UNITS_MB.items():
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * mb)
    return round(float(text) / 2**20)


def _time(text: str | None) -> str | None:
    return told(read(text)) if text else None
