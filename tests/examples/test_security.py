"""What holds of everything that the clouds are told, in every example: nothing open or in plain, no right too many."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lastmile_sls.engine.properties import is_secret, reveal
from lastmile_sls.plan.document import Target
from tests.clouds import sdk_types
from tests.clouds.played import KEY, digest
from tests.clouds.wire import Record
from tests.examples.conftest import Lived
from tests.examples.doors import AUTH, accepted, doors
from tests.examples.lives import Life
from tests.examples.projects import CLOUDS, EXAMPLES

CLOSED: dict[str, dict[str, Any]] = {
    "aws:apigatewayv2/domainName:DomainName": {"domainNameConfiguration.securityPolicy": "TLS_1_2"},
    "aws:ecr/repository:Repository": {"imageTagMutability": "IMMUTABLE"},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    },
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {"rule.objectOwnership": "BucketOwnerEnforced"},
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": {"portRange": "443"},
    "gcp:compute/sSLPolicy:SSLPolicy": {"minTlsVersion": "TLS_1_2"},
    "gcp:storage/bucket:Bucket": {
        "publicAccessPrevention": "enforced",
        "uniformBucketLevelAccess": True,
        "forceDestroy": False,
    },
    "azure-native:app:ContainerApp": {"configuration.ingress.allowInsecure": False},
    "azure-native:cdn:AFDCustomDomain": {"tlsSettings.minimumTlsVersion": "TLS12"},
    "azure-native:cdn:AFDOrigin": {"enforceCertificateNameCheck": True},
    "azure-native:cdn:Route": {"supportedProtocols": ["Https"], "forwardingProtocol": "HttpsOnly"},
    "azure-native:containerregistry:Registry": {"adminUserEnabled": False, "anonymousPullEnabled": False},
    "azure-native:keyvault:Vault": {"properties.enableRbacAuthorization": True},
    "azure-native:storage:BlobContainer": {"publicAccess": "None"},
    "azure-native:storage:StorageAccount": {
        "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False,
        "allowCrossTenantReplication": False,
        "enableHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2",
    },
    "azure-native:web:WebApp": {
        "httpsOnly": True,
        "siteConfig.minTlsVersion": "1.2",
        "siteConfig.scmMinTlsVersion": "1.2",
    },
    "azure-native:web:WebAppScmAllowed": {"allow": False},
}
"""By type: inputs, and the values without which something is open, or goes without TLS."""
OF_EACH_BUCKET = (
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
)
"""What S3 takes beside a bucket."""
NEVER = (
    "aws:lambda/layerVersionPermission:LayerVersionPermission",
    "aws:s3/bucketAclV2:BucketAclV2",
    "aws:s3/bucketAcl:BucketAcl",
    "gcp:compute/targetHttpProxy:TargetHttpProxy",
    "gcp:projects/iAMMember:IAMMember",
    "gcp:serviceaccount/key:Key",
    "gcp:storage/bucketACL:BucketACL",
)
"""Types that open something, or give a right on more than one resource, whatever their inputs."""
WILDCARDS = {
    "WriteLogs Resource log-group:/aws/lambda/NAME:*": "each instance makes a stream, and names it itself",
    "LambdaECRImageRetrievalPolicy Condition function:*": (
        "any function of this account and region: Lambda asks for each version of each"
    ),
    "UseAnswers Resource BUCKET/results/*": "answers that come later, each under a name of its own",
    "UseInput Resource BUCKET/batch/in/*": "the files that are scored",
    "UseOutput Resource BUCKET/batch/out/*": "their predictions",
    "List1 Condition results/*": "the same folders' names, and no other's",
    "List1 Condition batch/in/*": "the same",
    "List1 Condition batch/out/*": "the same",
    "AccountAdministers Action kms:*": "in a key's own policy: what identities may do with it is their policies' to say",
    "AccountAdministers Resource *": "in a key's own policy: the key itself",
    "AlarmsEncrypt Resource *": "the same",
}
"""In AWS's policies: statement, where, and the end of the text; with the reason."""
GOOGLE_ROLES = {
    "roles/iam.serviceAccountOpenIdTokenCreator": "Pub/Sub proves whose its pushes are",
    "roles/pubsub.publisher": "the router sends to its queue, and Pub/Sub to what is set aside",
    "roles/pubsub.subscriber": "Pub/Sub takes what it sets aside out of the queue",
    "roles/run.servicesInvoker": "the router calls the other functions, and Pub/Sub pushes to it",
    "roles/storage.legacyBucketReader": "the router lists names; without it what is not there could not be told",
    "roles/storage.legacyBucketWriter": "the router writes and deletes below its own folders",
    "roles/storage.legacyObjectReader": "functions read the routing document, and the router its folders",
}
LISTER = "roles/storage.legacyBucketReader"
"""It is judged by the bucket: a condition on the beginning of names is none to it."""
AZURE_ROLES = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull: the app fetches its image",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": (
        "Storage Blob Data Owner: the functions' host needs every right on its own account, which holds nothing else"
    ),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor: whoever deploys writes the routing document",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader: functions read the routing document",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": (
        "Storage Queue Data Contributor: the functions' host takes messages, and renews its hold on them"
    ),
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender: the host sets messages aside",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher: functions write their log",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User: the router reads the key of the other functions",
}
ON_ONE_RESOURCE = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/[^/]+/[^/]+(/.+)?")


