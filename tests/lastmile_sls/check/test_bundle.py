"""A bundle as it is checked: its size, the Python it is for, and its copy."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest

from lastmile_sls.check.bundle import Copy, made_for_another, measure, read_manifest
from lastmile_sls.check.interpreter import probe
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.check.conftest import Make


def test_the_size_is_that_of_a_zip_file_which_is_not_written(make: Make, tmp_path: Path) -> None:
    folder = make().folder
    (folder / "large.bin").write_bytes(os.urandom(1 << 20) + bytes(1 << 20))
    before = sorted(tmp_path.rglob("*"))
    size = measure(folder)
    assert sorted(tmp_path.rglob("*")) == before
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert (size.files, size.unpacked) == (len(files), sum(path.stat().st_size for path in files))
    with zipfile.ZipFile(tmp_path / "real.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder).as_posix())
    # It is streamed: each file has 16 bytes more, which say afterwards how long it was.
    real = (tmp_path / "real.zip").stat().st_size
    assert real <= size.compressed <= real + 24 * len(files)
    assert size.compressed < size.unpacked - 1_000_000


def test_a_bundle_for_this_python(make: Make) -> None:
    folder = make().folder
    interpreter = probe(Path(sys.executable))
    assert made_for_another(folder, interpreter) is None
    (folder / f"any{interpreter.extension_suffixes[0]}").touch()
    (folder / "of.pypy39-pp73-x86_64-linux-gnu.so").touch()
    assert made_for_another(folder, interpreter) == (
        "of.pypy39-pp73-x86_64-linux-gnu.so is made for pypy39-pp73-x86_64-linux-gnu, "
        f"but the interpreter loads {interpreter.extension_suffixes[0]}."
    )


def test_a_copy_is_as_new_for_each_start(make: Make, tmp_path: Path) -> None:
    folder = make().folder
    (folder / "template").mkdir()
    (folder / "template" / "app.py").write_text("app")
    (folder / "template" / "manifest.json").write_text("another")
    copy = Copy(folder, tmp_path / "copy")
    copy.add(copy.folder / "template")
    assert (copy.folder / "app.py").read_text() == "app"
    assert (copy.folder / "manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()
    assert os.access(copy.folder / "lastmile_runtime/adapters/aws_bootstrap", os.X_OK)
    known = set(copy.folder.rglob("*"))
    (copy.folder / "models" / "v1" / "cache" / "deep").mkdir(parents=True)
    (copy.folder / "models" / "v1" / "cache" / "deep" / "weights").touch()
    (copy.folder / "link").symlink_to(tmp_path)
    copy.refresh()
    assert set(copy.folder.rglob("*")) == known
    assert tmp_path.is_dir()


def test_a_folder_that_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": "lastmile.manifest/9"}')
    with pytest.raises(LastmileError) as caught:
        read_manifest(tmp_path)
    assert caught.value.message == (
        f"{tmp_path} is no bundle: manifest.json has the format 'lastmile.manifest/9', "
        "but this runtime reads 'lastmile.manifest/1'."
    )
    assert caught.value.hint == "Build the bundle again: lastmile build."
