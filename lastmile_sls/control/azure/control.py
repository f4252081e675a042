"""What Azure says of a deployment: Functions' apps or Container Apps, the timer, Azure Monitor's alerts."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.azure.client import Azure, ResourceId
from lastmile_sls.control.azure.log import CONTAINER_APPS, SITES, WorkspaceLog, errors_of
from lastmile_sls.control.azure.queue import StorageQueueView
from lastmile_sls.control.azure.usage import counted
from lastmile_sls.control.clock import utc_now
from lastmile_sls.control.refusals import MissingError
from lastmile_sls.control.schedules import next_run
from lastmile_sls.control.times import told
from lastmile_sls.control.told import AlarmState, FunctionState, ScheduleState, State
from lastmile_sls.control.usage import Counted
from lastmile_sls.errors import LastmileError
from lastmile_sls.plan.grouping import ROUTER

_RELEASES, _DIGEST, _CLOCK = "LASTMILE_RELEASES", "LASTMILE_MANIFEST_DIGEST", "LASTMILE_SCHEDULE"
_MB_PER_GI = 1024


class Control:
    """A deployment on Azure."""

    def __init__(self, stack: CloudStack, azure: Azure | None = None) -> None:
        """Raises LastmileError when azure-identity is not installed."""
        self._stack = stack
        self._azure = azure or Azure(stack)

    def functions(self) -> tuple[FunctionState, ...]:
        """Return what Azure says of each app."""
        return tuple(self._function(name, id_) for name, id_ in self._stack.parts("functions").items())

    def schedule(self) -> ScheduleState | None:
        """Return the timer of the app; Azure does not say when it ran last."""
        id_ = self._stack.schedule
        if id_ is None:
            return None
        app, timer, web = ResourceId.read(id_), id_.rpartition("/")[2], self._azure.client("web").web_apps
        try:
            with self._azure.asking(f"the schedule {timer}"):
                found = web.get_function(app.group, app.name, timer)
        except MissingError as error:
            return ScheduleState(id_, "missing", last_error=error.message)
        clock = self._settings(app, "the schedule").get(_CLOCK)
        if found.is_disabled:
            return ScheduleState(id_, "paused", clock)
        return ScheduleState(id_, "on", clock, next_run(clock, utc_now()))

    def alarms(self) -> tuple[AlarmState, ...]:
        """Return which rules have fired in the last 30 days and are not resolved."""
        ids = self._stack.parts("alarms")
        if not ids:
            return ()
        with self._azure.asking("the alerts"):
            alerts = list(
                self._azure.client("alerts").alerts.get_all(monitor_condition="Fired", time_range="30d")
            )
        fired: dict[str, Any] = {}
        for alert in alerts:
            essentials = alert.properties.essentials
            fired.setdefault(str(essentials.alert_rule).lower(), essentials)
        return tuple(_alarm(signal, id_, fired.get(id_.lower())) for signal, id_ in ids.items())

    def queue(self) -> StorageQueueView | None:
        """Return the queue."""
        urls = self._stack.parts("queue")
        return StorageQueueView(self._azure, urls["jobs"], urls["dead_letters"]) if urls else None

    def log(self, function: str) -> WorkspaceLog:
        """Return a function's log."""
        app = ResourceId.read(self._stack.parts("functions")[function])
        return WorkspaceLog(self._azure, function, self._stack.parts("logs")[function], app)

    def usage(self, since: date) -> tuple[Counted, ...]:
        """Return each version's requests from a day on."""
        app = ResourceId.read(self._stack.parts("functions")[ROUTER])
        return counted(self._azure, app, self._stack.parts("logs")[ROUTER], since)

    def _function(self, name: str, id_: str) -> FunctionState:
        app = ResourceId.read(id_)
        try:
            match app.kind:
                case kind if kind == SITES:
                    found = self._site(name, id_, app)
                case kind if kind == CONTAINER_APPS:
                    found = self._container(name, id_, app)
                case kind:
                    raise LastmileError(
                        f"the function {name} is a {kind}, but {SITES} or {CONTAINER_APPS} is known."
                    )
        except MissingError as error:
            return FunctionState(name, id_, "missing", error.message)
        return found

    def _site(self, name: str, id_: str, app: ResourceId) -> FunctionState:
        what = f"the function {name}"
        with self._azure.asking(what):
            site = self._azure.client("web").web_apps.get(app.group, app.name)
        scale = site.function_app_config.scale_and_concurrency if site.function_app_config else None
        state, why = _site_state(site)
        return FunctionState(
            name,
            id_,
            state,
            why,
            bundle=_bundle(self._settings(app, what)),
            memory_mb=scale.instance_memory_mb if scale else None,
            min_instances=sum(kept.instance_count or 0 for kept in scale.always_ready or ())
            if scale
            else None,
            max_instances=scale.maximum_instance_count if scale else None,
            changed_at=told(site.last_modified_time_utc),
            errors_last_hour=self._errors(name, app),
        )

    def _settings(self, app: ResourceId, what: str) -> dict[str, str]:
        with self._azure.asking(what):
            found = self._azure.client("web").web_apps.list_application_settings(app.group, app.name)
        return dict(found.properties or {})

    def _container(self, name: str, id_: str, app: ResourceId) -> FunctionState:
        what, client = f"the function {name}", self._azure.client("app")
        with self._azure.asking(what):
            found = client.container_apps.get(app.group, app.name)
            revision = client.container_apps_revisions.get_revision(
                app.group, app.name, found.latest_revision_name or found.latest_ready_revision_name
            )
        state, why = _container_state(found, revision)
        live = found.latest_ready_revision_name or found.latest_revision_name
        container, scale = revision.template.containers[0], revision.template.scale
        return FunctionState(
            name,
            id_,
            state,
            why,
            live,
            next((env.value for env in container.env or () if env.name == _DIGEST), None)
            if live == revision.name
            else None,
            round(float(container.resources.memory.removesuffix("Gi")) * _MB_PER_GI),
            (scale.min_replicas or 0) if scale else 0,
            scale.max_replicas if scale else None,
            told(found.system_data.last_modified_at if found.system_data else revision.created_time),
            self._errors(name, app),
        )

    def _errors(self, name: str, app: ResourceId) -> int | None:
        workspace = self._stack.parts("logs").get(name)
        return errors_of(self._azure, app, workspace) if workspace else None


