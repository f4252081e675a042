"""What is named, and what is below a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.costs import find as module
from lastmile_sls.costs.find import find
from lastmile_sls.errors import LastmileError

HINT = (
    "Give files of FOCUS exports, .csv, .csv.gz or .parquet, a folder of them, or a URL that begins with s3://, gs:// or "
    "az://."
)


def refused(*named: Path) -> str:
    with pytest.raises(LastmileError) as error:
        find(named)
    return str(error.value)


def test_a_folder_has_its_files_and_manifests_each_once(tmp_path: Path) -> None:
    for name in (
        "b/two.csv.gz",
        "a.PARQUET",
        "b/metadata/x-Manifest.json",
        "notes.txt",
        ".hidden/c.csv",
        "empty.csv",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if name == "empty.csv" else "x")
    found = find([tmp_path, tmp_path / "a.PARQUET"])
    assert [file.name for file in found.files] == [
        str(tmp_path / "a.PARQUET"),
        str(tmp_path / "b/two.csv.gz"),
    ]
    assert [file.name for file in found.manifests] == [str(tmp_path / "b/metadata/x-Manifest.json")]
    assert found.files[0].size == 1


def test_what_cannot_be_is_refused_by_name(tmp_path: Path) -> None:
    empty, other, folder = tmp_path / "a.csv", tmp_path / "a.xlsx", tmp_path / "folder"
    empty.touch()
    other.touch()
    folder.mkdir()
    assert refused(tmp_path / "none.csv") == f"there is no {tmp_path}/none.csv.\n{HINT}"
    assert refused(empty) == f"{empty} is empty: 0 bytes.\nExport it again, or leave it out."
    assert (
        refused(other)
        == f"{other} is no file of costs: its name does not end in .csv, .csv.gz or .parquet.\n{HINT}"
    )
    assert refused(folder) == f"{folder} holds no costs: it is empty.\n{HINT}"
    (folder / "x.txt").touch()
    assert (
        refused(folder)
        == f"{folder} holds no costs: none of its 1 files ends in .csv, .csv.gz or .parquet.\n{HINT}"
    )


def test_a_folder_with_too_much_is_refused_before_it_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ENTRIES", 100)
    monkeypatch.setattr(module, "MOST_FILES", 10)
    for number in range(11):
        (tmp_path / f"{number}.csv").write_text("x")
    hint = "Name the folder of the export, or of one billing period in it, or the files themselves."
    assert refused(tmp_path) == f"{tmp_path} has more than 10 files of costs; nothing of it was read.\n{hint}"
    for number in range(100):
        (tmp_path / f"{number}.txt").touch()
    assert refused(tmp_path) == f"{tmp_path} has more than 100 entries; nothing of it was read.\n{hint}"