def lives(lived: Lived, cloud: Target) -> list[Life]:
    return [lived(example, cloud) for example in EXAMPLES]


def every(lived: Lived, *clouds: Target) -> Iterator[Record]:
    """Yield every record of the clouds, secrets revealed."""
    for cloud in clouds:
        for life in lives(lived, cloud):
            for record in life.up.records:
                yield Record(record.type, record.name, reveal(record.inputs))


def value_at(inputs: Any, path: str) -> Any:
    for name in path.split("."):
        inputs = (inputs or {}).get(name)
    return inputs


# -- nothing open, nothing without TLS ------------------------------------------------------------


def test_what_could_be_open_is_closed(lived: Lived) -> None:
    seen = set()
    for record in every(lived, *CLOUDS):
        seen.add(record.type)
        for path, wanted in CLOSED.get(record.type, {}).items():
            assert value_at(record.inputs, path) == wanted, (record.key, path)
    assert set(CLOSED) - seen == set()
    assert seen & set(NEVER) == set()


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_bucket_of_s3_has_all_that_closes_it(lived: Lived, example: str) -> None:
    life = lived(example, "aws")
    bucket = life.up.result.outputs.get("bucket", "").removeprefix("s3://")
    records = life.up.records
    assert [bucket] * bool(bucket) == [bucket for r in records if r.type == "aws:s3/bucket:Bucket"]
    for type_ in OF_EACH_BUCKET:
        assert [r.inputs["bucket"] for r in records if r.type == type_] == [bucket] * bool(bucket), type_