def _site_state(site: Any) -> tuple[State, str | None]:
    """Return an app's state; `state` and `availabilityState` are azure-mgmt-web's Site."""
    if not site.enabled or site.state != "Running":
        return "failed", f"the app is {'disabled' if not site.enabled else site.state}"
    if site.availability_state == "Limited":
        return "failed", "the app runs, but Azure has limited it"
    return "ready", None


def _container_state(app: Any, revision: Any) -> tuple[State, str | None]:
    """Return an app's state by that of its newest revision: ProvisioningState, RevisionHealthState and
    RevisionRunningState are azure-mgmt-appcontainers'."""
    words = (revision.provisioning_error, revision.running_state, revision.health_state)
    why = next((str(word) for word in words if word and word not in ("None", "Healthy")), None)
    if app.provisioning_state in ("Failed", "Canceled") or revision.provisioning_state == "Failed":
        return "failed", why or str(app.provisioning_state)
    if revision.health_state == "Unhealthy" or revision.running_state in ("Failed", "Degraded"):
        return "failed", why
    if app.provisioning_state in ("InProgress", "Deleting") or revision.provisioning_state == "Provisioning":
        return "updating", why
    return "ready", None


def _bundle(settings: dict[str, str]) -> str | None:
    """Return the digest of what an app runs; None while its settings are those of two bundles, the last and the one before
    (`lastmile_runtime.releases`): which it has only its answers say."""
    try:
        releases = list(json.loads(settings.get(_RELEASES, "{}")))
    except ValueError:
        return None
    return str(releases[0]) if len(releases) == 1 else settings.get(_DIGEST)


def _alarm(signal: str, id_: str, fired: Any) -> AlarmState:
    if fired is None:
        return AlarmState(signal, id_, "ok")
    return AlarmState(signal, id_, "alarm", fired.description or None, told(fired.start_date_time))
