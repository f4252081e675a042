"""How far each file is, as somebody sees it who looks from outside."""

from __future__ import annotations

from pathlib import Path

from lastmile_runtime.batch.progress import FileState, file_states
from lastmile_runtime.stores.file import FileStore
from tests.lastmile_runtime.batch.scored import Scored


def test_how_far_each_file_is(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=256)
    stores = FileStore(str(scored.input)), FileStore(str(scored.output))
    assert file_states(*stores, "csv") == []
    (scored.input / "a.csv").write_text("a,b\n13,1\n2,2\n")
    (scored.input / "b.csv").write_text("")
    scored.look()
    (scored.input / "c.csv").write_text("a,b\n" + 400 * "1,1\n")
    (scored.input / "d.txt").touch()
    (scored.input / "née.csv").touch()
    found = file_states(*stores, "csv")
    at = "2027-01-15T08:00:00Z"
    empty = "it is empty; a CSV file begins with the names of its columns."
    assert found == [
        FileState("a.csv", "done", parts=1, kept=1, rows=2, failed=1, finished_at=at),
        FileState("b.csv", "failed", reason=empty, finished_at=at),
        FileState("c.csv", "waiting"),
    ]
    scored.application.scheduled()
    scored.work(4)
    assert file_states(*stores, "csv")[2] == FileState("c.csv", "under way", parts=7, kept=2)
    (scored.input / "c.csv").write_text("a,b\n")
    assert file_states(*stores, "csv")[2] == FileState("c.csv", "waiting")
