"""A function's process: what it says and when, what it holds, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

MARK = "LASTMILE_CHECK_ID"
"""Set in the process's environment, by which what it left behind is found."""
IMPORT_TIME = "import time:"
"""How a line of the interpreter's import profile begins."""
_MOST_LINES = 50_000
_LONGEST_LINE = 1 << 16
_END_S = 5.0
_LAST_MOMENT_S = 1.0


class NoAnswer(Exception):
    """The function did not answer.

    Args:
        message: Why, in a sentence.
        words: What it said last.
    """

    def __init__(self, message: str, words: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.words = words


@dataclass(frozen=True)
class Line:
    """A line that a process wrote."""

    at: float
    """When it was read, by `time.perf_counter`."""
    text: str


class Process:
    """A process in a session of its own; use it as a context manager, which leaves nothing of it."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        *,
        memory_mb: float,
        handed_down: Sequence[int] = (),
    ) -> None:
        """Start it.

        Args:
            command: What to run.
            environ: Its whole environment.
            folder: Its working folder.
            memory_mb: It is killed when it holds more.
            handed_down: File descriptors that it inherits.

        Raises NoAnswer when it cannot be started.
        """
        self.output: deque[Line] = deque(maxlen=_MOST_LINES)
        """Its standard output."""
        self.errors: deque[Line] = deque(maxlen=_MOST_LINES)
        """Its standard error."""
        self.said: deque[Line] = deque(maxlen=_MOST_LINES)
        """Both, as they came."""
        self._memory_mb = memory_mb
        self._mark = uuid.uuid4().hex
        self.began = time.perf_counter()
        """When it was started, by `time.perf_counter`."""
        try:
            self._popen = subprocess.Popen(
                list(command),
                cwd=folder,
                env={**environ, MARK: self._mark},
                pass_fds=list(handed_down),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise NoAnswer(f"{command[0]} cannot be started: {error.strerror or error}.") from error
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self._popen.stdout, self.output), (self._popen.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Its id."""
        return self._popen.pid

    def _read(self, stream: IO[bytes], lines: deque[Line]) -> None:
        with stream:
            while raw := stream.readline(_LONGEST_LINE):
                line = Line(time.perf_counter(), raw.decode(errors="replace").rstrip("\n"))
                lines.append(line)
                self.said.append(line)

    def watch(self) -> None:
        """Raise NoAnswer when it has ended, or holds more memory than it may."""
        code = self._popen.poll()
        if code is not None:
            self._finish_reading()
            raise NoAnswer(f"its process {exit_words(code)}.", self.last_words())
        held_mb = self.memory_bytes() / 2**20
        if held_mb > self._memory_mb:
            raise NoAnswer(
                f"it held {held_mb:.0f} MB, but may hold {self._memory_mb:.0f} MB.", self.last_words()
            )

    def explain(self, message: str) -> NoAnswer:
        """Return why it broke off: that it has ended, if it does in a moment, else a message."""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(_LAST_MOMENT_S)
        try:
            self.watch()
        except NoAnswer as error:
            return error
        return NoAnswer(message, self.last_words())

    def memory_bytes(self) -> int:
        """Return its resident memory (bytes); 0 when it has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def peak_memory_bytes(self) -> int:
        """Return the most that it has held so far (bytes), where the system tells; else what it holds.

        What processes of its own hold now is added.
        """
        held = self.memory_bytes()
        with suppress(OSError, StopIteration):
            # getrusage would tell what the process had been before exec.
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
            held = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
        with suppress(psutil.Error):
            for child in psutil.Process(self.pid).children(recursive=True):
                with suppress(psutil.Error):
                    held += child.memory_info().rss
        return held

    def terminate(self, within_s: float) -> int | None:
        """Send SIGTERM and return the exit code; None when it has not ended by then."""
        self._popen.terminate()
        try:
            return self._popen.wait(within_s)
        except subprocess.TimeoutExpired:
            return None

    def last_words(self, count: int = 6) -> str:
        """Return the last lines that it wrote, of its log's events the error alone."""
        found: list[str] = []
        for line in reversed(self.said):
            text = _told(line.text)
            if text and text not in found:
                found.append(text)
            if len(found) == count:
                break
        return "\n".join(reversed(found))

    def end(self) -> None:
        """Kill it, and whatever it started, wherever that went."""
        with suppress(ProcessLookupError, PermissionError):  # macOS: the second, for one not reaped yet
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        while left := self._left_behind():
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, _LAST_MOMENT_S)  # who died is listed until it is reaped
        self._finish_reading()

    def _left_behind(self) -> list[psutil.Process]:
        """Return processes that have this one's mark: a session of one's own, or a dead parent, hides from no one."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def _finish_reading(self) -> None:
        for reader in self._readers:
            reader.join(_END_S)


def exit_words(code: int) -> str:
    """Return how a process ended, in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"exited with code {code}"


def _told(text: str) -> str:
    """Return what a line says to people; empty for a line of the import profile or a request's event."""
    if IMPORT_TIME in text:
        return ""
    if text.startswith("{"):
        event: Any = None
        with suppress(ValueError):
            event = json.loads(text)
        if isinstance(event, dict):
            return str(event["error"]) if "error" in event else ""
    return text.replace("\r", "\n").strip()
