"""Lambda on moto: functions, versions, aliases, who may call them, their URLs.

moto keeps no log group, SnapStart and provisioned concurrency; the requests for them are held against AWS's own model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.conformance.aws.account import Account
from tests.conformance.aws.kind import Kind, Outputs, Request
from tests.conformance.aws.requests import Inputs, content

_NAMES = {
    "name": "FunctionName",
    "kmsKeyArn": "KMSKeyArn",
    "commands": "Command",
    "entryPoints": "EntryPoint",
    "fileSystemConfig": "FileSystemConfigs",
}
_CODE = {
    "s3Bucket": "S3Bucket",
    "s3Key": "S3Key",
    "s3ObjectVersion": "S3ObjectVersion",
    "imageUri": "ImageUri",
}
# What only tells the provider when to upload: the code itself is what counts here.
_HASHES = ("sourceCodeHash", "codeSha256", "skipDestroy")
_READ = {
    "role": "Role",
    "runtime": "Runtime",
    "handler": "Handler",
    "memorySize": "MemorySize",
    "timeout": "Timeout",
    "architectures": "Architectures",
    "packageType": "PackageType",
    "description": "Description",
}


def _code(inputs: Inputs) -> Request:
    code: Request = {name: inputs.take(ours) for ours, name in _CODE.items()}
    archive = inputs.take("code")
    if archive is not None:
        code["ZipFile"] = content(f"code of {inputs.what}", archive, inputs.folder)
    return {name: value for name, value in code.items() if value is not None}


def _function_request(inputs: Inputs) -> tuple[Request, Request, int | None]:
    """Return a function's configuration, its code, and its reserved concurrency."""
    inputs.ignore(*_HASHES, "publish")  # every function here publishes
    code, reserved = _code(inputs), inputs.take("reservedConcurrentExecutions")
    return inputs.rest(_NAMES, keep={"Variables"}), code, reserved


