"""The examples are those in the folder, and each is one that the three clouds can carry."""

from __future__ import annotations

import pytest

from lastmile_sls.plan.document import Target
from lastmile_sls.targets.fit import refusals
from tests.examples.projects import CLOUDS, EXAMPLES, FOLDER, plan_for, spec_of, with_more_memory


def test_none_is_left_out() -> None:
    assert tuple(sorted(path.parent.name for path in FOLDER.glob("*/lastmile.yaml"))) == EXAMPLES
    assert all((FOLDER / example / "README.md").is_file() for example in EXAMPLES)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_each_fits_before_and_after_the_change(example: str, cloud: Target) -> None:
    spec = spec_of(example)
    assert refusals(cloud, spec) == []
    assert refusals(cloud, with_more_memory(spec)) == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_versions_share_a_function_unless_they_conflict(cloud: Target) -> None:
    served = {example: [f["versions"] for f in plan_for(example, cloud)["functions"]] for example in EXAMPLES}
    assert served == {
        "breast-cancer": [["v1", "v2"]],
        "conflicting-versions": [["v1"], ["v2"]],
        "image-sized": [["v1"]],
        "overnight": [["v1"]],
        "public": [["v1"]],
        "watched": [["v1"]],
        "web-app": [["v1"]],
    }
