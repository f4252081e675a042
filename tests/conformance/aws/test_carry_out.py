"""A program is carried out on moto: made, read back, changed and removed; and each planted error is found."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.conformance.aws.account import ACCOUNT, Account, moto_account
from tests.conformance.aws.carry_out import World, write_project
from tests.conformance.aws.judge import findings
from tests.conformance.aws.moto_provider import Made, Record
from tests.conformance.aws.requests import NotCarriedError

pytestmark = pytest.mark.conformance
SAMPLE = Path(__file__).with_name("sample_program.py")
FUNCTION = "aws:lambda/function:Function"


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with moto_account() as account:
        yield account


def make_zone(account: Account) -> str:
    """Make the user's own hosted zone; return its id."""
    zone = account.call("route53", "create_hosted_zone", Name="example.com", CallerReference="test")
    return str(zone["HostedZone"]["Id"].rpartition("/")[2])


def make_world(account: Account, folder: Path) -> World:
    config = {"sample:zone": make_zone(account), "sample:key": "hush-hush", "sample:memory": "512"}
    program = write_project(folder / "project", SAMPLE, config, frozenset({"sample:key"}))
    with zipfile.ZipFile(program.folder / "bundle.zip", "w") as bundle:
        bundle.writestr("manifest.json", "{}")
    return World(account, program, folder / "stacks")


class Sample:
    """The program's resources as they were made once, to be made again with an error in them."""

    def __init__(self, record: Record, zone: str) -> None:
        self._record = record
        self._zone = zone

    def spoiled(self, type_end: str, name: str, path: str, value: Any) -> Record:
        """Make them with one input of one resource set to another value, at a path such as `a.b.0.c`."""

        def spoil(type_token: str, called: str, inputs: dict[str, Any]) -> None:
            if type_token.endswith(f":{type_end}") and called == name:
                place: Any = inputs
                *steps, last = path.split(".")
                for step in steps:
                    place = place[int(step) if step.isdigit() else step]
                before = place.get(last)
                place[last] = value(before) if callable(value) else value

        self._record.account.empty()
        return self._record.replayed(spoil, {self._zone: make_zone(self._record.account)})


@pytest.fixture(scope="module")
def sample(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    account.empty()
    world = make_world(account, tmp_path_factory.mktemp("sample"))
    world.up()
    return Sample(world.record, world.program.config["sample:zone"])


def of_type(record: Record, type_end: str) -> Made:
    return next(made for made in record.made.values() if made.type.endswith(f":{type_end}"))


def test_a_program_is_made_read_back_changed_and_removed(account: Account, tmp_path: Path) -> None:
    account.empty()
    world = make_world(account, tmp_path)
    world.preview()
    assert account.inventory() == []
    outputs = world.up().outputs
    assert findings(world.record) == []
    assert outputs["account"] == ACCOUNT
    made = "acm apigatewayv2 apigatewayv2 ecr iam lambda logs s3 secretsmanager"
    assert " ".join(line.partition(" ")[0] for line in account.inventory()) == made
    secret = of_type(world.record, "Secret").outputs["arn"]
    assert account.call("secretsmanager", "get_secret_value", SecretId=secret)["SecretString"] == "hush-hush"

    world.up()
    assert world.done() == []

    world.program = replace(world.program, config={**world.program.config, "sample:memory": "1024"})
    world.up()
    assert world.done() == [
        "update aws:lambda/function:Function predict",
        "update aws:lambda/alias:Alias live",
    ]
    assert findings(world.record) == []
    name = of_type(world.record, "Function").outputs["name"]
    assert account.call("lambda", "get_alias", FunctionName=name, Name="live")["FunctionVersion"] == "2"

    world.destroy()
    assert account.inventory() == []
    zone = world.program.config["sample:zone"]
    left = account.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone)
    assert [record["Type"] for record in left] == ["NS", "SOA"]


def test_the_same_made_again_without_an_error_is_well(sample: Sample) -> None:
    assert findings(sample.spoiled("Nothing", "", "", None)) == []


