"""What runs of a deployment, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records, supervise
from lastmile_sls.local.configs import versions_of
from lastmile_sls.local.home import Place
from lastmile_sls.local.queue import Counts
from lastmile_sls.local.resources.queue import open_queue, queue_file
from lastmile_sls.traffic.local import find_traffic


@dataclass(frozen=True)
class InstanceStatus:
    """One process of a function."""

    pid: int
    state: str
    in_flight: int
    requests: int
    """How many it has answered."""
    memory_mb: float


@dataclass(frozen=True)
class FunctionStatus:
    """A function and its processes."""

    name: str
    bundle: str
    weights: dict[str, float]
    """Percent of the deployment's requests, by version that it serves itself."""
    why: str
    """Why it serves those, and not others."""
    calls: tuple[str, ...]
    """The functions that it asks for the other versions."""
    memory_mb: int
    requests: int
    restarts: int
    instances: tuple[InstanceStatus, ...]


@dataclass(frozen=True)
class DeploymentStatus:
    """A deployment as it is now."""

    deployment: str
    engine: str
    """Which engine's stack it belongs to."""
    running: bool
    """Whether its host process runs."""
    host_pid: int | None
    since: str | None
    url: str | None
    auth: str | None
    tags: dict[str, str]
    functions: tuple[FunctionStatus, ...]
    queues: dict[str, Counts]


def read_status(place: Place) -> DeploymentStatus:
    """Return a deployment's status: from its host, or from its records when the host is down."""
    answer = supervise.ask(place, "status")
    live: dict[str, Any] = answer or {}
    routes = records.all_of(place, "route")
    functions = records.all_of(place, "function")
    traffic = find_traffic(place)
    routing = traffic.read() if traffic else None
    owners = {record.owner.engine for kind in records.KINDS for record in records.all_of(place, kind)}
    return DeploymentStatus(
        deployment=place.deployment,
        engine=", ".join(sorted(owners)),
        running=answer is not None,
        host_pid=live.get("pid"),
        since=live.get("since"),
        url=routes[0].outputs.get("url") if routes else None,
        auth=routes[0].inputs.get("auth") if routes else None,
        tags=functions[0].inputs.get("tags", {}) if functions else {},
        functions=tuple(
            _function(
                place,
                record,
                routing or record.inputs["routing"],
                live.get("functions", {}).get(record.name, {}),
            )
            for record in functions
        ),
        queues={record.name: _counts(place, record) for record in records.all_of(place, "queue")},
    )


def read_key(place: Place, name: str | None = None) -> str:
    """Return a deployment's API key, the newest by default. Raises LastmileError when it has none."""
    keys = sorted(records.all_of(place, "key"), key=lambda key: key.created_at)
    if name is not None and name not in [key.name for key in keys]:
        raise LastmileError(
            f"{place.deployment} has no API key {name!r}; its keys are {', '.join(k.name for k in keys) or 'none'}.",
            "endpoint.keys in the spec names them.",
        )
    keys = [key for key in keys if name in (None, key.name)]
    value = keys[-1].outputs.get("value") if keys else None
    if not value:
        raise LastmileError(
            f"{place.deployment} has no API key.",
            "Its endpoint is public, or it is not deployed: lastmile status",
        )
    return str(value)


def _function(
    place: Place, record: records.Record, routing: dict[str, Any], live: dict[str, Any]
) -> FunctionStatus:
    weights = routing["weights"]
    bundle = place.bundle(record.name, record.inputs["bundleDigest"])
    served = versions_of(bundle, remote=False) or list(weights)
    return FunctionStatus(
        name=record.name,
        bundle=record.inputs["bundleDigest"],
        weights={version: weights.get(version, 0) / 100 for version in served},
        why=record.inputs.get("why") or "",
        calls=tuple(record.inputs.get("calls") or ()),
        memory_mb=record.inputs["memoryMb"],
        requests=live.get("requests", 0),
        restarts=live.get("restarts", 0),
        instances=tuple(map(_instance, live.get("instances", ()))),
    )


def _counts(place: Place, record: records.Record) -> Counts:
    if not queue_file(place, record.name).exists():
        return Counts(0, 0, 0)
    queue = open_queue(place, record)
    try:
        return queue.counts()
    finally:
        queue.close()


def _instance(live: dict[str, Any]) -> InstanceStatus:
    """Read what a host says of a process; one of an older version may say less."""
    return InstanceStatus(
        pid=live["pid"],
        state=live.get("state", ""),
        in_flight=live.get("in_flight", 0),
        requests=live.get("requests", 0),
        memory_mb=live.get("memory_mb", 0.0),
    )
