"""What the examples tell the clouds, held against the clouds' own API models.

The golden files are what the embedded engine's preview tells (`tests/examples`); tests there keep them true.
"""

from __future__ import annotations

import pytest

from lastmile_sls.plan.document import Target
from tests.clouds.api_models import aws, azure, gcp
from tests.clouds.api_models.mapping import CloudModel, coverage
from tests.clouds.sdk_types import PROVIDER_PREFIX
from tests.clouds.stacks import read_golden
from tests.clouds.wire import Record
from tests.examples.lives import GOLDEN
from tests.examples.projects import CLOUDS, EXAMPLES

pytestmark = pytest.mark.conformance
MODELS: dict[Target, CloudModel] = {"aws": aws.MODEL, "gcp": gcp.MODEL, "azure": azure.MODEL}
OURS = ("lastmile:", PROVIDER_PREFIX)
"""How the types begin that are no resources of a cloud's."""


def told(example: str, cloud: Target) -> list[Record]:
    records = read_golden(GOLDEN / f"{example}-{cloud}.json")
    return [record for record in records if not record.type.startswith(OURS)]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_every_input_is_one_that_the_cloud_takes(example: str, cloud: Target) -> None:
    found = coverage(MODELS[cloud], told(example, cloud))
    assert [f"{record.type} {record.name} {finding}" for record, finding in found.findings] == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_coverage(cloud: Target, capsys: pytest.CaptureFixture[str]) -> None:
    records = [record for example in EXAMPLES for record in told(example, cloud)]
    found = coverage(MODELS[cloud], records)
    with capsys.disabled():
        print(f"\n{found}")
    assert len(found.mapped) > 9 * len(found.unmapped)
