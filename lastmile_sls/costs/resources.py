"""Whose a resource is: deployments' own outputs against the ids that bills have, for what has no tags. Pure.

A bill writes an id in ways of its own: with a function's alias or version after it, a bucket by its name alone, Azure's in
any case, Google's behind `//run.googleapis.com/` and with the project's number. An id is therefore made into keys, from the
most to the least particular, and the first that outputs have counts:

- AWS: `SERVICE/REGION/ACCOUNT/NAME` of functions, log groups, queues, schedules, alarms and APIs; buckets by name.
- Google: the path without its project, with `/revisions/...` and the like cut off; where a bill has the project by its id,
  of that project alone.
- Azure: the id in lower case, and those above it, up to the resource group where that is the deployment's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lastmile_sls.plan.grouping import ROUTER, function_name

_FULL = re.compile(r"//(?P<service>[a-z]+)\.googleapis\.com/(?P<path>.+)")
_PROJECT = re.compile(r"projects/(?P<project>[^/]+)/(?P<rest>.+)")
_GOOGLE = ("services", "jobs", "topics", "subscriptions", "buckets", "secrets", "alertpolicies")
"""Kinds of Google's resources that outputs name, in lower case."""
_API = re.compile(r"https://(?P<id>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.")
_QUEUE = re.compile(r"https://sqs\.(?P<region>[a-z0-9-]+)\.[^/]+/(?P<account>\d+)/(?P<name>[^/]+)")


@dataclass(frozen=True)
class Owner:
    """A deployment that a resource is of."""

    deployment: str
    model: str
    environment: str
    version: str | None = None
    """Where the resource serves one version alone."""


class Owners:
    """Which resources deployments have."""

    def __init__(self, outputs: Sequence[Mapping[str, Any]], seen: Iterable[tuple[str, str]] = ()) -> None:
        """Take stacks' outputs, and the models with their environments that tags name.

        A deployment is called `MODEL-ENVIRONMENT`; the pairs say which part is which where the environment has a dash.
        """
        names = {f"{model}-{environment}": (model, environment) for model, environment in seen}
        self._owners: dict[str, Owner] = {}
        for output in outputs:
            deployment = str(output["deployment"])
            model, _, environment = deployment.rpartition("-")
            owner = Owner(deployment, *names.get(deployment, (model, environment)))
            for key, version in _resources(output):
                self._owners[key] = Owner(owner.deployment, owner.model, owner.environment, version)

    def __bool__(self) -> bool:
        return bool(self._owners)

    def of(self, resource_id: str) -> Owner | None:
        """Return whose a bill's resource is; None where no deployment has it."""
        return next((self._owners[key] for key in keys_of(resource_id) if key in self._owners), None)


def keys_of(resource_id: str) -> Iterator[str]:
    """Yield the keys of a bill's id, the most particular first."""
    text = resource_id.strip()
    if text.startswith("arn:"):
        yield from _aws_keys(text)
    elif text.lower().startswith("/subscriptions/"):
        yield from _azure_keys(text.lower())
    elif text.startswith(("//", "projects/")):
        yield from _google_keys(text.lower())
    elif text:
        yield f"bucket/{text}"


def _aws_keys(arn: str) -> Iterator[str]:
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return
    _, _, service, region, account, rest = parts
    if service == "s3":
        yield f"bucket/{rest.partition('/')[0]}"
    elif service == "apigateway":
        yield f"api/{region}/{next(iter(rest.strip('/').split('/')[1:]), '')}"
    elif service == "execute-api":
        yield f"api/{region}/{rest.partition('/')[0]}"
    elif service == "sqs":
        yield f"sqs/{region}/{account}/{rest}"
    elif service == "scheduler":
        yield f"scheduler/{region}/{account}/{rest}"
    else:  # function:NAME:ALIAS, log-group:NAME:*, alarm:NAME, role/NAME, a topic's NAME
        yield f"{service}/{region}/{account}/{':'.join(rest.split(':')[1:2]) or rest}"


