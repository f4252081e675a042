"""What functions have in common in every cloud: which is made first, and what they are told of their neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pulumi

from lastmile_sls.plan.document import FunctionPlan, Plan


def called_first(plan: Plan) -> Iterator[tuple[FunctionPlan, list[str]]]:
    """Yield each function with the names of those that it calls, which have come before it.

    Only the router's function calls others (`lastmile_sls.plan.make`), so that whoever calls none comes first.
    """
    for function in sorted(plan["functions"], key=lambda function: len(function["calls"])):
        yield function, sorted(set(function["calls"].values()))


def variables_of(
    plan: FunctionPlan,
    *,
    routing: pulumi.Output[str] | None,
    key_digests: Sequence[pulumi.Output[str]],
    urls: Mapping[str, pulumi.Output[str]],
    queue: pulumi.Output[str] | None = None,
    bucket: pulumi.Output[str] | None = None,
) -> dict[str, pulumi.Input[str]]:
    """Return a function's variables: the plan's, and those that are known when its neighbours are made.

    Args:
        plan: The function.
        routing: The live routing document's URL.
        key_digests: Of the API keys that the function checks; none where it checks no keys.
        urls: Of the functions that it calls, by name.
        queue: The queue's URL (see `lastmile_runtime.queues`).
        bucket: The bucket's URL (see `lastmile_runtime.stores`).
    """
    variables: dict[str, pulumi.Input[str]] = dict(plan["environment"])
    if plan["routing_document"] and routing is not None:
        variables["LASTMILE_ROUTING_URL"] = routing
    if key_digests:
        variables["LASTMILE_AUTH"] = pulumi.Output.json_dumps({"keys": list(key_digests)})
    if urls:
        variables["LASTMILE_FUNCTIONS"] = pulumi.Output.json_dumps(dict(urls))
    if plan["queue"] and queue is not None and bucket is not None:
        variables |= {"LASTMILE_QUEUE_URL": queue, **_work_of(plan, bucket)}
    return variables


def _work_of(plan: FunctionPlan, bucket: pulumi.Output[str]) -> dict[str, pulumi.Input[str]]:
    """Return the variables of what a function does when its queue says so."""
    found: dict[str, pulumi.Input[str]] = {}
    if plan["jobs"]:
        found["LASTMILE_JOBS_URL"] = pulumi.Output.concat(bucket, "/", plan["jobs"])
    if plan["callback"]:
        found["LASTMILE_CALLBACK"] = pulumi.Output.json_dumps(plan["callback"])
    if plan["batch"]:
        batch = plan["batch"]
        places = {name: store_url(bucket, batch[name]) for name in ("input", "output")}
        found["LASTMILE_BATCH"] = pulumi.Output.json_dumps({**places, "format": batch["format"]})
    return found


def store_url(bucket: pulumi.Output[str], place: str) -> pulumi.Input[str]:
    """Return a store's URL as it is, and that of a path in the bucket."""
    return place if "://" in place else pulumi.Output.concat(bucket, "/", place)
