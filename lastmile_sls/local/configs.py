"""What the host runs, as the records of functions and routes say it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lastmile_runtime.manifest import FILE
from lastmile_sls.local.gateway import RouteConfig
from lastmile_sls.local.home import Place
from lastmile_sls.local.instances import FunctionConfig
from lastmile_sls.local.records import Record
from lastmile_sls.local.resources.bucket import bucket_folder


def function_config(place: Place, record: Record) -> FunctionConfig:
    """Return what a function runs, and the room it gets."""
    inputs = record.inputs
    bucket = bucket_folder(place, inputs["bucket"]).as_uri() if inputs.get("bucket") else None
    return FunctionConfig(
        name=record.name,
        bundle=place.bundle(record.name, inputs["bundleDigest"]),
        bundle_digest=inputs["bundleDigest"],
        memory_mb=inputs["memoryMb"],
        timeout_s=inputs["timeoutS"],
        idle_timeout_s=inputs["idleTimeoutS"],
        concurrency=inputs["concurrency"],
        min_instances=inputs["minInstances"],
        max_instances=inputs["maxInstances"],
        environment=inputs.get("environment") or {},
        routing=json.dumps(inputs["routing"]),
        routing_url=f"{bucket}/{inputs['routingDocument']}" if inputs.get("routingDocument") else None,
        queue=inputs.get("queue"),
        jobs_url=f"{bucket}/{inputs['jobs']}" if inputs.get("queue") and inputs.get("jobs") else None,
        callback=inputs.get("callback"),
        batch=_batch(bucket, inputs["batch"]) if bucket and inputs.get("batch") else None,
        calls=tuple(inputs.get("calls") or ()),
    )


def _batch(bucket: str, batch: Mapping[str, str]) -> dict[str, str]:
    """Return which files are scored, their folders as URLs of stores."""
    places = {name: store_url(bucket, batch[name]) for name in ("input", "output")}
    return {**places, "format": batch["format"]}


def store_url(bucket: str, place: str) -> str:
    """Return a store's URL as it is, and that of a path in a bucket."""
    return place if "://" in place else f"{bucket}/{place}"


def versions_of(bundle: Path, *, remote: bool = True) -> list[str]:
    """Return the ids of the versions in a bundle's manifest, without `remote` those that its function serves itself."""
    try:
        manifest = json.loads((bundle / FILE).read_text(encoding="utf-8"))
        return [str(v["id"]) for v in manifest["versions"] if remote or v["predictor"] != "remote"]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # the function says what is wrong with its bundle, when it does not start


def route_config(record: Record) -> RouteConfig:
    """Return what a route lets through."""
    inputs = record.inputs
    limit = inputs.get("rateLimit") or {}
    jwt = (inputs.get("jwt") or {}) if inputs["auth"] == "jwt" else {}
    return RouteConfig(
        function=inputs["function"],
        auth=inputs["auth"],
        key_digests=tuple(inputs.get("keyDigests") or ()),
        allow_origins=tuple((inputs.get("cors") or {}).get("allowOrigins") or ()),
        requests_per_s=limit.get("requestsPerS"),
        burst=limit.get("burst", 1),
        issuer=jwt.get("issuer"),
        audiences=tuple(jwt.get("audiences") or ()),
    )
