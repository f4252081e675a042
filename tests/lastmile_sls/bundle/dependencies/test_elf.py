"""ELF files: whom they are for, and what they load."""

from __future__ import annotations

import struct
from pathlib import Path

from lastmile_sls.bundle.dependencies.elf import foreign_binaries, machine, machine_name, system_libraries
from tests.lastmile_sls.bundle.dependencies.libraries import linked
from tests.lastmile_sls.bundle.dependencies.wheels import elf_head


def test_the_processor_is_read_from_the_header(tmp_path: Path) -> None:
    for processor in ("x86_64", "arm64", "riscv"):
        path = tmp_path / processor
        path.write_bytes(elf_head(processor))
        assert machine_name(path) == processor
    big = tmp_path / "big"
    big.write_bytes(b"\x7fELF\x02\x02\x01" + bytes(9) + struct.pack(">HH", 3, 22))
    assert (machine(big), machine_name(big)) == (22, "processor 22")
    short = tmp_path / "short"
    short.write_bytes(b"\x7fELF")
    assert machine(short) is None


def test_foreign_binaries_are_found_wherever_they_are(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    for name, processor in (("a/one.so", "x86_64"), ("a/b/two", "arm64"), ("three.so.1", "riscv")):
        (tmp_path / name).write_bytes(elf_head(processor))
    (tmp_path / "text.so").write_text("no binary")
    (tmp_path / "link.so").symlink_to("a/b/two")
    assert foreign_binaries(tmp_path, "x86_64") == [tmp_path / "a/b/two", tmp_path / "three.so.1"]
    assert foreign_binaries(tmp_path, "arm64") == [tmp_path / "a/one.so", tmp_path / "three.so.1"]


def test_libraries_that_the_image_must_have(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/lib.so").write_bytes(linked("libc.so.6", "libgomp.so.1", "libown-1.so", "libstdc++.so.6"))
    (tmp_path / "b.so").write_bytes(linked("libgomp.so.1", "libGL.so.1"))
    (tmp_path / "a/libown-1.so").write_bytes(linked())
    (tmp_path / "c.so").write_bytes(elf_head("x86_64"))
    (tmp_path / "d.so").write_bytes(linked("libx.so")[:150])
    assert system_libraries(tmp_path) == {
        "libGL.so.1": tmp_path / "b.so",
        "libgomp.so.1": tmp_path / "a/lib.so",
    }
    assert list(system_libraries(tmp_path)) == ["libGL.so.1", "libgomp.so.1"]
