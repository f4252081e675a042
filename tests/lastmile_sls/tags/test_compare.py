"""What is missing, wrong or gone, and what puts it right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lastmile_sls.tags.compare import Ways, judge, wanted_of
from lastmile_sls.tags.document import Deployed, Finding, Presence, Seen
from tests.lastmile_sls.tags.states import TAGS

WAYS = Ways("gcp", "/here/.lastmile/churn-dev-gcp")
TOPIC = Deployed(
    "gcp:pubsub/topic:Topic", "churn-dev-jobs", "projects/p/topics/churn-dev-jobs", recorded=TAGS
)
UP = "lastmile up --target gcp"
REFRESH = "cd /here/.lastmile/churn-dev-gcp && pulumi up --refresh"


def found(seen: Seen) -> tuple[Finding, ...]:
    (one,) = judge(TAGS, [seen], WAYS)
    assert one.is_well == (not one.findings and seen.presence == "there")
    return one.findings


def there(**changes: str | None) -> dict[str, str]:
    tags = {**TAGS, **{key.replace("_", "-"): value for key, value in changes.items()}}
    return {key: value for key, value in tags.items() if value is not None}


def test_what_has_every_tag_is_well_whatever_else_it_has() -> None:
    tags = there(team="x", goog_pulumi_provisioned="true")
    (one,) = judge(TAGS, [Seen(TOPIC, "there", tags, {"its instances": TAGS})], WAYS)
    assert (one.is_well, one.extra) == (True, {"team": "x"})


def test_a_tag_that_was_taken_off_is_not_put_back_by_up_alone() -> None:
    taken_off = Finding(
        *("missing", "owner", "growth-team"),
        advice=f"It was taken off beside the stack; this puts it back: {REFRESH}",
    )
    assert found(Seen(TOPIC, "there", there(owner=None))) == (taken_off,)
    older = replace(TOPIC, recorded={"model": "churn"})
    assert [finding.advice for finding in found(Seen(older, "there", there(owner=None)))] == [
        f"This puts it there: {UP}"
    ]
    assert [finding.advice for finding in found(Seen(replace(TOPIC, recorded=None), "there"))] == [
        f"This puts it there: {UP}"
    ] * len(TAGS)


def test_a_wrong_value_is_a_hands_or_an_older_specs() -> None:
    by_hand = found(Seen(TOPIC, "there", there(cost_center="cc-9")))
    assert by_hand == (
        Finding(
            *("wrong", "cost-center", "cc-1", "cc-9"),
            advice=(
                f"Somebody set it by hand; this puts cc-1 back: {REFRESH}; if cc-9 is right, change cost_center in the spec"
            ),
        ),
    )
    older = replace(TOPIC, recorded=there(team="a", cost_center="cc-9"))
    (old,) = found(Seen(older, "there", there(cost_center="cc-9")))
    assert old.advice == f"This sets cc-1: {UP}; if cc-9 is right, change cost_center in the spec"
    (other,) = found(Seen(older, "there", there(managed_by="terraform")))
    assert other.advice.endswith("; if another tool manages it now, take it out of the stack")


def test_a_part_that_is_billed_apart_is_judged_apart() -> None:
    (finding,) = found(Seen(TOPIC, "there", TAGS, {"its instances": there(model="other")}))
    assert (finding.kind, finding.key, finding.part) == ("wrong", "model", "its instances")
    assert finding.advice.endswith("change name in the spec")


def test_what_is_gone_or_was_not_looked_at() -> None:
    gone, unknown = judge(
        TAGS, [Seen(TOPIC, "gone", why="404"), Seen(TOPIC, "not looked at", why="403")], Ways("gcp", "")
    )
    assert (gone.presence, gone.why, gone.findings[0].kind) == ("gone", "404", "gone")
    assert gone.findings[0].advice == (
        "It was deleted beside the stack; this makes it again: cd PROJECT && pulumi up --refresh"
    )
    assert (unknown.presence, unknown.why, unknown.findings, unknown.is_well) == (
        "not looked at",
        "403",
        (),
        False,
    )


def test_an_object_in_s3_takes_ten_tags() -> None:
    object_ = Deployed("aws:s3/bucketObjectv2:BucketObjectv2", "churn-dev-package", "b/k")
    many = {**TAGS, **{f"tag-{number}": "x" for number in range(6)}}
    assert wanted_of(object_, many) == TAGS
    assert wanted_of(TOPIC, many) == many
    assert wanted_of(object_, {**TAGS, "team": "x"}) == {**TAGS, "team": "x"}


def test_another_presence_is_a_bug() -> None:
    presence: Presence = "perhaps"  # type: ignore[assignment] # that is the point
    with pytest.raises(ValueError, match="perhaps is no presence"):
        judge(TAGS, [Seen(TOPIC, presence)], WAYS)
