"""The embedded cloud's types: what each needs."""

from __future__ import annotations

from lastmile_sls.local.cloud import KINDS
from lastmile_sls.provider.local import SCHEMAS


def test_every_kind_of_the_cloud_is_a_type() -> None:
    assert set(SCHEMAS) == set(KINDS)
    assert SCHEMAS["route"].token == "lastmile:local:Route"


def test_every_kind_needs_its_place() -> None:
    for schema in SCHEMAS.values():
        assert {"deployment", "name"} <= set(schema.required)
        assert schema.replacing(["deployment", "name"]) == ["deployment", "name"]