def test_nobody_reaches_a_bucket_of_s3_without_tls(lived: Lived) -> None:
    policies = [r for r in every(lived, "aws") if r.type == "aws:s3/bucketPolicy:BucketPolicy"]
    assert policies
    for policy in policies:
        (statement,) = json.loads(policy.inputs["policy"])["Statement"]
        arn = f"arn:aws:s3:::{policy.inputs['bucket']}"
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Resource"] == [arn, f"{arn}/*"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_googles_load_balancer_speaks_tls_as_its_policy_says(lived: Lived) -> None:
    proxies = [r for r in every(lived, "gcp") if r.type == "gcp:compute/targetHttpsProxy:TargetHttpsProxy"]
    assert proxies
    assert all(proxy.inputs["sslPolicy"] for proxy in proxies)


# -- no endpoint without auth ---------------------------------------------------------------------


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_somebody_checks_at_every_door_unless_the_spec_is_public(
    lived: Lived, example: str, cloud: Target
) -> None:
    life = lived(example, cloud)
    endpoint = life.plan["endpoint"]
    resources = {function["name"]: function["resource"] for function in life.plan["functions"]}
    found = doors(cloud, life.up.records)
    assert any(door.function == resources[endpoint["function"]] for door in found)
    for door in found:
        if endpoint["auth"] == "public" and door.function == resources[endpoint["function"]]:
            assert door.checks is None
        else:
            assert door.checks is not None, door
    if endpoint["auth_at"] == "gateway":
        assert {door.checks for door in found} == {"platform"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_door_at_which_nobody_checks_any_more_is_seen(lived: Lived, cloud: Target) -> None:
    records = lived("breast-cancer", cloud).up.records
    assert {door.checks for door in doors(cloud, records)} == {"function"}
    unlocked = [
        Record(r.type, r.name, json.loads(json.dumps(r.inputs).replace(AUTH, "OTHER"))) for r in records
    ]
    assert {door.checks for door in doors(cloud, unlocked)} == {None}


def test_a_door_that_a_grant_opens_is_seen(lived: Lived) -> None:
    records = copy.deepcopy(lived("conflicting-versions", "gcp").up.records)
    (grant,) = [r for r in records if r.type == "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"]
    assert {door.function: door.checks for door in doors("gcp", records)}[grant.inputs["name"]] == "platform"
    grant.inputs["member"] = "allUsers"
    assert {door.function: door.checks for door in doors("gcp", records)}[grant.inputs["name"]] is None


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_functions_that_check_take_what_the_plan_says(lived: Lived, example: str, cloud: Target) -> None:
    life = lived(example, cloud)
    endpoint = life.plan["endpoint"]
    taken = accepted(cloud, life.up.records)
    if endpoint["auth_at"] != "function":
        assert taken == []
        return
    others = len(life.plan["functions"]) - 1 if cloud == "azure" else 0
    keys = {"keys": [digest(KEY)]}
    assert taken == [
        *([keys] if endpoint["auth"] == "key" else [{"jwt": endpoint["jwt"]}]),
        *[keys] * others,
    ]


# -- nothing in plain -----------------------------------------------------------------------------


def without_secrets(value: Any) -> Any:
    """Return a value without what is marked as a secret."""
    if is_secret(value):
        return "[secret]"
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items()}
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_a_keys_value_is_a_secret_wherever_it_is(lived: Lived, example: str, cloud: Target) -> None:
    life = lived(example, cloud)
    told = [record.inputs for told in (life.up, life.update) for record in told.records]
    assert KEY not in json.dumps(without_secrets(told))
    assert KEY not in json.dumps(without_secrets(life.state))
    assert (KEY in json.dumps(life.state)) == bool(life.plan["keys"])
    # The embedded engine keeps a stack in one file that only its owner reads; there, marked, is the value.
    stack = f"home/stacks/{life.plan['project']}/{life.plan['stack']}.json"
    assert life.exposing == ([stack] if life.plan["keys"] else [])


# -- what is destroyed can be ---------------------------------------------------------------------


@pytest.mark.parametrize("cloud", CLOUDS)
def test_nothing_is_protected_from_deletion(lived: Lived, cloud: Target) -> None:
    for record in every(lived, cloud):
        if record.type.startswith(("lastmile:", sdk_types.PROVIDER_PREFIX)):
            continue
        if "deletionProtection" in sdk_types.resource_fields(record.type):
            assert record.inputs["deletionProtection"] is False, record.key
        assert "enablePurgeProtection" not in json.dumps(record.inputs), record.key


# -- no right too many ----------------------------------------------------------------------------


def wildcards(record: Record) -> Iterator[str]:
    """Yield every wildcard in what a policy of AWS's allows, as the table of reasons says it."""
    for key in ("policy", "assumeRolePolicy"):
        for statement in json.loads(record.inputs.get(key, "{}")).get("Statement", ()):
            if statement["Effect"] == "Deny":
                continue
            for part in ("Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"):
                for text in _texts(statement.get(part)):
                    if "*" in text or "?" in text:
                        yield f"{statement.get('Sid')} {part} {_ending(text)}"


def _texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in _texts(item)]
        case dict():
            return [text for item in value.values() for text in _texts(item)]
    return []


def _ending(arn: str) -> str:
    """Return an ARN without its beginning, and without what is a deployment's own in it."""
    known = re.sub(r"^arn:aws:s3:::[^/]+", "BUCKET", re.sub(r".*:eu-west-1:\d+:", "", arn))
    return re.sub(r"/aws/lambda/[^:*]+", "/aws/lambda/NAME", known)


def test_each_wildcard_on_aws_has_a_reason(lived: Lived) -> None:
    found = {wildcard for record in every(lived, "aws") for wildcard in wildcards(record)}
    assert found == set(WILDCARDS)


def test_each_role_on_google_cloud_has_a_reason_and_is_on_one_resource(lived: Lived) -> None:
    grants = [record for record in every(lived, "gcp") if "member" in record.inputs]
    assert {grant.inputs["role"] for grant in grants} == set(GOOGLE_ROLES)
    for grant in grants:
        assert grant.inputs["member"].startswith("serviceAccount:"), grant.key
        if grant.type != "gcp:storage/bucketIAMMember:BucketIAMMember":
            assert any(grant.inputs.get(one) for one in ("name", "topic", "subscription", "serviceAccountId"))
        elif grant.inputs["role"] != LISTER:
            expression = grant.inputs["condition"]["expression"]
            assert re.match(
                r'resource\.name( == |\.startsWith\()"projects/_/buckets/[^/]+/objects/[^"]', expression
            )


def test_each_role_on_azure_has_a_reason_and_is_on_one_resource(lived: Lived) -> None:
    grants = [r for r in every(lived, "azure") if r.type == "azure-native:authorization:RoleAssignment"]
    assert {grant.inputs["roleDefinitionId"].rsplit("/", 1)[1] for grant in grants} == set(AZURE_ROLES)
    for grant in grants:
        assert ON_ONE_RESOURCE.fullmatch(grant.inputs["scope"]), grant.key
