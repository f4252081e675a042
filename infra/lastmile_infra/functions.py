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
) -> dict[str, pulumi.Input[str]]:
    """Return a function's variables: the plan's, and those that are known when its neighbours are made.

    Args:
        plan: The function.
        routing: The live routing document's URL.
        key_digests: Of the API keys that the function checks; none where it checks no keys.
        urls: Of the functions that it calls, by name.
    """
    variables: dict[str, pulumi.Input[str]] = dict(plan["environment"])
    if plan["routing_document"] and routing is not None:
        variables["LASTMILE_ROUTING_URL"] = routing
    if key_digests:
        variables["LASTMILE_AUTH"] = pulumi.Output.json_dumps({"keys": list(key_digests)})
    if urls:
        variables["LASTMILE_FUNCTIONS"] = pulumi.Output.json_dumps(dict(urls))
    return variables
