"""An HTTP server for processes that keep running: quick from its first request, and about as quick as one core can be.

One thread polls. While requests are answered within half a millisecond or so, it answers them itself, and nobody pays
for a change of threads. When they take longer, it lets another thread poll before it begins, so that up to
`concurrency` predictions run beside each other (leader and followers: Schmidt et al., 2000). When one that was
expected soon takes long, a thread that looks on lets another poll meanwhile.
"""

from __future__ import annotations

# `signal` and `socket` would cost 7 ms of each cold start, for enum and selectors.
import _signal  # type: ignore[import-not-found] # typeshed leaves it out
import _socket
import os
import threading
import time

from lastmile_runtime.adapters.connections import Connection, Connections
from lastmile_runtime.adapters.http1 import CONTINUE, HeadError, render_response
from lastmile_runtime.adapters.poller import IN, OUT
from lastmile_runtime.http import Response, refusal

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable

    from lastmile_runtime.http import Request
    from lastmile_runtime.telemetry import Log

_SLOW_S = 0.0005
_PATIENCE_S = 0.01
"""How long an answer that was expected soon may keep the others waiting."""
_TICK_S = 1.0
_DRAIN_TICK_S = 0.1
_NO_SIGNAL = 255


class Server:
    """Serves a listening socket until it is stopped."""

    def __init__(
        self,
        answer: Callable[[Request], Response],
        listener: _socket.socket,
        concurrency: int,
        log: Log,
        *,
        idle_s: float = 75.0,
        shares_listener: bool = False,
    ) -> None:
        """Serve nothing yet.

        Args:
            answer: Answers a request; never raises.
            listener: A listening socket.
            concurrency: How many requests are answered at once.
            log: Told of every answer.
            idle_s: How long a connection may rest between two requests.
            shares_listener: Whether other processes accept from the listener, so that what waits there is theirs
                once this one is stopped.
        """
        self._answer = answer
        self._concurrency = concurrency
        self._log = log
        self._connections = Connections(listener, log, idle_s, shares_listener=shares_listener)
        self._ready: list[tuple[int, int]] = []
        self._polling = threading.Lock()
        """Held on behalf of the thread that polls; whoever takes the polling away from it releases it."""
        self._guard = self._connections.guard
        self._threads: list[threading.Thread] = []
        self._waiting = 0
        """How many threads wait for their turn to poll."""
        self._mean_s: float | None = None
        """The running mean of the time that an answer takes; unknown before the first, for which a model loads."""
        self._inline: Connection | None = None
        """The connection that the polling thread answers on just now."""
        self._turns = 0
        """How many answers polling threads have begun."""
        self._stirred = threading.Event()
        """Set while the thread that looks on has something to look at."""
        self._stopped_at: float | None = None
        self._stops_on = _NO_SIGNAL
        self._swept_at = time.monotonic()
        self._done = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)

    def run(self) -> None:
        """Serve until `stop`, then answer what clients have begun to send."""
        self._connections.poller.register(self._wake_read, IN)
        self._connections.listen()
        if self._concurrency > 1:
            threading.Thread(target=self._look_on, daemon=True).start()
        self._work()
        for thread in self._threads:
            thread.join()

    def stop(self) -> None:
        """Stop accepting. Safe in a signal handler."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
        self._wake()

    def stop_on(self, number: int) -> None:
        """Stop on a signal, whatever the main thread is doing then; must be called in it."""
        self._stops_on = number
        _signal.signal(number, lambda *_: self.stop())
        # A model's native code in the main thread would keep the handler waiting; the number is in the pipe at once.
        _signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:
            return

    def _work(self) -> None:
        """Wait for a turn to poll, take it, and again."""
        while not self._done:
            with self._guard:
                self._waiting += 1
            self._polling.acquire()
            with self._guard:
                self._waiting -= 1
            try:
                self._lead()
            except BaseException:  # noqa: BLE001 - a bug of ours: nobody would poll any more, so another process must
                self._log.warning(_stack())
                os._exit(1)

    def _lead(self) -> None:
        """Poll, and serve what is ready, until another thread may poll."""
        while not self._done:
            while self._ready:
                if not self._serve(*self._ready.pop()):
                    return
            self._poll()
        self._polling.release()

    def _let_another_poll(self, connection: Connection) -> None:
        """Leave a connection to the thread that answers on it, and the others to the next one. `_guard` is held."""
        self._connections.watch(connection, 0)
        connection.busy = True
        if not self._waiting and len(self._threads) < self._concurrency - 1:
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._polling.release()

    def _look_on(self) -> None:
        """Let another thread poll when the one that does has been busy with one answer for long."""
        while not self._done:
            self._stirred.wait()
            turn = self._turns
            time.sleep(_PATIENCE_S)
            if self._inline is None:
                self._stirred.clear()
                if self._inline is not None:  # it began before it could see that this must be set again
                    self._stirred.set()
            elif self._turns == turn:
                with self._guard:
                    if self._inline is not None:
                        self._let_another_poll(self._inline)
                        self._inline = None

    def _poll(self) -> None:
        now = time.monotonic()
        stopped_at = self._stopped_at
        if stopped_at is not None and self._connections.drain(now - stopped_at):
            self._done = True
            return
        if now - self._swept_at > _TICK_S:
            self._swept_at = now
            self._connections.sweep(now)
        self._ready = self._connections.poller.poll(_TICK_S if stopped_at is None else _DRAIN_TICK_S)

    def _serve(self, fd: int, event: int) -> bool:
        """Do what an event asks for; tell whether this thread still polls."""
        connection = self._connections.find(fd)
        if connection is None:
            if fd != self._wake_read:
                self._connections.accept()
            elif self._stops_on in os.read(fd, 1024):
                self.stop()
            return True
        if event & OUT and connection.out:
            self._connections.send(connection)
            return self._next(connection)
        received = connection.receive()
        if received is None:
            self._connections.close(connection)
        return self._next(connection) if received else True

    def _next(self, connection: Connection) -> bool:
        """Answer the connection's whole requests; tell whether this thread still polls."""
        while request := self._take(connection):
            if self._concurrency == 1:
                self._deliver(connection, request, self._answered(request))
            elif self._mean_s is None or self._mean_s > _SLOW_S:
                with self._guard:
                    self._let_another_poll(connection)
                self._deliver(connection, request, self._answered(request))
                self._go_on(connection)
                return False
            elif not self._answer_inline(connection, request):
                self._go_on(connection)
                return False
        return True

    def _answer_inline(self, connection: Connection, request: Request) -> bool:
        """Answer while nobody polls; tell whether it still was so at the end."""
        self._turns += 1
        self._inline = connection
        if not self._stirred.is_set():
            self._stirred.set()
        response = self._answered(request)
        with self._guard:
            polls = self._inline is connection  # else another thread polls, and may answer inline itself
            if polls:
                self._inline = None
        self._deliver(connection, request, response)
        return polls

    def _go_on(self, connection: Connection) -> None:
        """Answer what the client sent ahead, of which no event will tell; then whoever polls has the connection again."""
        while request := self._take(connection):
            self._deliver(connection, request, self._answered(request))
        self._connections.give_back(connection)
        if self._stopped_at is not None or self._connections.poller.is_deaf:
            self._wake()

    def _take(self, connection: Connection) -> Request | None:
        """Return the next request that can be answered now."""
        if connection.out or connection.ends:
            return None
        try:
            request = connection.parser.take()
        except HeadError as error:
            self._refuse(connection, error)
            return None
        if request is None and connection.parser.wants_continue:
            connection.parser.wants_continue = False
            connection.out = CONTINUE
            self._connections.send(connection)
        return request

    def _answered(self, request: Request) -> Response:
        started = time.perf_counter()
        response = self._answer(request)
        duration_s = time.perf_counter() - started
        # One answer that the system held up says little, so none counts for more than eight usual ones.
        mean_s = self._mean_s or duration_s
        self._mean_s = mean_s + 0.1 * (min(duration_s, 8 * mean_s) - mean_s)
        # The log comes first, so that whoever has the answer finds its line.
        self._log.request(request, response, duration_s)
        return response

    def _deliver(self, connection: Connection, request: Request, response: Response) -> None:
        keep_alive = connection.parser.keep_alive and self._stopped_at is None
        connection.ends = not keep_alive
        connection.out = render_response(response, head=request.method == "HEAD", keep_alive=keep_alive)
        self._connections.send(connection)
        if response.afterwards:
            threading.Thread(target=response.afterwards, daemon=True).start()

    def _refuse(self, connection: Connection, error: HeadError) -> None:
        """Answer a request whose end cannot be found; nothing else can follow it."""
        response = refusal(error.path, error.status, error.message)
        self._log.request(None, response, 0.0)
        connection.ends = connection.lingers = True
        connection.out = render_response(response, head=False, keep_alive=False)
        self._connections.send(connection)


def _stack() -> str:
    import traceback

    return traceback.format_exc()
