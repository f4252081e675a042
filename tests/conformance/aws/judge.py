"""What is wrong with what a program made on moto: links that lead nowhere, settings that did not arrive, open doors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.conformance.aws.account import ACCOUNT
from tests.conformance.aws.moto_provider import KINDS, Made, Record

_FUNCTION = "aws:lambda/function:Function"
_PERMISSION = "aws:lambda/permission:Permission"
_BUCKET = "aws:s3/bucket:Bucket"
_API = "apigatewayv2"
_SETTINGS = {
    "aws:s3/bucketVersioning:BucketVersioning": "versioning",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "encryption",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "a block of public access",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "ownership controls",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "a lifecycle",
}
_FOUND_BY = frozenset({"name", "bucket", "key", "apiId", "functionName", "qualifier", "role", "repository"})
"""Inputs by which a resource is looked for: it would not be found if they were others."""
_ON_REMOVAL = frozenset({"forceDelete", "forceDestroy", "recoveryWindowInDays", "deletionWindowInDays"})
"""Inputs that say how a resource is removed: what is left afterwards shows them."""
NOT_KEPT: dict[tuple[str, str], str] = {
    (_FUNCTION, "code"): "moto keeps no more than its hash",
    (_FUNCTION, "loggingConfig"): "moto 5.2 keeps none; the group is looked for instead",
    (_FUNCTION, "publish"): "what is published shows it: aliases are of a version",
    (_FUNCTION, "snapStart"): "moto 5.2 answers Off whatever was asked",
    ("aws:kms/key:Key", "rotationPeriodInDays"): "moto 5.2 keeps none; that it rotates is read",
    ("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "redriveAllowPolicy"): "moto 5.2 keeps none",
}
"""Inputs that moto takes and does not give back, so that nothing can be said of them here but that AWS's model took them."""


def findings(record: Record, adopted: frozenset[str] = frozenset()) -> list[str]:
    """Return every fault of what was made, each a sentence; none when all is well.

    Args:
        record: What a program made.
        adopted: The buckets that were there before, whose settings are their owner's.
    """
    return [
        *_read_back(record),
        *_untagged(record),
        *_functions(record),
        *_apis(record),
        *_domains(record),
        *_buckets(record, adopted),
        *_function_urls(record),
    ]


def _read_back(record: Record) -> Iterator[str]:
    """Compare each resource's inputs with what AWS's API says of it now."""
    for made in record.made.values():
        kind = KINDS[made.type]
        if kind.read is None:
            continue
        found = kind.read(record.account, made.outputs)
        for key, wanted in made.inputs.items():
            if key in found and key != "tags":
                if not _agrees(_parsed(wanted), _parsed(found[key])):
                    yield f"{_told(made)}: {key} is {found[key]!r}, but was to be {wanted!r}."
            elif key not in _FOUND_BY | _ON_REMOVAL | {"tags"} and (made.type, key) not in NOT_KEPT:
                yield f"{_told(made)}: {key} is not read back, and NOT_KEPT does not say why."


def _parsed(value: Any) -> Any:
    """Return a policy, which is JSON in a string, as what it says."""
    if isinstance(value, str) and value[:1] == "{":
        return json.loads(value)
    return value


