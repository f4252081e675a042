"""Files are scored in every store alike, S3 (moto), Google's (an emulator), Azure's (Azurite), and in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from lastmile_runtime.stores import open_store
from tests.conformance.emulators import az, gs_emulator, s3
from tests.lastmile_runtime.batch.scored import Scored

pytestmark = pytest.mark.conformance

Start = Callable[[pytest.MonkeyPatch, Path], AbstractContextManager[str]]
MEASURE = """
import resource, sys
from pathlib import Path
from tests.lastmile_runtime.batch.scored import Scored
scored = Scored(Path(sys.argv[1]))
def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
(scored.input / "small.csv").write_text("a,b\\n1,2\\n")
scored.look()
before = peak_mb()
row = ",".join(["0.12345678"] * 28)
with (scored.input / "large.csv").open("w") as file:
    file.write("a,b," + ",".join(f"c{number}" for number in range(28)) + "\\n")
    for number in range(int(sys.argv[2])):
        file.write(f"{number % 7000 + 20},{number},{row}\\n")
scored.look()
print(scored.success("large.csv")["rows"], scored.success("large.csv")["parts"], peak_mb() - before)
"""
MOST_MB = 64
"""Of which a piece of 2 MB in memory is half; the rest is what the allocator keeps."""


@pytest.mark.parametrize("start", [s3, gs_emulator, az])
def test_a_file_is_scored_part_by_part(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "store").mkdir()
    with start(monkeypatch, tmp_path / "store") as url:
        stores = open_store(f"{url}/in"), open_store(f"{url}/out")
        scored = Scored(tmp_path, stores=stores, piece_bytes=512)
        rows = "".join(f'{number},1,"row\n{number}"\n' for number in range(100))
        stores[0].put("deep/t.csv", f"a,b,c\n{rows}".encode())
        scored.look()
        scored.look()
        names = stores[1].list("deep/t.csv/")
        parts = [name for name in names if "/part-" in name]
        found = [stores[1].get(name) for name in parts]
        lines = b"".join(part.content.partition(b"\n")[2] for part in found if part)
        expected = (f'{number},1,"row\n{number}",{number + 1}\n' for number in range(100) if number != 13)
        assert lines.decode() == "".join(expected)
        assert len(parts) > 2
        success = stores[1].get("deep/t.csv/_SUCCESS")
        assert success is not None
        assert json.loads(success.content)["failed"] == 1
        assert not [name for name in names if "/_work/" in name]
        assert [event["begun"] for event in scored.told("batch")] == [1, 0]


def test_a_large_file_takes_no_more_memory_than_a_piece_of_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEASURE, str(tmp_path), "130000"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert run.returncode == 0, run.stderr
    rows, parts, used_mb = run.stdout.split()
    assert (int(rows), int(parts) > 15) == (130_000, True)
    assert float(used_mb) < MOST_MB