def _make_function(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request, code, reserved = _function_request(inputs)
    made = account.call("lambda", "create_function", **request, Code=code, Publish=True, Tags=dict(tags))
    return _function_outputs(account, made["FunctionName"], reserved)


def _change_function(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    request, code, reserved = _function_request(inputs)
    name = request["FunctionName"]
    architectures = request.pop("Architectures", None)
    request.pop("PackageType", None)
    account.call("lambda", "update_function_configuration", **request)
    placed = {"Architectures": architectures} if architectures else {}
    account.call("lambda", "update_function_code", FunctionName=name, **code, **placed)
    account.call("lambda", "publish_version", FunctionName=name)
    account.call("lambda", "tag_resource", Resource=old["arn"], Tags=dict(tags))
    return _function_outputs(account, name, reserved)


def _function_outputs(account: Account, name: str, reserved: int | None) -> Outputs:
    if reserved is not None and reserved >= 0:
        account.call(
            "lambda", "put_function_concurrency", FunctionName=name, ReservedConcurrentExecutions=reserved
        )
    versions = account.pages("lambda", "list_versions_by_function", "Versions", FunctionName=name)
    newest = max(int(version["Version"]) for version in versions if version["Version"] != "$LATEST")
    arn = account.call("lambda", "get_function_configuration", FunctionName=name)["FunctionArn"]
    return {
        "id": name,
        "arn": arn,
        "version": str(newest),
        "qualifiedArn": f"{arn}:{newest}",
        "invokeArn": invoke_arn(account, arn),
        "qualifiedInvokeArn": invoke_arn(account, f"{arn}:{newest}"),
    }


def invoke_arn(account: Account, arn: str) -> str:
    """Return the address at which API Gateway calls a function."""
    path = f"lambda:path/2015-03-31/functions/{arn}/invocations"
    return f"arn:aws:apigateway:{account.region}:{path}"


def _read_function(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("lambda", "get_function", FunctionName=outputs["name"])
    configuration = found["Configuration"]
    variables = configuration.get("Environment", {}).get("Variables")
    return {
        **{ours: configuration.get(theirs) for ours, theirs in _READ.items()},
        "imageUri": found["Code"].get("ImageUri"),
        "environment": {"variables": variables},
        "ephemeralStorage": {"size": configuration["EphemeralStorage"]["Size"]},
        "reservedConcurrentExecutions": found.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "tags": found.get("Tags", {}),
    }


def _remove_function(account: Account, outputs: Outputs) -> None:
    account.call("lambda", "delete_function", FunctionName=outputs["name"])


def _alias_request(inputs: Inputs) -> Request:
    request = inputs.rest({}, keep={"AdditionalVersionWeights"})
    request["FunctionName"] = _bare(request["FunctionName"])
    return request


def _make_alias(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    made = account.call("lambda", "create_alias", **_alias_request(inputs))
    return {
        "id": made["AliasArn"],
        "arn": made["AliasArn"],
        "invokeArn": invoke_arn(account, made["AliasArn"]),
    }


def _change_alias(account: Account, inputs: Inputs, tags: Mapping[str, str], old: Outputs) -> Outputs:
    made = account.call("lambda", "update_alias", **_alias_request(inputs))
    return {
        "id": made["AliasArn"],
        "arn": made["AliasArn"],
        "invokeArn": invoke_arn(account, made["AliasArn"]),
    }


def _read_alias(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    keys = {"FunctionName": _bare(outputs["functionName"]), "Name": outputs["name"]}
    found = account.call("lambda", "get_alias", **keys)
    return {"functionVersion": found["FunctionVersion"], "name": found["Name"]}


def _remove_alias(account: Account, outputs: Outputs) -> None:
    keys = {"FunctionName": _bare(outputs["functionName"]), "Name": outputs["name"]}
    account.call("lambda", "delete_alias", **keys)


def _bare(function: str) -> str:
    """Return a function's name, of its name or its ARN."""
    return function.split(":")[6] if function.startswith("arn:") else function


def _make_permission(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = inputs.rest({"function": "FunctionName"})
    request["FunctionName"] = _bare(request["FunctionName"])
    made = account.call("lambda", "add_permission", **request)
    return {"id": json.loads(made["Statement"])["Sid"]}


def _remove_permission(account: Account, outputs: Outputs) -> None:
    keys = {"FunctionName": _bare(outputs["function"]), "StatementId": outputs["statementId"]}
    account.call("lambda", "remove_permission", **keys)


def _make_url(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    request = inputs.rest({"authorizationType": "AuthType"})
    made = account.call("lambda", "create_function_url_config", **request)
    host = made["FunctionUrl"].partition("://")[2]
    qualifier = request.get("Qualifier")
    arn = (
        f"{made['FunctionArn']}:{qualifier}" if qualifier else made["FunctionArn"]
    )  # moto leaves the alias out
    return {
        "id": arn,
        "functionUrl": made["FunctionUrl"],
        "functionArn": arn,
        "urlId": host.partition(".")[0],
    }


def _url_keys(outputs: Outputs) -> Request:
    keys = {"FunctionName": outputs["functionName"], "Qualifier": outputs.get("qualifier")}
    return {name: value for name, value in keys.items() if value}


def _read_url(account: Account, outputs: Outputs) -> Mapping[str, Any]:
    found = account.call("lambda", "get_function_url_config", **_url_keys(outputs))
    return {"authorizationType": found["AuthType"]}


def _remove_url(account: Account, outputs: Outputs) -> None:
    account.call("lambda", "delete_function_url_config", **_url_keys(outputs))


def _make_concurrency(account: Account, inputs: Inputs, tags: Mapping[str, str]) -> Outputs:
    """Hold the request against AWS's model: moto has no such operation."""
    from botocore.validate import validate_parameters

    inputs.ignore("skipDestroy")
    request = inputs.rest({})
    model = account.client("lambda").meta.service_model.operation_model("PutProvisionedConcurrencyConfig")
    validate_parameters(request, model.input_shape)
    keys = {"FunctionName": request["FunctionName"], "Name": request["Qualifier"]}
    account.call("lambda", "get_alias", **keys)  # fails when there is none
    return {"id": f"{request['FunctionName']},{request['Qualifier']}"}


def _keep(account: Account, outputs: Outputs) -> None:
    """Remove nothing: it goes with what it belongs to."""


_MADE = ("arn", "version", "qualifiedArn", "invokeArn", "qualifiedInvokeArn")
KINDS = {
    "aws:lambda/function:Function": Kind(
        _make_function,
        _remove_function,
        _MADE,
        named="name",
        change=_change_function,
        anew=frozenset({"name", "packageType"}),
        read=_read_function,
        tagged=True,
    ),
    "aws:lambda/alias:Alias": Kind(
        _make_alias,
        _remove_alias,
        ("arn", "invokeArn"),
        named="name",
        change=_change_alias,
        anew=frozenset({"name", "functionName"}),
        read=_read_alias,
    ),
    "aws:lambda/permission:Permission": Kind(_make_permission, _remove_permission, named="statementId"),
    "aws:lambda/functionUrl:FunctionUrl": Kind(
        _make_url, _remove_url, ("functionUrl", "functionArn", "urlId"), read=_read_url
    ),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": Kind(_make_concurrency, _keep),
}
