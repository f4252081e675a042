"""What our programs tell Pulumi is held against the clouds' API models and the SDKs' types; planted errors are caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clouds import sdk_types
from tests.clouds.api_models import aws, azure, gcp
from tests.clouds.api_models.mapping import CloudModel, coverage, map_record
from tests.clouds.errors import PLANTED, Planted
from tests.clouds.stacks import GOLDEN, read_golden
from tests.clouds.wire import Record

pytestmark = pytest.mark.conformance
MODELS = {
    "aws": (aws.MODEL, "aws:"),
    "gcp": (gcp.MODEL, "gcp:"),
    "azure": (azure.MODEL, "azure-native:"),
}
# Those of the examples and of an account's bootstrap too.
EVERY_GOLDEN = sorted(
    path for depth in ("*", "*/*") for path in GOLDEN.parents[1].glob(f"{depth}/golden/*.json")
)
KINDS = {"wrong key", "wrong type", "missing", "enum", "range", "pattern"}


def of_cloud(prefix: str) -> list[Record]:
    """Return what every golden file tells the provider of a cloud."""
    return [r for path in EVERY_GOLDEN for r in read_golden(path) if r.type.startswith(prefix)]


@pytest.mark.parametrize("cloud", MODELS)
def test_every_path_has_a_counterpart_or_a_reason(cloud: str) -> None:
    model, prefix = MODELS[cloud]
    found = coverage(model, of_cloud(prefix))
    print(f"\n{found}")
    assert [f"{record.type} {record.name} {finding}" for record, finding in found.findings] == []
    assert found.unused == ()
    assert len(found.mapped) > 100


@pytest.mark.parametrize("cloud", MODELS)
def test_every_root_and_rename_is_there(cloud: str) -> None:
    model, _ = MODELS[cloud]
    for references in model.roots.values():
        for reference in references:
            assert model.load(reference).members, reference
    for (type_, path), target in model.renames.items():
        assert type_ in model.roots
        reference, mark, inner = target.partition("#")
        if mark:
            node = model.load(reference or model.roots[type_][0])
            assert not inner or node.follow(inner) is not None, (type_, path, target)


@pytest.mark.parametrize("path", EVERY_GOLDEN, ids=lambda path: path.stem)
def test_the_sdks_types_accept_every_golden_input(path: Path) -> None:
    records = [r for r in read_golden(path) if not r.type.startswith("lastmile:")]
    found = [(r.type, r.name, str(f)) for r in records for f in sdk_types.judge(r.type, r.inputs)]
    assert found == []


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.label)
def test_a_planted_error_is_caught(planted: Planted) -> None:
    record = planted.record()
    model: CloudModel = MODELS[planted.cloud][0]
    assert tuple(map(str, sdk_types.judge(record.type, record.inputs))) == planted.sdk
    assert tuple(map(str, map_record(model, record).findings)) == planted.api
    assert planted.sdk or planted.api


def test_an_error_of_each_kind_is_planted_at_the_top_and_below_on_each_cloud() -> None:
    wanted = {
        f"{cloud}-{kind}-{where}".replace(" ", "-")
        for cloud in MODELS
        for kind in KINDS
        for where in ("top", "nested")
    }
    assert sorted(p.label for p in PLANTED) == sorted(wanted)


def test_an_input_without_a_reason_and_a_reason_without_an_input_are_told() -> None:
    bucket = Record("aws:s3/bucket:Bucket", "b", {"bucket": "b", "accelerationStatus": "Enabled"})
    found = coverage(aws.MODEL, [bucket])
    assert [str(finding) for _, finding in found.findings] == [
        "accelerationStatus: has no counterpart in AWS::S3::Bucket or s3:CreateBucket, and no reason is listed."
    ]
    assert ("aws:s3/bucket:Bucket", "forceDestroy") in found.unused


def test_a_type_that_the_models_do_not_know_is_told() -> None:
    found = coverage(aws.MODEL, [Record("aws:dynamodb/table:Table", "t", {})])
    assert [str(finding) for _, finding in found.findings] == [
        ": aws:dynamodb/table:Table has no entry in the API models of aws: add its roots."
    ]
