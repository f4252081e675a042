"""Libraries without symbols: smaller, and loaded as before."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_sls.bundle.dependencies.symbols import without_symbols
from tests.lastmile_sls.bundle.dependencies.libraries import (
    CODE,
    DATA,
    PROGBITS,
    STRTAB,
    SYMBOLS,
    SYMTAB,
    TEXTS,
    Part,
    build,
    loaded,
    sections,
)
from tests.lastmile_sls.bundle.dependencies.wheels import elf_head


def test_symbols_at_the_end_are_left_out() -> None:
    before = build([CODE, SYMBOLS, TEXTS, Part(b"GCC: 14", ".comment")])
    after = without_symbols(before)
    assert len(before) - len(after) in range(17990, 18010)
    assert loaded(after) == loaded(before)
    assert set(sections(after)) == {".text", ".comment", ".shstrtab"}
    assert sections(after)[".comment"] == b"GCC: 14"


def test_symbols_in_the_middle_are_left_out_and_pages_stay_pages() -> None:
    """As auditwheel leaves libraries: it puts new segments behind the symbols."""
    before = build([CODE, SYMBOLS, TEXTS, DATA])
    after = without_symbols(before)
    assert len(before) - len(after) == 4 * 0x1000
    assert loaded(after) == loaded(before)
    assert set(sections(after)) == {".text", ".data", ".shstrtab"}


def test_debug_sections_are_left_out() -> None:
    before = build(
        [CODE, Part(b"d" * 900, ".debug_info"), Part(b"z" * 900, ".zdebug_line"), Part(b"n", ".note")]
    )
    after = without_symbols(before)
    assert len(before) - len(after) in range(1790, 1810)
    assert set(sections(after)) == {".text", ".note", ".shstrtab"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#!/bin/sh\n",
        elf_head("x86_64"),
        build([CODE, DATA]),
        build([CODE, SYMBOLS, TEXTS], kind=1),
        build([CODE, SYMBOLS, TEXTS], tail=b"a program's own"),
        build([CODE, SYMBOLS, TEXTS])[:-1],
        build([CODE, SYMBOLS, TEXTS])[:3000],
        build([CODE, SYMBOLS, TEXTS]).replace(b"\x7fELF\x02", b"\x7fELF\x01", 1),
        build([CODE, Part(b"s" * 900, ".symtab", SYMTAB, link=2)], names=".strtab")[:-64] + bytes(64),
    ],
)
def test_what_has_none_or_is_not_understood_stays_as_it_is(content: bytes) -> None:
    assert without_symbols(content) == content


def test_names_that_sections_and_symbols_share_stay() -> None:
    """Some linkers keep both in one section."""
    before = build([CODE, Part(b"s" * 900, ".symtab", SYMTAB, link=3)], names=".strtab")
    after = without_symbols(before)
    assert sections(after)[".strtab"] == sections(before)[".strtab"]
    assert len(before) - len(after) in range(890, 910)


def test_symbols_that_another_section_refers_to_stay() -> None:
    before = build([CODE, Part(b"s" * 900, ".symtab", SYMTAB, link=3), TEXTS, Part(b"a", ".addrsig", link=2)])
    assert without_symbols(before) == before


def test_texts_that_another_section_refers_to_stay() -> None:
    before = build([CODE, SYMBOLS, TEXTS, Part(b"a", ".names", link=3)])
    after = without_symbols(before)
    assert set(sections(after)) == {".text", ".strtab", ".names", ".shstrtab"}
    assert sections(after)[".strtab"] == TEXTS.data


parts = st.builds(
    Part,
    st.binary(max_size=300).map(lambda data: data * 40),
    st.sampled_from([".text", ".debug_str", ".comment", ".data"]),
    st.sampled_from([PROGBITS, SYMTAB, STRTAB]),
    st.sampled_from([0, 0, 0x1000, 0x4000, 0x10000]),
    st.integers(0, 4),
)


@given(st.lists(parts, max_size=6), st.binary(max_size=3))
def test_whatever_the_layout_the_same_is_loaded(layout: list[Part], tail: bytes) -> None:
    layout = [
        Part(part.data, f"{part.name}.{number}", part.kind, part.alignment, min(part.link, len(layout)))
        for number, part in enumerate(layout)
    ]
    before = build(layout, tail=tail)
    after = without_symbols(before)
    assert loaded(after) == loaded(before)
    assert len(after) <= len(before)
    assert without_symbols(after) == after
    there, left = sections(before), sections(after)
    assert {name: there[name] for name in left} == left
    plain = {f"{part.name}.{number}" for number, part in enumerate(layout) if part.kind == PROGBITS}
    assert {name for name in there.keys() & plain if not name.startswith(".debug")} <= left.keys()


def extensions() -> list[Path]:
    found = importlib.util.find_spec("numpy")
    assert found is not None
    assert found.origin is not None
    return [
        path
        for path in sorted(Path(found.origin).parent.glob("random/*.so"))
        if b".symtab" in path.read_bytes()
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's")
def test_a_real_library_is_loaded_without_its_symbols(tmp_path: Path) -> None:
    import numpy.random  # noqa: F401 - loads what they refer to

    assert len(extensions()) > 2
    for path in extensions():
        copy = tmp_path / path.name
        copy.write_bytes(without_symbols(path.read_bytes()))
        assert copy.stat().st_size < path.stat().st_size
        assert loaded(copy.read_bytes()) != []
        name = f"PyInit_{path.name.split('.')[0]}"
        assert getattr(ctypes.CDLL(str(copy)), name)


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not there")
def test_another_program_reads_what_is_left(tmp_path: Path) -> None:
    copy = tmp_path / "library.so"
    copy.write_bytes(without_symbols(extensions()[0].read_bytes()))
    run = subprocess.run(["readelf", "-aW", str(copy)], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert ".symtab" not in run.stdout
    assert ".dynsym" in run.stdout
