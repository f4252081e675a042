"""What a function on Azure reads from its environment (see `lastmile_runtime.startup`), whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from lastmile_infra.azure.identity import Identity
from lastmile_infra.azure.queue import Queue
from lastmile_infra.azure.vault import Keys, Secret, in_vault
from lastmile_infra.functions import variables_of
from lastmile_infra.storage import Storage
from lastmile_sls.plan.document import EndpointPlan, FunctionPlan


@dataclass(frozen=True)
class Settings:
    """A function's variables."""

    values: Mapping[str, pulumi.Input[str]]
    secrets: Mapping[str, Secret]
    """Variables whose values are in a vault."""
    before: tuple[pulumi.Resource, ...]
    """What must be there when the function starts."""


@dataclass(frozen=True)
class Made:
    """What functions are joined to."""

    identity: Identity
    keys: Keys
    secrets: Mapping[str, Secret]
    storage: Storage | None
    queue: Queue | None


def settings_of(
    function: FunctionPlan,
    endpoint: EndpointPlan,
    made: Made,
    urls: Mapping[str, pulumi.Output[str]],
) -> Settings:
    """Return a function's variables: the plan's, and those that are known when its neighbours are made.

    Args:
        function: The function.
        endpoint: Who may call the router's function; the others take the router's key alone.
        made: What it is joined to.
        urls: Of the functions that it calls, by name.
    """
    values = variables_of(
        function,
        routing=made.storage.routing if made.storage else None,
        key_digests=_digests(function, endpoint, made.keys),
        urls=urls,
        queue=made.queue.url if made.queue else None,
        bucket=made.storage.url if made.storage else None,
    )
    values["AZURE_CLIENT_ID"] = made.identity.client_id
    secrets = {variable: made.secrets[in_vault(name)] for variable, name in function["secrets"].items()}
    before = [secret.before for secret in secrets.values()]
    if (function["routing_document"] or function["queue"]) and made.storage:
        before += made.storage.ready
    if function["queue"] and made.queue:
        values |= made.queue.settings
        before += made.queue.ready
    if function["calls"] and made.keys.calls_secret:
        secrets["LASTMILE_FUNCTIONS_KEY"] = made.keys.calls_secret
        before.append(made.keys.calls_secret.before)
    return Settings(dict(sorted(values.items())), dict(sorted(secrets.items())), tuple(before))


def _digests(function: FunctionPlan, endpoint: EndpointPlan, keys: Keys) -> list[pulumi.Output[str]]:
    """Return the digests of the keys that a function takes; none where it takes no keys."""
    if function["name"] != endpoint["function"]:
        return [keys.calls.digest] if keys.calls else []
    return [key.digest for key in keys.callers]
