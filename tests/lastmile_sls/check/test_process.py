"""A process: what it says, what it holds, and that nothing of it is left."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from lastmile_sls.check.process import NoAnswer, Process, exit_words


def process(code: str, folder: Path, **options: float) -> Process:
    return Process(
        [sys.executable, "-I", "-S", "-c", code], {}, folder, memory_mb=options.get("memory_mb", 512)
    )


def until(code: str, folder: Path, text: str) -> Process:
    """Start a process and wait until it has written a line."""
    made = process(code, folder)
    deadline = time.monotonic() + 20
    while not any(text in line.text for line in list(made.said)):
        assert time.monotonic() < deadline, made.last_words()
        time.sleep(0.01)
    return made


def test_both_streams_are_read_with_their_times(tmp_path: Path) -> None:
    code = "import os, time; os.write(1, b'out\\n'); time.sleep(0.05); os.write(2, 'errör\\n'.encode() + b'\\xff')"
    with process(code, tmp_path) as made:
        error = made.explain("it runs on.")
    assert [line.text for line in made.output] == ["out"]
    assert [line.text for line in made.errors] == ["errör", "\ufffd"]
    assert made.errors[0].at - made.output[0].at > 0.04
    assert made.began < made.output[0].at
    assert (error.message, error.words) == (
        "its process exited with code 0.",
        "out\nerrör\n\ufffd",
    )


def test_the_last_words_are_for_people(tmp_path: Path) -> None:
    lines = [
        "first",
        '{"level": "info", "status": 200}',
        "import time:       123 |        456 | os",
        '{"level": "error", "error": "no manifest"}',
        '{"level": "error", "error": "no manifest"}',
        "Traceback\rline",
        "{not json",
    ]
    code = f"print({chr(10).join(lines)!r}, flush=True); import time; time.sleep(600)"
    with until(code, tmp_path, "{not json") as made:
        assert made.last_words() == "first\nno manifest\nTraceback\nline\n{not json"
        assert made.last_words(1) == "{not json"


def test_what_holds_too_much_is_told_so(tmp_path: Path) -> None:
    code = "held = b'1' * (200 << 20); print('held', flush=True); import time; time.sleep(600)"
    made = until(code, tmp_path, "held")
    made._memory_mb = 100
    with made, pytest.raises(NoAnswer) as caught:
        made.watch()
    assert caught.value.message.endswith(" MB, but may hold 100 MB.")
    assert not psutil.pid_exists(made.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak")
def test_the_peak_is_remembered_and_children_count(tmp_path: Path) -> None:
    code = "b'1' * (100 << 20); print('let go', flush=True); import time; time.sleep(600)"
    with until(code, tmp_path, "let go") as made:
        alone = made.peak_memory_bytes()
        assert 100 << 20 < alone < 160 << 20
        assert made.memory_bytes() < 60 << 20
    forks = "import os; print('forked', flush=True) if os.fork() else None; import time; time.sleep(600)"
    with until(forks, tmp_path, "forked") as made:
        assert made.peak_memory_bytes() > made.memory_bytes() * 1.2


def test_sigterm_and_the_exit_code(tmp_path: Path) -> None:
    waits = "import time; print('up', flush=True); time.sleep(600)"
    with until(waits, tmp_path, "up") as made:
        assert made.terminate(10) == -15
    ignores = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    with until(ignores, tmp_path, "up") as made:
        assert made.terminate(0.2) is None
    assert not psutil.pid_exists(made.pid)


def test_nothing_is_left_whatever_it_starts(tmp_path: Path) -> None:
    code = """
import os, time
for _ in range(2):
    if not os.fork():
        os.setsid()
        if os.fork():
            os._exit(0)
        os.write(1, b"%d\\n" % os.getpid())
        time.sleep(600)
time.sleep(0.1)
os.write(1, b"all\\n")
time.sleep(600)
"""
    with until(code, tmp_path, "all") as made:
        pids = [int(line.text) for line in made.output if line.text.isdigit()]
    assert len(pids) == 2
    for pid in (*pids, made.pid):
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer) as caught:
        Process([str(tmp_path / "none")], {}, tmp_path, memory_mb=64)
    assert caught.value.message == f"{tmp_path}/none cannot be started: No such file or directory."


def test_an_end_is_waited_for_before_a_broken_connection_is_told(tmp_path: Path) -> None:
    with process("import time; time.sleep(0.2)", tmp_path) as made:
        assert made.explain("it broke.").message == "its process exited with code 0."
    with until("print('up', flush=True); import time; time.sleep(600)", tmp_path, "up") as made:
        error = made.explain("it broke.")
        assert (error.message, error.words) == ("it broke.", "up")


def test_how_it_ended_in_words() -> None:
    assert exit_words(3) == "exited with code 3"
    assert exit_words(-9) == "was ended by SIGKILL"
    assert os.waitstatus_to_exitcode(9) == -9
