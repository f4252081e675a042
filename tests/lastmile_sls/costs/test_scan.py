"""Files that cannot be read, each with what is wrong with it; and lines that are no rows."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from lastmile_sls.costs.find import find
from lastmile_sls.costs.scan import Opened, open_files
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.costs.exports import row, text_of, write_csv, write_parquet

AGAIN = "Fetch or export it again: it was cut off or changed on its way."


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def opened(connection: duckdb.DuckDBPyConnection, *paths: Path) -> Opened:
    return open_files(connection, find(paths).files, paths[0].parent, lambda _: None)


def refused(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    with pytest.raises(LastmileError) as error:
        opened(connection, path)
    return str(error.value)


def test_cut_off_and_damaged_files(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    whole = write_parquet(tmp_path / "whole.parquet", [row()]).read_bytes()
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole[: len(whole) // 2])
    assert (
        refused(connection, cut)
        == f"{cut} cannot be read: it is damaged, or cut off, and no whole Parquet file.\n{AGAIN}"
    )
    cut.write_bytes(b"x")
    assert (
        refused(connection, cut)
        == f"{cut} cannot be read: it is damaged, or cut off, and no whole Parquet file.\n{AGAIN}"
    )

    packed = tmp_path / "cut.csv.gz"
    content = gzip.compress(
        text_of([row(ResourceId=f"r-{number * 7919}") for number in range(2000)]).encode()
    )
    packed.write_bytes(content[: len(content) // 2])
    assert refused(connection, packed) == f"{packed} cannot be read: it is cut off.\n{AGAIN}"
    packed.write_bytes(content[:15])
    assert refused(connection, packed) == f"{packed} cannot be read: it is cut off.\n{AGAIN}"
    packed.write_bytes(text_of([row()]).encode())
    assert (
        refused(connection, packed) == f"{packed} cannot be read: it is not gzip, or not readable.\n{AGAIN}"
    )

    wide = tmp_path / "wide.csv"
    wide.write_bytes(text_of([row()]).encode("utf-16"))
    assert refused(connection, wide) == f"{wide} is UTF-16, but CSV is read as UTF-8.\nSave it as UTF-8."
    wide.write_bytes(b"\xff\xff\n")
    assert refused(connection, wide) == f"{wide} is no text in UTF-8: invalid start byte.\nSave it as UTF-8."
    wide.write_text("\n")
    assert "It has no columns." in refused(connection, wide)


def test_lines_that_are_no_rows_are_counted(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(), row()], before=b"\xef\xbb\xbf")
    with path.open("ab") as file:
        file.write(b"1,2,3\n4,5\n")
        file.write(text_of([row(ServiceName="caf\xe9")]).split("\n", 1)[1].encode("latin-1"))
    found = opened(connection, path)
    assert found.scans[0].columns.version == "1.0"
    assert connection.execute(f"SELECT count(*) FROM {found.scans[0].relation}").fetchone() == (2,)
    assert [(file, reason, lines) for file, reason, lines, _ in found.dirty] == [
        (str(path), "a line is no CSV row: invalid encoding", 1),
        (str(path), "a line is no CSV row: missing columns", 2),
    ]
    assert found.dirty[1][3] == "1,2,3"


def test_files_with_the_same_columns_are_read_together(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    semicolons = tmp_path / "c.csv"
    semicolons.write_text(text_of([row(Tags=None)]).replace(",", ";").replace("Services; ", "Services, "))
    paths = [
        write_csv(tmp_path / "a.csv", [row()]),
        write_parquet(tmp_path / "b.parquet", [row()], {"costs": "DOUBLE"}),
        semicolons,
        write_csv(tmp_path / "d.csv.gz", [row()]),
    ]
    other = tmp_path / "e.csv"
    other.write_text("ContractCommitmentId,BillingCurrency\n1,USD\n")
    found = opened(connection, *paths, other)
    assert [[Path(table.file.name).name for table in scan.tables] for scan in found.scans] == [
        ["a.csv", "c.csv", "d.csv.gz"],
        ["b.parquet"],
    ]
    assert [(Path(file.name).name, what) for file, what in found.aside] == [("e.csv", "contract commitments")]
    assert refused(connection, other) == (
        f"{other} is FOCUS's dataset of contract commitments, which has no charges.\nGive the dataset of cost and usage."
    )
    twice = tmp_path / "twice.csv"
    twice.write_text(text_of([row()]).replace("BillingAccountName", "tags", 1))
    assert opened(connection, twice).scans[0].columns.all[-1] == ("Tags_22", "VARCHAR")
