"""What the queue's messages of the kind `batch` ask for: look at the folder, begin a file, cut it further, do a piece.

    {"kind": "batch"}                                            look; with "after", at what comes after that file
    {"kind": "batch", "file": NAME}                              begin the file, unless it is done
    {"kind": "batch", "file": NAME, "tag": TAG, "at": {...}}     go on cutting it
    {"kind": "batch", "file": NAME, "tag": TAG, "piece": {...}}  do a piece of it

No message takes more than half of the platform's time: what is left then is sent as another message before it returns.
"""

from __future__ import annotations

import time
from _thread import allocate_lock

from lastmile_runtime import jsons
from lastmile_runtime.batch.formats import SUFFIXES, is_of, packed_by
from lastmile_runtime.batch.ledger import Ledger
from lastmile_runtime.batch.one_file import MOST_PIECE_BYTES, OneFile
from lastmile_runtime.batch.pieces import Piece, Place
from lastmile_runtime.errors import BundleError
from lastmile_runtime.stores import NotFound, StoreError, check_path, open_store

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lastmile_runtime.queues import Queue
    from lastmile_runtime.service import Service
    from lastmile_runtime.stores import Store
    from lastmile_runtime.telemetry import Log

LOOK = {"kind": "batch"}
"""What the clock sends."""
_SHARE, _WAIT_SHARE = 1 / 2, 1 / 4
_SEND_DEADLINE_S = 10.0


class Batch:
    """The files of a deployment's schedule."""

    def __init__(
        self,
        stores: tuple[Store, Store],
        format: str,  # noqa: A002 - the plan's own word
        queue: Queue,
        log: Log,
        timeout_s: float,
        clock: Callable[[], float] = time.time,
        piece_bytes: int = MOST_PIECE_BYTES,
    ) -> None:
        """Take what `open_batch` reads; the stores are the input and the output, pieces have at most so many bytes."""
        self.input, self._output = stores
        self.format = format
        self.timeout_s = timeout_s
        """The platform's, for a message."""
        self.clock = clock
        self.most_piece_bytes = piece_bytes
        self._queue = queue
        self._log = log
        self._working = allocate_lock()
        """Held for a piece, so that a process has one in memory, however many it is given at once."""

    def run(self, message: dict[str, Any], service: Service) -> None:
        """Do what a message says.

        Raises StoreError, RequestError or OSError when it must be delivered again; what is wrong with a file is kept.
        """
        ends_at = time.monotonic() + self.timeout_s * _SHARE
        name = message.get("file")
        if name is None:
            self._look(str(message.get("after", "")), service, ends_at)
            return
        file = OneFile(self, str(name), service)
        try:
            if "piece" in message:
                self._do(file, message)
            elif "at" in message:
                file.go_on(str(message["tag"]), Place(**message["at"]), ends_at)
            else:
                file.begin(ends_at)
        except NotFound:
            self.tell("warning", "batch file", str(name), error="the file is gone.")

    def look(self) -> None:
        """Have the folder looked at, as the clock does. Raises OSError."""
        self._queue.send(jsons.dumps(LOOK).encode(), _SEND_DEADLINE_S)

    def send(self, **message: Any) -> None:
        """Send a message about a file. Raises OSError."""
        self._queue.send(jsons.dumps({**LOOK, **message}).encode(), _SEND_DEADLINE_S)

    def tell(self, level: str, event: str, name: str, **facts: Any) -> None:
        """Say in the log what became of a file."""
        self._log.event(level, {"event": event, "file": name, **facts})

    def ledger(self, name: str) -> Ledger:
        """Return what is known of a file."""
        return Ledger(self._output, name, SUFFIXES[self.format][0], self.clock)

    def _do(self, file: OneFile, message: dict[str, Any]) -> None:
        """Do a piece, or where another one takes long, leave it to another message."""
        if not self._working.acquire(timeout=self.timeout_s * _WAIT_SHARE):
            self.send(**{name: value for name, value in message.items() if name != "kind"})
            return
        try:
            file.do(str(message["tag"]), Piece(**message["piece"]))
        finally:
            self._working.release()

    def _look(self, after: str, service: Service, ends_at: float) -> None:
        """Send a message for each file that has no predictions and is not under way."""
        names = self.input.list("")
        wanted = [name for name in names if self._is_wanted(name)]
        begun, last = 0, after
        for name in (name for name in wanted if name > after):
            if time.monotonic() > ends_at and last != after:
                self.send(after=last)
                break
            begun += self._begin(name, service)
            last = name
        facts = {"files": len(wanted), "begun": begun, "others": len(names) - len(wanted)}
        self._log.event("info", {"event": "batch", **facts})

    def _begin(self, name: str, service: Service) -> bool:
        """Have a file begun if it is due; tell whether it was."""
        try:
            if not OneFile(self, name, service).is_due():
                return False
        except NotFound:
            return False  # it went since the folder was read
        self.send(file=name)
        return True

    def _is_wanted(self, name: str) -> bool:
        """Tell whether a file is to be scored; say why one that looks like it is not."""
        packed = packed_by(self.format, name)
        if packed:
            self.tell(
                "warning", "batch file", name, error=f"it is packed ({packed}); unpack it to have it scored."
            )
        if not is_of(self.format, name):
            return False
        try:
            check_path(name)
        except StoreError as error:
            self.tell("warning", "batch file", name, error=str(error))
            return False
        return True


def open_batch(document: dict[str, str], queue: Queue, log: Log, timeout_s: float) -> Batch:
    """Return the batch of LASTMILE_BATCH: the URLs of the stores `input` and `output`, and the `format`.

    Raises BundleError for what is none.
    """
    try:
        kind, stores = document["format"], (open_store(document["input"]), open_store(document["output"]))
        if kind not in SUFFIXES:
            raise BundleError(
                f"LASTMILE_BATCH has the format {kind!r}, but must have one of {', '.join(SUFFIXES)}."
            )
    except (KeyError, TypeError, StoreError) as error:
        raise BundleError(f"LASTMILE_BATCH is not a batch: {type(error).__name__}: {error}") from error
    return Batch(stores, kind, queue, log, timeout_s)
