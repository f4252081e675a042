"""What packages say they have, where uv itself lets nothing of the kind through today."""

from __future__ import annotations

from pathlib import Path

import pytest

from lastmile_sls.bundle.dependencies.lock import LockedPackage
from lastmile_sls.bundle.dependencies.records import Record, altered, links, read_records, shared
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.bundle.dependencies.wheels import record_hash

A = LockedPackage("a", "1.0", "a-1.0-py3-none-any.whl", "1" * 64)
B = LockedPackage("b", "2.0", "b-2.0-py3-none-any.whl", "2" * 64)


def installed(folder: Path, record: str) -> list[Record]:
    (folder / "a-1.0.dist-info").mkdir()
    (folder / "a-1.0.dist-info/RECORD").write_text(record)
    return read_records(folder, [A])


@pytest.mark.parametrize("name", ["/etc/passwd", "../evil.py", "a/../../evil.py"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LastmileError) as refused:
        installed(tmp_path, f"a.py,,\n{name},,\n")
    told = f"a 1.0 has a file named {name}, which lies outside of the package's own folder."
    assert refused.value.message == told


def test_hashes_of_other_kinds_are_none(tmp_path: Path) -> None:
    (record,) = installed(tmp_path, f'"a,b.py",sha256={record_hash(b"")},0\n\nc.py,md5=x,0\n./d.py,,\n')
    assert record.files == {"a,b.py": record_hash(b""), "c.py": "", "d.py": ""}
    assert str(record) == "a 1.0"


def test_what_is_missing_or_changed_is_found(tmp_path: Path) -> None:
    (tmp_path / "same").write_bytes(b"x")
    (tmp_path / "other").write_bytes(b"y")
    record = Record(A, dict.fromkeys(("same", "other", "missing"), record_hash(b"x")) | {"unknown": ""})
    assert altered(tmp_path, [record]) == [(record, "other"), (record, "missing")]


def test_files_in_common_are_found_unless_surely_the_same() -> None:
    one = Record(A, {"same": "x", "other": "x", "unknown": "", "half": "x", "own": "x"})
    two = Record(B, {"same": "x", "other": "y", "unknown": "", "half": ""})
    assert shared([one, two]) == {"other": [one, two], "unknown": [one, two], "half": [one, two]}


@pytest.mark.parametrize(
    ("text", "is_link"),
    [
        (b"/opt/not/here", True),
        (b"../lib/not-here", True),
        (b"there.txt", True),
        (b"not-there.txt", False),
        (b"", False),
        (b"/opt\n/not", False),
        (b"/opt\0", False),
        (b"/\xff", False),
        (b"/" + b"x" * 4096, False),
    ],
)
def test_what_was_a_link_is_told_by_its_text(tmp_path: Path, text: bytes, is_link: bool) -> None:
    (tmp_path / "there.txt").write_text("words")
    (tmp_path / "it").write_bytes(text)
    record = Record(A, {"it": "", "there.txt": "x"})
    assert links(tmp_path, [record], []) == ([(record, "it")] if is_link else [])
    known = Record(A, {"it": "x"})
    assert links(tmp_path, [known], []) == []
    assert links(tmp_path, [known], [(known, "it")]) == ([(known, "it")] if is_link else [])


def test_a_link_is_one(tmp_path: Path) -> None:
    (tmp_path / "it").symlink_to("nowhere")
    record = Record(A, {"it": ""})
    assert links(tmp_path, [record], []) == [(record, "it")]
