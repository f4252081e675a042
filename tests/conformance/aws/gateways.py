"""API Gateway's HTTP APIs on moto, and what leads to them by a name of the user's own: certificates and records."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tests.conformance.aws.account import ACCOUNT, Account
from tests.conformance.aws.kind import Kind, Outputs
from tests.conformance.aws.requests import Inputs, NotCarriedError, lowered, tag_list

_GATEWAY = "apigatewayv2"


def _make_api(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    made = account.call(_GATEWAY, "create_api", **inputs.rest({}), Tags=dict(tags))
    return _api_outputs(account, made["ApiId"])


def _change_api(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    request = inputs.rest({})
    request.pop("ProtocolType")
    account.call(_GATEWAY, "update_api", ApiId=old["id"], **request)
    account.call(_GATEWAY, "tag_resource", ResourceArn=old["arn"], Tags=dict(tags))
    return _api_outputs(account, old["id"])


def _api_outputs(account: Account, id_: str) -> Outputs:
    return {
        "id": id_,
        "apiEndpoint": f"https://{id_}.execute-api.{account.region}.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:{account.region}:{ACCOUNT}:{id_}",
        "arn": f"arn:aws:apigateway:{account.region}::/apis/{id_}",
    }


def _read_api(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call(_GATEWAY, "get_api", ApiId=outputs["id"])
    cors = found.get("CorsConfiguration", {})
    return {
        "name": found["Name"],
        "protocolType": found["ProtocolType"],
        "disableExecuteApiEndpoint": found["DisableExecuteApiEndpoint"],
        "corsConfiguration": {name[0].lower() + name[1:]: value for name, value in cors.items()} or None,
        "tags": found.get("Tags", {}),
    }


def _part(
    noun: str, key: str, names: Mapping[str, str], keep: frozenset[str] = frozenset(), named: str = ""
) -> Kind:
    """Return how a part of an API is made, that belongs to it and has an id."""

    def make(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
        return {"id": account.call(_GATEWAY, f"create_{noun}", **inputs.rest(names, keep))[key]}

    def change(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
        account.call(_GATEWAY, f"update_{noun}", **{key: old["id"]}, **inputs.rest(names, keep))
        return {"id": old["id"]}

    def read(account: Account, outputs: Outputs) -> Mapping[str, Any]:
        found = account.call(_GATEWAY, f"get_{noun}", ApiId=outputs["apiId"], **{key: outputs["id"]})
        told: Mapping[str, Any] = lowered(found, names)
        return told

    def remove(account: Account, outputs: Outputs) -> None:
        account.call(_GATEWAY, f"delete_{noun}", ApiId=outputs["apiId"], **{key: outputs["id"]})

    return Kind(make, remove, named=named, change=change, anew=frozenset({"apiId"}), read=read)


def _make_stage(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = inputs.rest({"name": "StageName"}, keep=frozenset({"StageVariables"}))
    routes = request.pop("RouteSettings", [])
    request["RouteSettings"] = {route.pop("RouteKey"): route for route in routes}
    account.call(_GATEWAY, "create_stage", **request, Tags=dict(tags))
    name, id_ = request["StageName"], request["ApiId"]
    host = f"https://{id_}.execute-api.{account.region}.amazonaws.com"
    return {
        "id": name,
        "arn": f"arn:aws:apigateway:{account.region}::/apis/{id_}/stages/{name}",
        "executionArn": f"arn:aws:execute-api:{account.region}:{ACCOUNT}:{id_}/{name}",
        "invokeUrl": f"{host}/" if name == "$default" else f"{host}/{name}",
    }


def _change_stage(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    """Make it anew: moto does not change stages."""
    _remove_stage(account, old)
    return _make_stage(account, inputs, tags)


def _read_stage(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call(_GATEWAY, "get_stage", ApiId=outputs["apiId"], StageName=outputs["name"])
    return {
        "autoDeploy": found.get("AutoDeploy"),
        "accessLogSettings": lowered(found.get("AccessLogSettings"), {}),
        "defaultRouteSettings": lowered(found.get("DefaultRouteSettings"), {}),
        "tags": found.get("Tags", {}),
    }


def _remove_stage(account: Account, outputs: Outputs) -> None:
    account.call(_GATEWAY, "delete_stage", ApiId=outputs["apiId"], StageName=outputs["name"])


def _make_domain(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    configuration = inputs.need("domainNameConfiguration")
    request = inputs.rest({})
    names = {
        "certificateArn": "CertificateArn",
        "endpointType": "EndpointType",
        "securityPolicy": "SecurityPolicy",
    }
    configured = {theirs: configuration[ours] for ours, theirs in names.items() if ours in configuration}
    made = account.call(
        _GATEWAY, "create_domain_name", **request, DomainNameConfigurations=[configured], Tags=dict(tags)
    )
    name = made["DomainName"]
    # moto names no target; every region has its own zone, which nothing here looks up.
    target = f"d-{int(sha256(name.encode()).hexdigest(), 16) % 10**10:010d}.execute-api.{account.region}.amazonaws.com"
    placed = {**configuration, "targetDomainName": target, "hostedZoneId": "Z1U9ULNL0V5AJ3"}
    return {"id": name, "domainNameConfiguration": placed, "arn": f"arn:aws:apigateway::/domainnames/{name}"}


def _remove_domain(account: Account, outputs: Outputs) -> None:
    account.call(_GATEWAY, "delete_domain_name", DomainName=outputs["domainName"])


def _make_mapping(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = {"ApiMappingKey": "", **inputs.rest({})}
    account.call(_GATEWAY, "get_stage", ApiId=request["ApiId"], StageName=request["Stage"])
    return {"id": account.call(_GATEWAY, "create_api_mapping", **request)["ApiMappingId"]}


def _remove_mapping(account: Account, outputs: Outputs) -> None:
    keys = {"DomainName": outputs["domainName"], "ApiMappingId": outputs["id"]}
    account.call(_GATEWAY, "delete_api_mapping", **keys)


def _make_certificate(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    arn = account.call("acm", "request_certificate", **inputs.rest({}), Tags=tag_list(tags))["CertificateArn"]
    found = account.call("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
    options = [
        {
            "domainName": option["DomainName"],
            "resourceRecordName": option["ResourceRecord"]["Name"],
            "resourceRecordType": option["ResourceRecord"]["Type"],
            "resourceRecordValue": option["ResourceRecord"]["Value"],
        }
        for option in found["DomainValidationOptions"]
    ]
    return {"id": arn, "arn": arn, "domainValidationOptions": options}


def _remove_certificate(account: Account, outputs: Outputs) -> None:
    account.call("acm", "delete_certificate", CertificateArn=outputs["arn"])


def _make_validation(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    """Look for the records that the certificate's authority would look for, in the zones that are here."""
    arn, given = inputs.need("certificateArn"), inputs.take("validationRecordFqdns", [])
    inputs.finish()
    found = account.call("acm", "describe_certificate", CertificateArn=arn)["Certificate"]
    there = {(r["Name"], r["Type"], v) for r in _records(account) for v in r["values"]}
    for option in found["DomainValidationOptions"]:
        wanted = option["ResourceRecord"]
        if (_absolute(wanted["Name"]), wanted["Type"], _absolute(wanted["Value"])) not in there:
            raise NotCarriedError(
                f"{option['DomainName']} cannot be validated: there is no {wanted['Name']}."
            )
        if _absolute(wanted["Name"]) not in map(_absolute, given):
            raise NotCarriedError(f"{wanted['Name']} is not among the records to wait for, {given}.")
    return {"id": arn, "certificateArn": arn}


