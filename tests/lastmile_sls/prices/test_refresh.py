"""Reading a cloud's own prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices.refresh import reader_of, refresh_cloud
from tests.lastmile_sls.estimate.priced import both
from tests.lastmile_sls.prices.test_shelf import refreshed

TODAY = date(2026, 11, 30)
Tell = Callable[[str], None]


def test_what_changed_is_told_and_kept(tmp_path: Path) -> None:
    environ, asked = {"LASTMILE_HOME": str(tmp_path)}, []

    def read(regions: Sequence[str], given: Mapping[str, str], today: date, tell: Tell) -> dict[str, Any]:
        asked.append((list(regions), given, today))
        tell("aws.x.seconds has no price in eu-west-1")
        return refreshed(eu_west_1="5", us_east_1="6")

    told: list[str] = []
    first = refresh_cloud("aws", ["eu-west-1", "us-east-1"], environ, TODAY, told.append, read=read)
    assert asked == [(["eu-west-1", "us-east-1"], environ, TODAY)]
    assert first.missing == tuple(told) == ("aws.x.seconds has no price in eu-west-1",)
    assert [both(one.before, one.after.first, one.after.region) for one in first.changes] == [
        (None, 5, "eu-west-1"),
        (None, 6, "us-east-1"),
    ]
    again = refresh_cloud("aws", ["eu-west-1"], environ, TODAY, told.append, read=read)
    assert (len(again.prices), again.changes) == (2, ())
    dearer = refresh_cloud(
        "aws", ["eu-west-1"], environ, TODAY, told.append, read=lambda *_: refreshed(eu_west_1="8")
    )
    (change,) = dearer.changes
    assert change.before is not None
    assert both(change.before.first, change.after.first) == (5, 8)


def test_nothing_is_kept_when_the_cloud_does_not_answer(tmp_path: Path) -> None:
    def read(*_: object) -> dict[str, Any]:
        raise LastmileError("no credentials")

    with pytest.raises(LastmileError, match="no credentials"):
        refresh_cloud(
            "aws", ["eu-west-1"], {"LASTMILE_HOME": str(tmp_path)}, TODAY, lambda _: None, read=read
        )
    assert not (tmp_path / "prices").exists()


def test_every_cloud_has_a_reader() -> None:
    assert all(callable(reader_of(cloud)) for cloud in ("aws", "gcp", "azure"))
    with pytest.raises(ValueError, match="local has no list of prices"):
        reader_of("local")
