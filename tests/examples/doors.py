"""Where requests from the internet get in, and who checks there whether they may: read off what the clouds were told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lastmile_sls.engine.properties import reveal
from lastmile_sls.plan.document import Target
from tests.clouds.wire import Record

AUTH = "LASTMILE_AUTH"
"""The variable that makes a function check its callers (see `lastmile_runtime.startup`)."""
_EVERYONE = frozenset({"allUsers", "allAuthenticatedUsers"})


@dataclass(frozen=True)
class Door:
    """A way from the internet to a function."""

    function: str
    """The function's resource name at the cloud."""
    way: str
    checks: str | None
    """`platform`, `function`; None when nobody does."""


def doors(cloud: Target, records: Iterable[Record]) -> list[Door]:
    """Return every door of a deployment."""
    find: Mapping[str, Callable[[list[Record]], list[Door]]] = {
        "aws": _aws,
        "gcp": _google,
        "azure": _azure,
    }
    return find[cloud]([Record(record.type, record.name, reveal(record.inputs)) for record in records])


def _aws(records: list[Record]) -> list[Door]:
    """A permission is what lets in: a route, or a URL, without one that covers it reaches nothing."""
    checked = {
        f["name"]: AUTH in f["environment"]["variables"] for f in _of(records, "aws:lambda/function:Function")
    }
    found = []
    for permission in _of(records, "aws:lambda/permission:Permission"):
        function = permission["function"]
        by_function = "function" if checked[function] else None
        if permission["principal"] == "apigateway.amazonaws.com":
            for route in _of(records, "aws:apigatewayv2/route:Route"):
                if permission["sourceArn"].endswith(f"/{route['routeKey']}"):
                    by_gateway = "platform" if route["authorizationType"] != "NONE" else None
                    found.append(Door(function, f"route {route['routeKey']}", by_gateway or by_function))
        elif permission["principal"] == "*":
            by_url = permission.get("functionUrlAuthType") or permission.get("invokedViaFunctionUrl")
            way = permission["action"] if by_url else f"{permission['action']} without a URL"
            found.append(Door(function, way, by_function))
        else:
            raise AssertionError(f"the principal {permission['principal']} is not known here")
    return found


def _google(records: list[Record]) -> list[Door]:
    """Cloud Run asks IAM at each service unless that is told not to; IAM lets everybody in when a grant says so."""
    everyone = {
        grant["name"]
        for grant in _of(records, "gcp:cloudrunv2/serviceIamMember:ServiceIamMember")
        if grant["member"] in _EVERYONE
    }
    found = []
    for service in _of(records, "gcp:cloudrunv2/service:Service"):
        variables = {env["name"] for box in service["template"]["containers"] for env in box["envs"]}
        by_function = "function" if AUTH in variables else None
        is_open = service["invokerIamDisabled"] or service["name"] in everyone
        found.append(Door(service["name"], service["ingress"], by_function if is_open else "platform"))
    return found


def _azure(records: list[Record]) -> list[Door]:
    """An app is anonymous unless the platform is told to ask; what is not reached from outside has no door."""
    asked = {a["name"] for a in _of(records, "azure-native:web:WebAppAuthSettingsV2")}
    asked |= {a["containerAppName"] for a in _of(records, "azure-native:app:ContainerAppsAuthConfig")}
    found = []
    for record in records:
        if record.type == "azure-native:web:WebApp":
            variables = {setting["name"] for setting in record.inputs["siteConfig"]["appSettings"]}
            name = record.inputs.get("name") or record.name
        elif record.type == "azure-native:app:ContainerApp":
            if not record.inputs["configuration"]["ingress"]["external"]:
                continue
            boxes = record.inputs["template"]["containers"]
            variables = {env["name"] for box in boxes for env in box["env"]}
            name = record.inputs["containerAppName"]
        else:
            continue
        by_function = "function" if AUTH in variables else None
        found.append(Door(name, "host name", "platform" if name in asked else by_function))
    return found


def accepted(cloud: Target, records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return what each function that checks its callers takes: `keys` by digest, or `jwt`."""
    texts = []
    for record in records:
        inputs = reveal(record.inputs)
        match record.type:
            case "aws:lambda/function:Function":
                texts += [v for k, v in inputs["environment"]["variables"].items() if k == AUTH]
            case "gcp:cloudrunv2/service:Service":
                boxes = inputs["template"]["containers"]
                texts += [env["value"] for box in boxes for env in box["envs"] if env["name"] == AUTH]
            case "azure-native:web:WebApp":
                texts += [s["value"] for s in inputs["siteConfig"]["appSettings"] if s["name"] == AUTH]
            case "azure-native:app:ContainerApp":
                boxes = inputs["template"]["containers"]
                texts += [env["value"] for box in boxes for env in box["env"] if env["name"] == AUTH]
    return [json.loads(text) for text in texts]


def _of(records: Iterable[Record], type_: str) -> list[dict[str, Any]]:
    return [record.inputs for record in records if record.type == type_]