def _absolute(name: str) -> str:
    return f"{name.rstrip('.')}."


def _records(account: Account) -> list[dict[str, Any]]:
    """Return every record of every zone: name, type, values."""
    return [
        {
            "Name": record["Name"],
            "Type": record["Type"],
            "values": [_absolute(value["Value"]) for value in record.get("ResourceRecords", [])],
            "alias": record.get("AliasTarget", {}).get("DNSName"),
        }
        for zone in account.pages("route53", "list_hosted_zones", "HostedZones")
        for record in account.pages(
            "route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]
        )
    ]


def _make_record(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    action = "UPSERT" if inputs.take("allowOverwrite") else "CREATE"
    zone, name, kind = inputs.need("zoneId"), inputs.need("name"), inputs.need("type")
    record: dict[str, Any] = {"Name": name, "Type": kind}
    aliases = inputs.take("aliases")
    if aliases:
        (alias,) = aliases
        target = {"DNSName": alias["name"], "HostedZoneId": alias["zoneId"]}
        record["AliasTarget"] = {**target, "EvaluateTargetHealth": alias["evaluateTargetHealth"]}
    else:
        record["TTL"] = inputs.need("ttl")
        record["ResourceRecords"] = [{"Value": value} for value in inputs.need("records")]
    inputs.finish()
    _change_record(account, zone, action, record)
    return {"id": f"{zone}_{name}_{kind}", "fqdn": name.rstrip("."), "__record": record}


def _change_record(account: Account, zone: str, action: str, record: dict[str, Any]) -> None:
    changes = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    account.call("route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=changes)


def _remove_record(account: Account, outputs: Outputs) -> None:
    _change_record(account, outputs["zoneId"], "DELETE", outputs["__record"])


def _keep(account: Account, outputs: Outputs) -> None:
    """Remove nothing: a validation is a wait."""


_INTEGRATION = {"timeoutMilliseconds": "TimeoutInMillis", "credentialsArn": "CredentialsArn"}
_AUTHORIZER = {"identitySources": "IdentitySource", "audiences": "Audience"}
KINDS = {
    "aws:apigatewayv2/api:Api": Kind(
        _make_api,
        lambda account, outputs: account.call(_GATEWAY, "delete_api", ApiId=outputs["id"]),
        ("apiEndpoint", "executionArn", "arn"),
        named="name",
        change=_change_api,
        anew=frozenset({"protocolType"}),
        read=_read_api,
        tagged=True,
    ),
    "aws:apigatewayv2/integration:Integration": _part(
        "integration", "IntegrationId", _INTEGRATION, frozenset({"RequestParameters"})
    ),
    "aws:apigatewayv2/route:Route": _part("route", "RouteId", {}),
    "aws:apigatewayv2/authorizer:Authorizer": _part("authorizer", "AuthorizerId", _AUTHORIZER, named="name"),
    "aws:apigatewayv2/stage:Stage": Kind(
        _make_stage,
        _remove_stage,
        ("arn", "executionArn", "invokeUrl"),
        named="name",
        change=_change_stage,
        anew=frozenset({"apiId", "name"}),
        read=_read_stage,
        tagged=True,
    ),
    "aws:apigatewayv2/domainName:DomainName": Kind(_make_domain, _remove_domain, ("arn",), tagged=True),
    "aws:apigatewayv2/apiMapping:ApiMapping": Kind(_make_mapping, _remove_mapping),
    "aws:acm/certificate:Certificate": Kind(
        _make_certificate, _remove_certificate, ("arn", "domainValidationOptions"), tagged=True
    ),
    "aws:acm/certificateValidation:CertificateValidation": Kind(_make_validation, _keep),
    "aws:route53/record:Record": Kind(_make_record, _remove_record, ("fqdn",)),
}
