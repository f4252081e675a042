"""What AWS would answer when a resource is made."""

from __future__ import annotations

from typing import Any

from tests.clouds.outputs.made import Made, Outputs


def _arn(made: Made, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
    return f"arn:aws:{service}:{_region(made) if region else ''}:{made.place.account if account else ''}:{resource}"


def _region(made: Made) -> str:
    return str(made.inputs.get("region") or made.place.region)


def _invoke_arn(made: Made, arn: str) -> str:
    return f"arn:aws:apigateway:{_region(made)}:lambda:path/2015-03-31/functions/{arn}/invocations"


def _function(made: Made) -> dict[str, Any]:
    name = made.named()
    arn = _arn(made, "lambda", f"function:{name}")
    version = str(made.generation) if made.inputs.get("publish") else "$LATEST"
    return {
        "id": name,
        "name": name,
        "arn": arn,
        "version": version,
        "qualifiedArn": f"{arn}:{version}",
        "invokeArn": _invoke_arn(made, arn),
        "qualifiedInvokeArn": _invoke_arn(made, f"{arn}:{version}"),
    }


def _alias(made: Made) -> dict[str, Any]:
    function = str(made["functionName"])
    if not function.startswith("arn:"):
        function = _arn(made, "lambda", f"function:{function}")
    arn = f"{function}:{made.named()}"
    return {"id": arn, "name": made.named(), "arn": arn, "invokeArn": _invoke_arn(made, arn)}


def _function_url(made: Made) -> dict[str, Any]:
    url_id = made.digest(32)
    url = f"https://{url_id}.lambda-url.{_region(made)}.on.aws/"
    name = str(made["functionName"]).rsplit(":", 1)[-1]
    arn = _arn(made, "lambda", f"function:{name}")
    return {"id": name, "functionUrl": url, "urlId": url_id, "functionArn": arn}


def _api(made: Made) -> dict[str, Any]:
    id_ = made.digest(10)
    return {
        "id": id_,
        "name": made.named(),
        "apiEndpoint": f"https://{id_}.execute-api.{_region(made)}.amazonaws.com",
        "executionArn": _arn(made, "execute-api", id_),
        "arn": _arn(made, "apigateway", f"/apis/{id_}", account=False),
    }


def _stage(made: Made) -> dict[str, Any]:
    name, api = made.named(), made["apiId"]
    path = "" if name == "$default" else name
    return {
        "id": name,
        "name": name,
        "invokeUrl": f"https://{api}.execute-api.{_region(made)}.amazonaws.com/{path}",
        "executionArn": _arn(made, "execute-api", f"{api}/{name}"),
        "arn": _arn(made, "apigateway", f"/apis/{api}/stages/{name}", account=False),
    }


def _domain_name(made: Made) -> dict[str, Any]:
    target = f"d-{made.digest(10)}.execute-api.{_region(made)}.amazonaws.com"
    return {
        "id": made["domainName"],
        "arn": _arn(made, "apigateway", f"/domainnames/{made['domainName']}", account=False),
        "domainNameConfiguration": {"targetDomainName": target, "hostedZoneId": "ZLY8HYME6SFDD"},
    }


def _certificate(made: Made) -> dict[str, Any]:
    arn = _arn(made, "acm", f"certificate/{made.uuid('certificate')}")
    names = [made["domainName"], *made.inputs.get("subjectAlternativeNames", ())]
    options = [
        {
            "domainName": name,
            "resourceRecordName": f"_{made.digest(32, name)}.{name}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{made.digest(32, name + 'value')}.acm-validations.aws.",
        }
        for name in names
    ]
    return {"id": arn, "arn": arn, "domainValidationOptions": options, "status": "PENDING_VALIDATION"}


def _bucket(made: Made) -> dict[str, Any]:
    name = made.named("bucket")
    return {
        "id": name,
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "region": _region(made),
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{_region(made)}.amazonaws.com",
    }


def _object(made: Made) -> dict[str, Any]:
    key = made.named("key")
    return {
        "id": key,
        "key": key,
        "arn": f"arn:aws:s3:::{made['bucket']}/{key}",
        "versionId": made.digest(32, str(made.generation)),
        "etag": made.digest(32, "etag"),
    }


def _role(made: Made) -> dict[str, Any]:
    name = made.named()
    path = made.inputs.get("path", "/")
    arn = _arn(made, "iam", f"role{path}{name}", region=False)
    return {"id": name, "name": name, "arn": arn, "uniqueId": f"AROA{made.digest(17).upper()}"}


def _role_policy(made: Made) -> dict[str, Any]:
    return {"id": f"{made['role']}:{made.named()}", "name": made.named()}


def _secret(made: Made) -> dict[str, Any]:
    arn = _arn(made, "secretsmanager", f"secret:{made.named()}-{made.digest(6)}")
    return {"id": arn, "name": made.named(), "arn": arn}


def _secret_version(made: Made) -> dict[str, Any]:
    version = made.uuid("version")
    return {"id": f"{made['secretId']}|{version}", "arn": made["secretId"], "versionId": version}


def _log_group(made: Made) -> dict[str, Any]:
    return {"id": made.named(), "name": made.named(), "arn": _arn(made, "logs", f"log-group:{made.named()}")}


def _repository(made: Made) -> dict[str, Any]:
    name, account = made.named(), made.place.account
    return {
        "id": name,
        "name": name,
        "arn": _arn(made, "ecr", f"repository/{name}"),
        "registryId": account,
        "repositoryUrl": f"{account}.dkr.ecr.{_region(made)}.amazonaws.com/{name}",
    }


def _queue(made: Made) -> dict[str, Any]:
    name = made.named()
    url = f"https://sqs.{_region(made)}.amazonaws.com/{made.place.account}/{name}"
    return {"id": url, "name": name, "url": url, "arn": _arn(made, "sqs", name)}


def _of_queue(made: Made) -> dict[str, Any]:
    return {"id": made["queueUrl"]}


def _event_source_mapping(made: Made) -> dict[str, Any]:
    uuid = made.uuid("mapping")
    return {
        "id": uuid,
        "uuid": uuid,
        "arn": _arn(made, "lambda", f"event-source-mapping:{uuid}"),
        "functionArn": made["functionName"],
    }


def _schedule(made: Made) -> dict[str, Any]:
    path = f"{made.inputs.get('groupName', 'default')}/{made.named()}"
    return {"id": path, "name": made.named(), "arn": _arn(made, "scheduler", f"schedule/{path}")}


def _schedule_group(made: Made) -> dict[str, Any]:
    name = made.named()
    return {"id": name, "name": name, "arn": _arn(made, "scheduler", f"schedule-group/{name}")}


def _key(made: Made) -> dict[str, Any]:
    uuid = made.uuid("key")
    return {"id": uuid, "keyId": uuid, "arn": _arn(made, "kms", f"key/{uuid}")}


def _topic(made: Made) -> dict[str, Any]:
    arn = _arn(made, "sns", made.named())
    return {"id": arn, "name": made.named(), "arn": arn, "owner": made.place.account}


def _subscription(made: Made) -> dict[str, Any]:
    arn = f"{made['topic']}:{made.uuid('subscription')}"
    return {"id": arn, "arn": arn, "ownerId": made.place.account}


def _alarm(made: Made) -> dict[str, Any]:
    return {
        "id": made.named(),
        "name": made.named(),
        "arn": _arn(made, "cloudwatch", f"alarm:{made.named()}"),
    }


def _dashboard(made: Made) -> dict[str, Any]:
    name = made["dashboardName"]
    return {"id": name, "dashboardArn": _arn(made, "cloudwatch", f"dashboard/{name}", region=False)}


def _budget(made: Made) -> dict[str, Any]:
    name, account = made.named(), made.place.account
    return {
        "id": f"{account}:{name}",
        "name": name,
        "accountId": account,
        "arn": _arn(made, "budgets", f"budget/{name}", region=False),
    }


def _of_bucket(made: Made) -> dict[str, Any]:
    return {"id": made["bucket"]}


def _numbered(made: Made) -> dict[str, Any]:
    return {"id": made.digest(7)}


def _of_repository(made: Made) -> dict[str, Any]:
    return {"id": made["repository"], "registryId": made.place.account}


OUTPUTS: dict[str, Outputs] = {
    "aws:lambda/function:Function": _function,
    "aws:lambda/alias:Alias": _alias,
    "aws:lambda/permission:Permission": lambda made: {
        "id": made.named("statementId"),
        "statementId": made.named("statementId"),
    },
    "aws:lambda/functionUrl:FunctionUrl": _function_url,
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": lambda made: {
        "id": f"{made['functionName']},{made['qualifier']}"
    },
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/integration:Integration": _numbered,
    "aws:apigatewayv2/route:Route": _numbered,
    "aws:apigatewayv2/stage:Stage": _stage,
    "aws:apigatewayv2/authorizer:Authorizer": lambda made: {**_numbered(made), "name": made.named()},
    "aws:apigatewayv2/domainName:DomainName": _domain_name,
    "aws:apigatewayv2/apiMapping:ApiMapping": _numbered,
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": lambda made: {
        "id": made.uuid("validation"),
        "certificateArn": made["certificateArn"],
    },
    "aws:route53/record:Record": lambda made: {
        "id": f"{made['zoneId']}_{made['name']}_{made['type']}",
        "fqdn": str(made["name"]).rstrip("."),
    },
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket,
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": lambda made: {
        "id": f"{made['role']}-{made['policyArn']}"
    },
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:ecr/repository:Repository": _repository,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _of_repository,
    "aws:ecr/repositoryPolicy:RepositoryPolicy": _of_repository,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _of_queue,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _of_queue,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _event_source_mapping,
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _schedule_group,
    "aws:kms/key:Key": _key,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": lambda made: {"id": made["arn"], "owner": made.place.account},
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:budgets/budget:Budget": _budget,
}
