"""Which of a stack's resources take tags, by its state or, of the few that they name, by its outputs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lastmile_sls.engine.properties import SIGNATURE_KEY
from lastmile_sls.plan.document import Target
from lastmile_sls.policy.resource import STACK, plain_type
from lastmile_sls.policy.rules.tags import taggable
from lastmile_sls.tags.document import Deployed

_PACKAGES: Mapping[str, Target] = {"aws": "aws", "gcp": "gcp", "azure-native": "azure"}
_API = re.compile(r"https://(?P<id>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.")
_QUEUE = re.compile(r"https?://[^/]+/(?P<account>\d+)/(?P<name>[^/]+)")
_AZURE_TYPES = {
    "microsoft.web/sites": "azure-native:web:WebApp",
    "microsoft.app/containerapps": "azure-native:app:ContainerApp",
    "microsoft.insights/scheduledqueryrules": "azure-native:monitor:ScheduledQueryRule",
}


def of_state(state: Mapping[str, Any]) -> tuple[Deployed, ...]:
    """Return the resources that take tags, in the order in which they were made.

    What another stack or nobody has made, and what is only still to be deleted, is left out.
    """
    standing = [entry for entry in _entries(state) if _is_standing(entry)]
    taking = [entry for entry in standing if _takes_tags(entry)]
    borne: dict[str, list[tuple[str, str]]] = {entry["urn"]: [] for entry in taking}
    for entry in standing:
        needs = borne.keys() & set(entry.get("dependencies") or ())
        if len(needs) == 1 and not _takes_tags(entry):
            borne[needs.pop()].append((plain_type(entry["type"]), _name(entry)))
    return tuple(_of_entry(entry, borne[entry["urn"]]) for entry in taking)


def stack_outputs(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the stack says of itself, without its secrets; `{}` where it did not get that far."""
    for entry in _entries(state):
        if entry["type"] == STACK:
            outputs: dict[str, Any] = entry.get("outputs") or {}
            return {name: value for name, value in outputs.items() if not _is_marked(value)}
    return {}


def target_of(resources: tuple[Deployed, ...]) -> Target | None:
    """Return the cloud that resources are in; None without any."""
    return next((_PACKAGES[one.type.partition(":")[0]] for one in resources), None)


def of_outputs(outputs: Mapping[str, Any], target: Target) -> tuple[Deployed, ...]:
    """Return the resources that take tags among those that a stack's outputs name."""
    match target:
        case "aws":
            return tuple(_of_aws(outputs))
        case "gcp":
            return tuple(_of_google(outputs))
        case "azure":
            return tuple(_of_azure(outputs))
        case _:
            raise ValueError(f"{target} has no tags")


def _entries(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((state.get("deployment") or {}).get("resources") or ())


def _is_standing(entry: Mapping[str, Any]) -> bool:
    return bool(
        entry.get("custom") and entry.get("id") and not entry.get("external") and not entry.get("delete")
    )


def _takes_tags(entry: Mapping[str, Any]) -> bool:
    return plain_type(entry["type"]) in taggable()


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["urn"].rpartition("::")[2])


def _of_entry(entry: Mapping[str, Any], borne: Sequence[tuple[str, str]]) -> Deployed:
    type_ = plain_type(entry["type"])
    inputs, outputs = entry.get("inputs") or {}, entry.get("outputs") or {}
    recorded = inputs.get(taggable()[type_])
    return Deployed(
        type_,
        _name(entry),
        entry["id"],
        arn=_text(outputs.get("arn")) if type_.startswith("aws:") else "",
        api_version=_text(outputs.get("azureApiVersion")),
        recorded={key: str(value) for key, value in recorded.items()}
        if isinstance(recorded, Mapping)
        else {},
        bearing=tuple(borne),
    )


def _is_marked(value: Any) -> bool:
    return isinstance(value, Mapping) and SIGNATURE_KEY in value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _of_aws(outputs: Mapping[str, Any]) -> Iterator[Deployed]:
    region, account = str(outputs.get("region") or ""), str(outputs.get("account") or "")
    for arn in _table(outputs, "functions").values():
        yield _aws("lambda/function:Function", arn.rpartition(":function:")[2], arn)
    for group in dict.fromkeys(_table(outputs, "logs").values()):
        yield _aws(
            "cloudwatch/logGroup:LogGroup", group, f"arn:aws:logs:{region}:{account}:log-group:{group}"
        )
    for url in _table(outputs, "queue").values():
        if named := _QUEUE.fullmatch(url):
            arn = f"arn:aws:sqs:{region}:{named['account']}:{named['name']}"
            yield _aws("sqs/queue:Queue", named["name"], arn, url)
    for alarm in _table(outputs, "alarms").values():
        yield _aws(
            "cloudwatch/metricAlarm:MetricAlarm",
            alarm,
            f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}",
        )
    if found := _API.match(_text(outputs.get("url"))):
        yield _aws(
            "apigatewayv2/api:Api", found["id"], f"arn:aws:apigateway:{found['region']}::/apis/{found['id']}"
        )
    if bucket := _bucket(outputs, "s3"):
        yield _aws("s3/bucket:Bucket", bucket, f"arn:aws:s3:::{bucket}")


def _aws(type_: str, name: str, arn: str, id_: str = "") -> Deployed:
    return Deployed(f"aws:{type_}", name, id_ or name, arn=arn)


def _of_google(outputs: Mapping[str, Any]) -> Iterator[Deployed]:
    queue = _table(outputs, "queue")
    ids = [*_table(outputs, "functions").values(), *queue.values(), *_table(outputs, "alarms").values()]
    kinds = {
        "services": "gcp:cloudrunv2/service:Service",
        "topics": "gcp:pubsub/topic:Topic",
        "subscriptions": "gcp:pubsub/subscription:Subscription",
        "alertPolicies": "gcp:monitoring/alertPolicy:AlertPolicy",
    }
    for id_ in ids:
        *_, kind, name = ["", *id_.split("/")]
        if kind in kinds:
            yield Deployed(kinds[kind], name, id_)
    if bucket := _bucket(outputs, "gs"):
        yield Deployed("gcp:storage/bucket:Bucket", bucket, bucket)


def _of_azure(outputs: Mapping[str, Any]) -> Iterator[Deployed]:
    groups: dict[str, str] = {}
    for id_ in [*_table(outputs, "functions").values(), *_table(outputs, "alarms").values()]:
        parts = id_.split("/")
        if len(parts) < 9 or (type_ := _AZURE_TYPES.get("/".join(parts[6:8]).lower())) is None:
            continue
        groups.setdefault(parts[4].lower(), "/".join(parts[:5]))
        yield Deployed(type_, parts[8], "/".join(parts[:9]))
    if str(outputs["deployment"]).lower() in groups:
        id_ = groups[str(outputs["deployment"]).lower()]
        yield Deployed("azure-native:resources:ResourceGroup", id_.rpartition("/")[2], id_)


def _bucket(outputs: Mapping[str, Any], scheme: str) -> str:
    """Return the name of a bucket that is the deployment's alone, not a folder of one."""
    found, _, rest = _text(outputs.get("bucket")).partition("://")
    name, _, below = rest.partition("/")
    return name if found == scheme and not below else ""


def _table(outputs: Mapping[str, Any], name: str) -> dict[str, str]:
    found = outputs.get(name)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}