def _azure_keys(id_: str) -> Iterator[str]:
    path = id_.rstrip("/")
    while path.count("/") >= 4:
        yield path
        path = path.rpartition("/")[0]


def _google_keys(path: str) -> Iterator[str]:
    """Yield the key with the project and, where that is a number or none, without."""
    full = _FULL.fullmatch(path)
    path = full["path"] if full else path
    found = _PROJECT.fullmatch(path)
    project, rest = (found["project"], found["rest"]) if found else ("_", path)
    parts = rest.split("/")
    at = next((i for i, part in enumerate(parts) if part in _GOOGLE), None)
    if at is None:
        return
    rest = "/".join(parts[: at + 2])
    if rest.startswith("buckets/"):
        yield f"bucket/{parts[at + 1]}"
    elif project == "_" or project.isdigit():
        yield f"google/{rest}"
    else:
        yield f"google/{project}/{rest}"


def _resources(output: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the keys of what a stack has, with the version where it serves one alone."""
    functions = _table(output, "functions")
    versions = [str(version) for version in output.get("versions") or ()]
    alone = {name: _version(name, versions, len(functions)) for name in functions}
    for name, id_ in functions.items():
        yield from ((key, alone[name]) for key in _first_keys(id_))
    target = str(output.get("target", ""))
    if target == "aws":
        yield from _of_aws(output, alone)
    ids = [
        *_table(output, "queue").values(),
        *_table(output, "alarms").values(),
        str(output.get("schedule") or ""),
    ]
    for id_ in ids:
        if target == "gcp" or id_.startswith(("arn:", "/subscriptions/")):
            yield from ((key, None) for key in _first_keys(id_))
    if bucket := str(output.get("bucket") or ""):
        yield from ((key, None) for key in _bucket(bucket))
    if target == "azure":
        yield from ((key, None) for key in _group(output, functions))


def _version(function: str, versions: Sequence[str], functions: int) -> str | None:
    """Return the version that a function serves alone.

    That is known of the only version of all, and of the functions beside the router's where each version has one; the
    router's own works for the others too.
    """
    if len(versions) == 1:
        return versions[0]
    if len(versions) != functions or function == ROUTER:
        return None
    return next((version for version in versions if function_name(version) == function), None)


def _of_aws(output: Mapping[str, Any], alone: Mapping[str, str | None]) -> Iterator[tuple[str, str | None]]:
    region, account = str(output.get("region")), str(output.get("account"))
    for name, group in _table(output, "logs").items():
        yield f"logs/{region}/{account}/{group}", alone.get(name)
    for alarm in _table(output, "alarms").values():
        yield f"cloudwatch/{region}/{account}/{alarm}", None
    for url in _table(output, "queue").values():
        if found := _QUEUE.fullmatch(url):
            yield f"sqs/{found['region']}/{found['account']}/{found['name']}", None
    if found := _API.match(str(output.get("url", ""))):
        yield f"api/{found['region']}/{found['id']}", None


def _first_keys(id_: str) -> Iterator[str]:
    """Yield an output's own key; of Google's, the one without the project too."""
    key = next(keys_of(id_), None)
    if key is None:
        return
    yield key
    if key.startswith("google/"):
        yield f"google/{'/'.join(key.split('/')[2:])}"


def _bucket(url: str) -> Iterator[str]:
    """Yield a bucket's key, unless its store is a folder of one that others share."""
    scheme, _, rest = url.partition("://")
    name, _, below = rest.partition("/")
    if scheme in {"s3", "gs"} and not below:
        yield f"bucket/{name}"


def _group(output: Mapping[str, Any], functions: Mapping[str, str]) -> Iterator[str]:
    """Yield Azure's resource group where it bears the deployment's name: all in it is the deployment's."""
    deployment = str(output["deployment"]).lower()
    for id_ in functions.values():
        parts = id_.lower().split("/")
        if len(parts) > 4 and parts[3] == "resourcegroups" and parts[4] == deployment:
            yield "/".join(parts[:5])


def _table(output: Mapping[str, Any], name: str) -> dict[str, str]:
    found = output.get(name)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}