ROUTE = "api {api}, route ANY /{{proxy+}}"
SOURCE = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:{{id}}/$default/*/{{{{proxy+}}}}"
OTHER = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:other-abcdef"
UNCALLED = f"{ROUTE}: nothing permits the gateway to call {{function}}:live for {SOURCE}."


@pytest.mark.parametrize(
    ("kind", "name", "path", "value", "found"),
    [
        ("Route", "predict", "target", "integrations/none", f"{ROUTE}: there is no integration none."),
        ("Route", "predict", "authorizerId", "none", f"{ROUTE}: there is no authorizer none."),
        ("Permission", "gateway", "sourceArn", lambda arn: arn.replace("/*/*", "/$default/GET/*"), UNCALLED),
        ("Permission", "gateway", "sourceArn", "arn:aws:execute-api:eu-west-1:1:other/*/*", UNCALLED),
        ("Permission", "gateway", "qualifier", None, UNCALLED),
        ("Permission", "gateway", "principal", "events.amazonaws.com", UNCALLED),
        (
            "Integration",
            "predict",
            "integrationUri",
            lambda uri: uri.replace(":live/", ":old/"),
            f"{ROUTE}: there is no alias old of a function {{name}}.",
        ),
        (
            "Role",
            "predict",
            "assumeRolePolicy",
            lambda policy: policy.replace("lambda", "ec2"),
            "Function predict: the role {role} does not trust lambda.amazonaws.com.",
        ),
        (
            "Function",
            "predict",
            "loggingConfig.logGroup",
            "/other",
            "Function predict: there is no log group /other, so Lambda would make one that is kept for ever.",
        ),
        (
            "Function",
            "predict",
            "environment.variables.LASTMILE_SECRETS",
            OTHER,
            f"Function predict: LASTMILE_SECRETS names {OTHER}, which is not there.",
        ),
        (
            "BucketPublicAccessBlock",
            "data",
            "blockPublicPolicy",
            False,
            "Bucket data: BlockPublicPolicy is off.",
        ),
        (
            "BucketPolicy",
            "data",
            "policy",
            lambda policy: policy.replace("Deny", "Allow"),
            "BucketPolicy data lets anybody in.",
        ),
        (
            "Stage",
            "default",
            "accessLogSettings.destinationArn",
            f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/other",
            "api {api}: its stage logs to /other, which is not there.",
        ),
        (
            "Record",
            "churn",
            "name",
            "other.example.com",
            "DomainName churn: no record leads from churn.example.com to {target}.",
        ),
        (
            "Certificate",
            "churn",
            "domainName",
            "other.example.com",
            "DomainName churn: its certificate is for other.example.com.",
        ),
    ],
)
def test_what_does_not_hold_together_is_found(
    kind: str, name: str, path: str, value: Any, found: str, sample: Sample
) -> None:
    record = sample.spoiled(kind, name, path, value)
    function, api = of_type(record, "Function").outputs, of_type(record, "Api").outputs
    domain = of_type(record, "DomainName").outputs["domainNameConfiguration"]
    names = {"api": api["name"], "id": api["id"], "function": function["arn"], "name": function["name"]}
    role = of_type(record, "Role").outputs["name"]
    expected = found.format(**names, role=role, target=domain["targetDomainName"])
    assert expected in findings(record)


@pytest.mark.parametrize(
    ("kind", "name", "path", "value", "message"),
    [
        (
            "Function",
            "predict",
            "loggingConfig.logFormt",
            "JSON",
            'Unknown parameter in LoggingConfig: "LogFormt"',
        ),
        ("Function", "predict", "memorySize", "large", "Invalid type for parameter MemorySize, value: large"),
        ("Function", "predict", "memory", 512, 'Unknown parameter in input: "Memory"'),
        (
            "Function",
            "predict",
            "role",
            f"arn:aws:iam::{ACCOUNT}:role/other",
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (
            "BucketServerSideEncryptionConfiguration",
            "data",
            "rules.0.applyServerSideEncryptionByDefault",
            {"algorithm": "AES256"},
            'ApplyServerSideEncryptionByDefault: "SSEAlgorithm"',
        ),
        ("Integration", "predict", "tls", {}, 'Unknown parameter in input: "Tls"'),
        ("RolePolicy", "predict", "policy", '{"Statement": 1}', "MalformedPolicyDocument"),
        (
            "Stage",
            "default",
            "defaultRouteSettings.burstLimit",
            5,
            'Unknown parameter in DefaultRouteSettings: "BurstLimit"',
        ),
    ],
)
def test_what_awss_own_model_does_not_know_is_refused(
    kind: str, name: str, path: str, value: Any, message: str, sample: Sample
) -> None:
    with pytest.raises((BotoCoreError, ClientError)) as refused:
        sample.spoiled(kind, name, path, value)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "name", "path", "value", "message"),
    [
        ("Bucket", "data", "acl", "private", "data: nothing carries out acl."),
        (
            "Record",
            "validation",
            "records",
            ["other."],
            "churn.example.com cannot be validated: there is no ",
        ),
        (
            "CertificateValidation",
            "churn",
            "validationRecordFqdns",
            [],
            " is not among the records to wait for, [].",
        ),
    ],
)
def test_what_would_be_dropped_or_never_end_is_refused(
    kind: str, name: str, path: str, value: Any, message: str, sample: Sample
) -> None:
    with pytest.raises(NotCarriedError) as refused:
        sample.spoiled(kind, name, path, value)
    assert message in str(refused.value)


def test_an_input_that_is_not_read_back_needs_a_reason(sample: Sample) -> None:
    record = sample.spoiled("Function", "predict", "deadLetterConfig", {"targetArn": OTHER})
    told = "Function predict: deadLetterConfig is not read back, and NOT_KEPT does not say why."
    assert findings(record) == [told]


def test_what_differs_in_the_account_is_read_back(sample: Sample, account: Account) -> None:
    record = sample.spoiled("Nothing", "", "", None)
    function, bucket = (
        of_type(record, "Function").outputs["name"],
        of_type(record, "Bucket").outputs["bucket"],
    )
    account.call("lambda", "update_function_configuration", FunctionName=function, Timeout=3)
    account.call("s3", "put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    tags = {"lastmile:deployment": "churn", "team": "risk"}
    assert sorted(findings(record)) == [
        f"Bucket data: its tags are {{'a': 'b'}}, but were to be {tags}.",
        "Function predict: timeout is 3, but was to be 30.",
    ]
