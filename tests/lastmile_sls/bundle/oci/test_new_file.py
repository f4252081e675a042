"""A file has its name when it is whole, and nothing is left of one that was not kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.bundle.oci.new_file import new_file
from lastmile_sls.errors import LastmileError


def test_it_is_kept_under_its_name(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        with new_file(tmp_path / "a" / "b") as made:
            made.file.write(content)
            assert made.keep_as("name") == tmp_path / "a" / "b" / "name"
        assert (tmp_path / "a" / "b" / "name").read_bytes() == content
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["name"]


def test_nothing_is_left_of_what_was_not_kept(tmp_path: Path) -> None:
    with new_file(tmp_path) as made:
        made.file.write(b"half")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LastmileError) as caught, new_file(tmp_path / "file"):
        pass
    assert caught.value.message == f"{tmp_path / 'file'} could not be written: File exists."
    assert caught.value.hint == "Free space or mend its rights, then run again."
