"""Archives: readable by others' tools, the same bytes for the same files, and packages compressed once."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from lastmile_sls.bundle.archive import MOST_FILES, Archive, write_archive
from lastmile_sls.errors import LastmileError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bundle"
    for name, content in {
        "a.txt": b"a" * 1000,
        "libraries/p/__init__.py": b"x = 1\n" * 50,
        "libraries/p/\u00e4.bin": os.urandom(300),
        "libraries.txt": b"",
        "z/run": b"#!/bin/sh\n",
    }.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (made / "z/run").chmod(0o700)
    return made


def test_other_tools_read_it(folder: Path, tmp_path: Path) -> None:
    write_archive(folder, tmp_path / "b.zip")
    with ZipFile(tmp_path / "b.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        modes = {info.filename: oct(info.external_attr >> 16) for info in archive.infolist()}
        for name in names:
            assert archive.read(name) == (folder / name).read_bytes()
    assert names == sorted(names, key=str.encode)
    assert len(names) == 5
    assert (modes["z/run"], modes["a.txt"]) == ("0o100755", "0o100644")
    assert (tmp_path / "b.zip").stat().st_size < 2000  # 1 000 bytes of one letter take some


@pytest.mark.skipif(not shutil.which("unzip"), reason="needs unzip")
def test_unzip_finds_no_fault(folder: Path, tmp_path: Path) -> None:
    write_archive(folder, tmp_path / "b.zip")
    told = subprocess.run(
        ["unzip", "-t", str(tmp_path / "b.zip")], capture_output=True, text=True, check=True
    ).stdout
    assert "No errors detected" in told


def test_the_bytes_depend_on_names_and_content_alone(folder: Path, tmp_path: Path) -> None:
    write_archive(folder, tmp_path / "one.zip")
    other = tmp_path / "elsewhere"
    shutil.copytree(folder, other)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(path.stat().st_mode & ~0o077)
    program = (
        "import sys; from pathlib import Path; from lastmile_sls.bundle.archive import write_archive;"
        "write_archive(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, str(other), str(tmp_path / "two.zip")]
    subprocess.run(command, check=True, umask=0o077, cwd=tmp_path)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_packages_are_taken_from_an_archive_of_theirs(folder: Path, tmp_path: Path) -> None:
    write_archive(folder, tmp_path / "whole.zip")
    write_archive(folder / "libraries", tmp_path / "libraries.zip")
    write_archive(folder, tmp_path / "joined.zip", tmp_path / "libraries.zip", "libraries")
    assert (tmp_path / "joined.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    archive = Archive(io.BytesIO())
    for number in range(MOST_FILES):
        archive.add(f"{number:06}", b"")
    with pytest.raises(
        LastmileError, match=r"^the bundle is too large for an archive at 9: it holds 4 GB and 65535"
    ):
        archive.add("9", b"")
    broken = Archive(io.BytesIO())
    broken.add("b", b"")
    with pytest.raises(ValueError, match="a does not come after b"):
        broken.add("a", b"")


def test_without_a_place_nothing_is_left(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(LastmileError, match=r"b\.zip could not be written: No such file or directory\."):
        write_archive(folder, tmp_path / "nowhere/b.zip")
