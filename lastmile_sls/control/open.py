"""Which cloud's client asks about a deployment; a cloud's SDK is imported here, when it is asked."""

from __future__ import annotations

from lastmile_sls.cloud_stack import CloudStack
from lastmile_sls.control.told import CloudStatus, Control
from lastmile_sls.errors import LastmileError
from lastmile_sls.queue_view import QueueView


def open_control(stack: CloudStack) -> Control:
    """Return what asks a deployment's cloud. Raises LastmileError when its SDK is not installed, or nobody is logged in."""
    match stack.target:
        case "aws":
            from lastmile_sls.control.aws.control import Control as Aws

            return Aws(stack)
        case "gcp":
            from lastmile_sls.control.gcp.control import Control as Google

            return Google(stack)
        case "azure":
            from lastmile_sls.control.azure.control import Control as Azure

            return Azure(stack)
        case target:
            raise ValueError(f"{target} is no cloud.")


def read_status(stack: CloudStack, control: Control) -> CloudStatus:
    """Return a deployment's status. Raises LastmileError."""
    functions, schedule, queue = control.functions(), control.schedule(), control.queue()
    queues = {status.queue: status for status in [queue.status()]} if queue else {}
    return CloudStatus(
        deployment=stack.deployment,
        target=stack.target,
        ready=all(function.state == "ready" for function in functions)
        and (schedule is None or schedule.state != "missing"),
        url=stack.url,
        auth=stack.auth,
        region=stack.region,
        account=stack.account,
        traffic=stack.traffic().read() if stack.outputs.get("routing") else None,
        versions=stack.versions,
        functions=functions,
        queues=queues,
        schedule=schedule,
        alarms=control.alarms(),
        dashboard=stack.dashboard,
    )


def require_queue(stack: CloudStack, control: Control) -> QueueView:
    """Return a deployment's queue. Raises LastmileError when it has none."""
    queue = control.queue()
    if queue is None:
        raise LastmileError(
            f"{stack.deployment} has no queue on {stack.target}.",
            "Add queue to the spec, and run `lastmile up`.",
        )
    return queue


def choose_function(stack: CloudStack, name: str | None) -> str:
    """Return the function whose log is meant: the one that is asked for, else the router's, which is the first.

    Raises LastmileError for one that the stack has not, or whose log is not in the outputs.
    """
    from lastmile_sls.plan.grouping import ROUTER

    logs = stack.parts("logs")
    wanted = name or ROUTER
    if wanted in logs:
        return wanted
    if wanted in stack.parts("functions"):
        raise LastmileError(
            f"the outputs of {stack.deployment} do not say where the log of {wanted} is.",
            f"They are older than this version of lastmile: lastmile up --target {stack.target}",
        )
    raise LastmileError(
        f"{stack.deployment} has no function {wanted!r}; it has {', '.join(stack.parts('functions'))}."
    )
