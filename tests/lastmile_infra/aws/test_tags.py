from __future__ import annotations

from lastmile_infra.aws.tags import MOST_ON_AN_OBJECT, object_tags
from lastmile_sls.spec.tags import FIXED_KEYS, tag_set
from tests.lastmile_infra.plans import spec_of


def test_an_object_has_all_the_tags_that_it_may() -> None:
    tags = tag_set(spec_of(tags={f"t{number}": "x" for number in range(5)}))
    assert len(tags) == MOST_ON_AN_OBJECT
    assert object_tags(tags) == tags


def test_more_than_an_object_may_have_leaves_the_fixed_ones() -> None:
    tags = tag_set(spec_of(tags={f"t{number}": "x" for number in range(6)}))
    assert object_tags(tags) == {key: tags[key] for key in FIXED_KEYS}