def _agrees(wanted: Any, got: Any) -> bool:
    """Tell whether all that is wanted is there; the API adds defaults."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return all(_agrees(value, got.get(key)) for key, value in wanted.items() if value is not None)
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(_agrees, wanted, got))
    return bool(wanted == got)


def _untagged(record: Record) -> Iterator[str]:
    for made in record.made.values():
        kind = KINDS[made.type]
        if kind.tagged and not made.tags:
            yield f"{_told(made)} has no tags."
        if kind.tagged and kind.read:
            found = kind.read(record.account, made.outputs)
            if "tags" in found and found["tags"] != made.tags:
                yield f"{_told(made)}: its tags are {found['tags']}, but were to be {made.tags}."


def _functions(record: Record) -> Iterator[str]:
    account = record.account
    for made in record.of_type(_FUNCTION):
        role = made.inputs["role"].rpartition("/")[2]
        if not account.is_there("iam", "get_role", RoleName=role):
            yield f"{_told(made)}: there is no role {role}."
        elif "lambda.amazonaws.com" not in _trusted(account, role):
            yield f"{_told(made)}: the role {role} does not trust lambda.amazonaws.com."
        group = made.inputs.get("loggingConfig", {}).get("logGroup")
        group = group or f"/aws/lambda/{made.outputs['name']}"
        if not _has_log_group(account, group):
            yield f"{_told(made)}: there is no log group {group}, so Lambda would make one that is kept for ever."
        yield from _secrets_named(record, made)


def _secrets_named(record: Record, made: Made) -> Iterator[str]:
    """Look for each secret that the environment names by its ARN."""
    mark = f"arn:aws:secretsmanager:{record.account.region}:{ACCOUNT}:secret:"
    for name, value in made.inputs.get("environment", {}).get("variables", {}).items():
        for part in value.split(mark)[1:]:
            arn = mark + part.partition('"')[0].partition(",")[0]
            if not record.account.is_there("secretsmanager", "describe_secret", SecretId=arn):
                yield f"{_told(made)}: {name} names {arn}, which is not there."


def _trusted(account: Any, role: str) -> set[str]:
    """Return the services that a role lets take it on."""
    document = account.call("iam", "get_role", RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    found: set[str] = set()
    for statement in document["Statement"]:
        services = statement.get("Principal", {}).get("Service", [])
        found |= {services} if isinstance(services, str) else set(services)
    return found


def _has_log_group(account: Any, name: str) -> bool:
    groups = account.pages("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    return any(group["logGroupName"] == name for group in groups)


def _apis(record: Record) -> Iterator[str]:
    account = record.account
    for api in account.pages(_API, "get_apis", "Items"):
        id_, told = api["ApiId"], f"api {api['Name']}"
        integrations = {
            x["IntegrationId"]: x for x in account.pages(_API, "get_integrations", "Items", ApiId=id_)
        }
        authorizers = {
            made.outputs["id"] for made in record.of_type("aws:apigatewayv2/authorizer:Authorizer")
        }
        stages = account.pages(_API, "get_stages", "Items", ApiId=id_)
        if not stages:
            yield f"{told} has no stage, so nothing of it is served."
        for route in account.pages(_API, "get_routes", "Items", ApiId=id_):
            where = f"{told}, route {route['RouteKey']}"
            used = route.get("Target", "").removeprefix("integrations/")
            if used not in integrations:
                yield f"{where}: there is no integration {used}."
            elif integrations[used]["IntegrationType"] == "AWS_PROXY":
                yield from _proxied(record, where, api, route, integrations[used], stages)
            if (
                route.get("AuthorizationType") in ("JWT", "CUSTOM")
                and route.get("AuthorizerId") not in authorizers
            ):
                yield f"{where}: there is no authorizer {route.get('AuthorizerId')}."
        yield from _access_logs(record, id_, told)


def _access_logs(record: Record, id_: str, told: str) -> Iterator[str]:
    for made in record.of_type("aws:apigatewayv2/stage:Stage"):
        settings = made.inputs.get("accessLogSettings")
        if made.inputs["apiId"] == id_ and settings:
            group = settings["destinationArn"].removesuffix(":*").rpartition(":log-group:")[2]
            if not _has_log_group(record.account, group):
                yield f"{told}: its stage logs to {group}, which is not there."


def _proxied(
    record: Record,
    where: str,
    api: Mapping[str, Any],
    route: Mapping[str, Any],
    integration: Any,
    stages: Any,
) -> Iterator[str]:
    """Follow a route to the function that answers, and look whether the gateway may call it there."""
    account, uri = record.account, integration["IntegrationUri"]
    arn = uri.partition("/functions/")[2].partition("/invocations")[0] if "/functions/" in uri else uri
    parts = arn.split(":")
    if len(parts) < 7:
        yield f"{where}: its integration leads to {uri}, which is no function."
        return
    name, qualifier = parts[6], parts[7] if len(parts) > 7 else None
    if qualifier is None:
        yield f"{where}: it calls {name} without an alias, so never a published version."
    elif not account.is_there("lambda", "get_alias", FunctionName=name, Name=qualifier):
        yield f"{where}: there is no alias {qualifier} of a function {name}."
        return
    allowed = [s for s in _permissions(account, name) if s["Resource"] == arn]
    method, _, path = route["RouteKey"].partition(" ")
    for stage in stages:
        called = f"arn:aws:execute-api:{account.region}:{ACCOUNT}:{api['ApiId']}/{stage['StageName']}"
        called += f"/{'*' if method == 'ANY' else method}{path}" if path else "/$default"
        permitted = any(_permits(s, "apigateway.amazonaws.com", called) for s in allowed)
        if method == "OPTIONS" and "CorsConfiguration" in api:
            if permitted:
                yield f"{where}: the gateway answers browsers itself, so it need not call {arn} for {called}."
        elif not permitted:
            yield f"{where}: nothing permits the gateway to call {arn} for {called}."


def _permissions(account: Any, name: str) -> list[Any]:
    from botocore.exceptions import ClientError

    try:
        document = json.loads(account.call("lambda", "get_policy", FunctionName=name)["Policy"])
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return []
        raise
    return list(document["Statement"])


def _permits(statement: Any, service: str, source: str) -> bool:
    condition = statement.get("Condition", {})
    pattern = next((found["AWS:SourceArn"] for found in condition.values() if "AWS:SourceArn" in found), None)
    return (
        statement["Effect"] == "Allow"
        and statement["Action"] == "lambda:InvokeFunction"
        and statement["Principal"].get("Service") == service
        and pattern is not None
        and fnmatchcase(source, pattern)
    )


def _domains(record: Record) -> Iterator[str]:
    account = record.account
    for made in record.of_type("aws:apigatewayv2/domainName:DomainName"):
        name, placed = made.inputs["domainName"], made.outputs["domainNameConfiguration"]
        arn = placed["certificateArn"]
        if not account.is_there("acm", "describe_certificate", CertificateArn=arn):
            yield f"{_told(made)}: there is no certificate {arn}."
        else:
            found = account.call("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
            if name not in {found["DomainName"], *found.get("SubjectAlternativeNames", [])}:
                yield f"{_told(made)}: its certificate is for {found['DomainName']}."
        if not account.pages(_API, "get_api_mappings", "Items", DomainName=name):
            yield f"{_told(made)} leads to no api."
        if (f"{name}.", placed["targetDomainName"].rstrip(".")) not in _aliases(account):
            yield f"{_told(made)}: no record leads from {name} to {placed['targetDomainName']}."


def _aliases(account: Any) -> set[tuple[str, str]]:
    return {
        (record["Name"], record["AliasTarget"]["DNSName"].rstrip("."))
        for zone in account.pages("route53", "list_hosted_zones", "HostedZones")
        for record in account.pages(
            "route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]
        )
        if "AliasTarget" in record
    }


def _buckets(record: Record, adopted: frozenset[str]) -> Iterator[str]:
    account = record.account
    for made in record.of_type(_BUCKET):
        name = made.outputs["bucket"]
        if name in adopted:
            continue
        for type_token, what in _SETTINGS.items():
            if not any(setting.inputs["bucket"] == name for setting in record.of_type(type_token)):
                yield f"{_told(made)} has no {what}."
        if account.is_there("s3", "get_public_access_block", Bucket=name):
            block = account.call("s3", "get_public_access_block", Bucket=name)
            open_ = [key for key, value in block["PublicAccessBlockConfiguration"].items() if not value]
            if open_:
                yield f"{_told(made)}: {', '.join(open_)} is off."
    for made in record.of_type("aws:s3/bucketPolicy:BucketPolicy"):
        statements = _parsed(made.inputs["policy"])["Statement"]
        if any(s["Effect"] == "Allow" and s["Principal"] in ("*", {"AWS": "*"}) for s in statements):
            yield f"{_told(made)} lets anybody in."


_BY_URL = {
    "lambda:InvokeFunctionUrl": ("functionUrlAuthType", "NONE"),
    "lambda:InvokeFunction": ("invokedViaFunctionUrl", True),
}
"""What everybody must be given for a public URL, and the condition under which alone.

https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html (read 2026-11-29): both since October 2025.
"""


def _function_urls(record: Record) -> Iterator[str]:
    """Hold what everybody may do against what is public: moto leaves these permissions' conditions out."""
    everybody = [p for p in record.of_type(_PERMISSION) if p.inputs["principal"] == "*"]
    given: set[tuple[str, str | None, str]] = set()
    for made in everybody:
        action = made.inputs["action"]
        key, value = _BY_URL.get(action, ("", None))
        if made.inputs.get(key) != value or not key:
            yield f"{_told(made)} lets everybody {action}, and not through the URL alone."
        given.add((made.inputs["function"], made.inputs.get("qualifier"), action))
    for made in record.of_type("aws:lambda/functionUrl:FunctionUrl"):
        if made.inputs["authorizationType"] == "NONE":
            place = made.inputs["functionName"], made.inputs.get("qualifier")
            for action in sorted(_BY_URL):
                if (*place, action) not in given:
                    yield f"{_told(made)} is public, but not everybody may {action}."
                given.discard((*place, action))
    for function, _, action in sorted(given, key=str):
        yield f"everybody may {action} of {function}, which has no public URL."


def _told(made: Made) -> str:
    return f"{made.type.rpartition(':')[2]} {made.name}"
