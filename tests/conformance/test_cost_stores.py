"""Costs are read from every store alike: S3 (moto), Google's (an emulator), Azure's (Azurite)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path

import pytest

from lastmile_runtime.stores import open_store
from lastmile_sls.costs.read import read
from lastmile_sls.errors import LastmileError
from tests.conformance.emulators import az, gs_emulator, s3
from tests.lastmile_sls.costs.exports import AWS_TYPES, TAGS, row, write_parquet

pytestmark = pytest.mark.conformance

Start = Callable[[pytest.MonkeyPatch, Path], AbstractContextManager[str]]
PERIOD = "focus/data/BILLING_PERIOD=2026-10"


@pytest.mark.parametrize("start", [s3, gs_emulator, az])
def test_an_export_in_a_bucket(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "store").mkdir()
    with start(monkeypatch, tmp_path / "store") as url:
        store = open_store(url)
        for part, rows in ((1, [row(Tags=TAGS)]), (2, [row(Tags=TAGS), row(Tags=TAGS)])):
            parquet = write_parquet(tmp_path / "a.parquet", rows, AWS_TYPES)
            store.put(f"{PERIOD}/focus-0000{part}.snappy.parquet", parquet.read_bytes())
        store.put(f"{PERIOD}/readme.txt", b"nothing")
        for named, counted in ((f"{url}/focus/", 3), (f"{url}/{PERIOD}/focus-00002.snappy.parquet", 2)):
            with read([named], os.environ) as reading:
                found = reading.connection.execute(
                    "SELECT model, sum(effective), sum(rows) FROM cube GROUP BY model"
                )
                assert found.fetchall() == [("churn", Decimal("0.25") * counted, counted)]
                files = reading.connection.execute("SELECT file FROM sources ORDER BY file").fetchall()
                assert files[-1] == (f"{url}/{PERIOD}/focus-00002.snappy.parquet",)
                folder = Path(reading.folder.name)
            assert not folder.exists()
        with pytest.raises(LastmileError) as error:
            read([f"{url}/nowhere"], os.environ)
        assert error.value.message == f"{url}/nowhere holds no costs: it is empty."
