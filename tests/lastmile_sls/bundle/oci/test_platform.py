"""Which image of an index runs on a platform."""

from __future__ import annotations

from typing import Any

import pytest

from lastmile_sls.bundle.dependencies.environment import Processor
from lastmile_sls.bundle.oci.platform import Platform, select
from lastmile_sls.errors import LastmileError


def entry(number: int, platform: dict[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = {"mediaType": "manifest", "digest": f"sha256:{number:064x}", "size": number}
    return found if platform is None else {**found, "platform": platform}


ENTRIES = [
    entry(1, None),
    entry(2, {"os": "windows", "architecture": "amd64"}),
    entry(3, {"os": "linux", "architecture": "amd64", "variant": "v3"}),
    entry(4, {"os": "linux", "architecture": "amd64"}),
    entry(5, {"os": "linux", "architecture": "arm", "variant": "v7"}),
    entry(6, {"os": "linux", "architecture": "arm64", "variant": "v8"}),
    entry(7, {"os": "unknown", "architecture": "unknown"}),
]


@pytest.mark.parametrize(
    ("processor", "name", "number"), [("x86_64", "linux/amd64", 4), ("arm64", "linux/arm64", 6)]
)
def test_the_platforms_image_is_taken(processor: Processor, name: str, number: int) -> None:
    platform = Platform(processor)
    assert str(platform) == name
    assert select(ENTRIES, platform, "base").size == number


def test_a_missing_platform_is_told_with_those_that_there_are() -> None:
    rest = [found for found in ENTRIES if found["size"] != 4]
    with pytest.raises(LastmileError) as caught:
        select(rest, Platform("x86_64"), "r.io/b:t")
    has = "linux/amd64/v3, linux/arm/v7, linux/arm64/v8, windows/amd64"
    assert caught.value.message == f"r.io/b:t has no image for linux/amd64; it has {has}."
    assert caught.value.hint == "Name another base image."


def test_an_index_without_platforms() -> None:
    with pytest.raises(LastmileError) as caught:
        select([entry(1, None), "nothing"], Platform("arm64"), "base")
    assert caught.value.message == "base has no image for linux/arm64; it has no platform at all."
