"""A program with every type of resource, on each cloud and both engines, with checking providers in the clouds' places."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.engine.interface import EngineError, EngineName
from tests.clouds.errors import golden_file
from tests.clouds.provider import OUTPUTS
from tests.clouds.stacks import (
    REPOSITORY,
    Stack,
    assert_golden,
    read_golden,
    run,
    write_project,
)

pytestmark = pytest.mark.conformance
BOOTSTRAP = REPOSITORY / "tests" / "lastmile_infra" / "bootstrap" / "golden"
"""What only an account's bootstrap has is not in the programs: it is brought up there, on both engines."""
CLOUDS = {"aws": "aws", "gcp": "gcp", "azure": "azure-native"}
NOT_USED = {
    "aws": {
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
    },
    "gcp": {
        "gcp:apigateway/api:Api",
        "gcp:apigateway/apiConfig:ApiConfig",
        "gcp:apigateway/gateway:Gateway",
        "gcp:compute/sSLPolicy:SSLPolicy",
    },
    "azure": {
        "azure-native:app:ContainerAppsAuthConfig",
        "azure-native:web:Certificate",
        "azure-native:web:WebAppFtpAllowed",
        "azure-native:web:WebAppHostNameBinding",
        "azure-native:web:WebAppScmAllowed",
    },
}
ENGINES = ["embedded", pytest.param("pulumi", marks=pytest.mark.pulumi_cli)]


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_stacks_life(cloud: str, kind: EngineName, tmp_path: Path) -> None:
    main = (REPOSITORY / "tests" / "clouds" / "programs" / f"{cloud}.py").read_text()
    program = write_project(tmp_path / "project", main)
    (tmp_path / "project" / "code.txt").write_text("code")
    life = run(kind, program, tmp_path)
    made = len(life.up.calls)
    assert life.preview.result.changes == {"create": made + 2}  # the stack and the explicit provider
    assert life.preview.calls == []
    assert life.up.result.changes == {"create": made + 2}
    assert {call.verb for call in life.up.calls} == {"create"}
    assert life.again.result.changes == {"same": made + 2}
    assert life.again.calls == []
    assert life.destroy.result.changes == {"delete": made + 2}
    assert {call.verb for call in life.destroy.calls} == {"delete"}
    assert life.again.records == life.up.records
    assert [r.key for r in life.preview.records] == [r.key for r in life.up.records]
    assert_golden(f"every-type-{cloud}", life.up.records)


ONE = """
import pulumi
import pulumi_aws as aws

group = aws.cloudwatch.LogGroup("logs", {arguments})
pulumi.export("arn", group.{output})
"""


@pytest.mark.parametrize("kind", ENGINES)
def test_updates_replacements_and_what_is_wrong(kind: EngineName, tmp_path: Path) -> None:
    def write(arguments: str, output: str = "arn") -> None:
        (tmp_path / "project" / "__main__.py").write_text(ONE.format(arguments=arguments, output=output))

    program = write_project(tmp_path / "project", "")
    stack = Stack(kind, program, tmp_path)
    write("retention_in_days=30, tags={'a': pulumi.Output.secret('hush')}")
    assert [str(call) for call in stack.up().calls] == ["create aws:cloudwatch/logGroup:LogGroup logs"]
    write("retention_in_days=7")
    assert [str(call) for call in stack.up().calls] == ["update aws:cloudwatch/logGroup:LogGroup logs"]
    write("retention_in_days=7, name='other'")
    assert [str(call) for call in stack.up().calls] == [
        "create aws:cloudwatch/logGroup:LogGroup logs",
        "delete aws:cloudwatch/logGroup:LogGroup logs",
    ]
    assert stack.world.standing() == [("aws:cloudwatch/logGroup:LogGroup", "other")]
    write("retention_in_days='a week', name='other'")
    with pytest.raises(EngineError, match='is string "a week"; the SDK wants integer'):
        stack.up()
    write("retention_in_days=7, name='other'", output="log_group_class")
    with pytest.raises(
        AssertionError, match="there-is-no-output aws:cloudwatch/logGroup:LogGroup logGroupClass"
    ):
        stack.up()
    write("retention_in_days=7, name='other'")
    stack.destroy()
    assert stack.world.standing() == []


READER = """
import pulumi
import pulumi_aws as aws

group = aws.cloudwatch.LogGroup("logs")
aws.cloudwatch.LogGroup("other", name=group.log_group_class)
"""


@pytest.mark.parametrize("kind", ENGINES)
def test_an_output_that_nobody_made_up_is_refused(kind: EngineName, tmp_path: Path) -> None:
    stack = Stack(kind, write_project(tmp_path / "project", READER), tmp_path)
    with pytest.raises(EngineError, match="is computed from an output that tests/clouds does not give"):
        stack.up()


LASTMILE = """
import pulumi


class Key(pulumi.CustomResource):
    value: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self):
        super().__init__("lastmile:index:Key", "key", {"name": "default", "value": None, "digest": None})


pulumi.export("value", Key().value)
"""


@pytest.mark.parametrize("kind", ENGINES)
def test_what_would_send_to_a_cloud_is_played(kind: EngineName, tmp_path: Path) -> None:
    life = run(kind, write_project(tmp_path / "project", LASTMILE), tmp_path)
    value = life.up.result.outputs["value"]
    assert value.reveal() == "a-key-that-everybody-knows-0123456789abcdef"
    assert [record.inputs for record in life.up.records] == [{"name": "default"}]
    assert life.again.result.changes == {"same": 2}
    assert [str(call) for call in life.up.calls] == ["create lastmile:index:Key key"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_programs_use_every_type_that_the_tables_know(cloud: str) -> None:
    goldens = (golden_file(cloud), BOOTSTRAP / f"{cloud}.json")
    used = {record.type for path in goldens for record in read_golden(path)}
    known = set(OUTPUTS[CLOUDS[cloud]])
    assert known - used == NOT_USED[cloud]
