"""An HTTP server for processes that keep running: quick from its first request, and about as quick as one core can be.

One thread polls. When requests are answered within half a millisecond or so, it answers them itself, and nobody pays
for a change of threads. When they take longer, it lets another thread poll before it begins, so that up to
`concurrency` predictions run beside each other (leader and followers: Schmidt et al., 2000).
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time

from lastmile_runtime.adapters.http1 import CONTINUE, HeadError, Parser, render_response
from lastmile_runtime.http import Response, refusal

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable

    from lastmile_runtime.http import Request
    from lastmile_runtime.telemetry import Log

_IN, _OUT = 1, 4  # EPOLLIN and EPOLLOUT, which are POLLIN and POLLOUT as well
_READ_BYTES = 1 << 18
_SLOW_S = 0.0005
_IDLE_S = 75.0
"""How long a connection may rest between two requests, or a request between two of its bytes."""
_LINGER_S = 5.0
"""How long a refused body is still read, because a client that sends does not read the answer."""
_DRAIN_S = 8.0
"""What clients have to finish the requests that they had begun when the server is stopped."""
_SWEEP_S = 1.0
_MOST_CONNECTIONS = 4096


class _Connection:
    __slots__ = ("busy", "ends", "fd", "lingers", "out", "parser", "socket", "touched_at", "watched")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.fd = connection.fileno()
        self.parser = Parser()
        self.out = b""
        """What could not be sent yet."""
        self.ends = False
        """It is closed once everything is sent."""
        self.lingers = False
        """What still comes is read and dropped."""
        self.busy = False
        """A request of it is being answered by a thread that does not poll."""
        self.touched_at = time.monotonic()
        self.watched = _IN
        """The event that it is polled for."""


class Server:
    """Serves a listening socket until it is stopped."""

    def __init__(
        self,
        answer: Callable[[Request], Response],
        listener: socket.socket,
        concurrency: int,
        log: Log,
    ) -> None:
        """Serve nothing yet.

        Args:
            answer: Answers a request; never raises.
            listener: A listening socket.
            concurrency: How many requests are answered at once.
            log: Told of every answer.
        """
        self._answer = answer
        self._listener = listener
        self._concurrency = concurrency
        self._log = log
        self._poller = _poller()
        self._polling = threading.Lock()
        self._connections: dict[int, _Connection] = {}
        self._ready: list[tuple[int, int]] = []
        self._mean_s = 1.0
        """The running mean of the time that an answer takes; the first is slow, because a model loads."""
        self._stopped_at: float | None = None
        self._accepts = True
        self._swept_at = 0.0
        self._done = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)

    def run(self) -> None:
        """Serve until `stop`, then answer what clients have begun to send."""
        self._listener.setblocking(False)
        self._poller.register(self._listener.fileno(), _IN)
        self._poller.register(self._wake_read, _IN)
        threads = [threading.Thread(target=self._work) for _ in range(self._concurrency - 1)]
        for thread in threads:
            thread.start()
        self._work()
        for thread in threads:
            thread.join()
        for connection in list(self._connections.values()):
            self._close(connection)

    def stop(self) -> None:
        """Stop accepting. Safe in a signal handler."""
        self._stopped_at = time.monotonic()
        self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            return

    def _work(self) -> None:
        """Poll, and answer; without polling while an answer takes long."""
        while not self._done:
            with self._polling:
                slow = self._lead()
            if slow:
                connection, request = slow
                self._exchange(connection, request)
                self._go_on(connection)

    def _lead(self) -> tuple[_Connection, Request] | None:
        """Serve what is ready; return a request that is expected to take long, or None at the end."""
        while not self._done:
            while self._ready:
                found = self._serve(*self._ready.pop())
                if found:
                    return found
            self._poll()
        return None

    def _poll(self) -> None:
        now = time.monotonic()
        if self._stopped_at is not None and self._is_drained(now):
            self._done = True
            self._wake()
            return
        if now - self._swept_at > _SWEEP_S:
            self._swept_at = now
            self._sweep(now)
        self._ready = self._poller.poll(_SWEEP_S)

    def _is_drained(self, now: float) -> bool:
        """Close the connections on which nothing is under way; tell whether none is left."""
        assert self._stopped_at is not None
        if self._accepts:
            self._accepts = False
            self._poller.unregister(self._listener.fileno())
            self._listener.close()
            # What came in before is still in the sockets' buffers.
            self._ready = [event for event in self._poller.poll(0) if event[0] != self._wake_read]
            if self._ready:
                return False
        late = now - self._stopped_at > _DRAIN_S
        for connection in list(self._connections.values()):
            idle = connection.parser.is_idle and not connection.out
            if not connection.busy and (idle or late or connection.lingers):
                self._close(connection)
        return not self._connections

    def _serve(self, fd: int, event: int) -> tuple[_Connection, Request] | None:
        connection = self._connections.get(fd)
        if connection is None:
            if fd == self._wake_read:
                os.read(self._wake_read, 1024)
            elif self._accepts and fd == self._listener.fileno():
                self._accept()
            return None
        if event & _OUT and connection.out:
            self._send(connection)
            return None if connection.out else self._next(connection)
        return self._next(connection) if self._receive(connection) else None

    def _receive(self, connection: _Connection) -> bool:
        """Read what has come; tell whether there was something to parse."""
        try:
            data = connection.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return False
        connection.touched_at = time.monotonic()
        if not connection.lingers:
            connection.parser.feed(data)
        return not connection.lingers

    def _next(self, connection: _Connection) -> tuple[_Connection, Request] | None:
        """Answer the connection's whole requests, or return the first that is expected to take long."""
        while not connection.out and not connection.ends:
            try:
                request = connection.parser.take()
            except HeadError as error:
                self._refuse(connection, error)
                return None
            if request is None:
                if connection.parser.wants_continue:
                    connection.parser.wants_continue = False
                    connection.out = CONTINUE
                    self._send(connection)
                return None
            if self._mean_s > _SLOW_S and self._concurrency > 1:
                self._watch(connection, 0)
                connection.busy = True
                return connection, request
            self._exchange(connection, request)
        return None

    def _go_on(self, connection: _Connection) -> None:
        """Answer what the client sent ahead, then let the connection be polled again, by whoever polls now."""
        while connection.fd in self._connections and not connection.out and not connection.ends:
            # No event will tell of a request that is in the parser already.
            try:
                request = connection.parser.take()
            except HeadError as error:
                self._refuse(connection, error)
                break
            if request is None:
                break
            self._exchange(connection, request)
        connection.busy = False
        if connection.fd in self._connections:
            self._watch(connection, _OUT if connection.out else _IN)

    def _exchange(self, connection: _Connection, request: Request) -> None:
        started = time.perf_counter()
        response = self._answer(request)
        duration_s = time.perf_counter() - started
        self._mean_s = duration_s if self._mean_s == 1.0 else 0.9 * self._mean_s + 0.1 * duration_s
        # The log comes first, so that whoever has the answer finds its line.
        self._log.request(request, response, duration_s)
        keep_alive = connection.parser.keep_alive and self._stopped_at is None
        connection.ends = not keep_alive
        connection.out = render_response(response, head=request.method == "HEAD", keep_alive=keep_alive)
        self._send(connection)
        if response.afterwards:
            threading.Thread(target=response.afterwards, daemon=True).start()

    def _refuse(self, connection: _Connection, error: HeadError) -> None:
        """Answer a request whose end cannot be found; nothing else can follow it."""
        response = refusal(error.path, error.status, error.message)
        self._log.request(None, response, 0.0)
        connection.ends = connection.lingers = True
        connection.out = render_response(response, head=False, keep_alive=False)
        self._send(connection)

    def _send(self, connection: _Connection) -> None:
        try:
            sent = connection.socket.send(connection.out)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._log.warning(f"the connection broke: {error}")
            self._close(connection)
            return
        connection.out = connection.out[sent:] if sent < len(connection.out) else b""
        connection.touched_at = time.monotonic()
        if connection.out:
            self._watch(connection, _OUT)
        elif connection.ends and not connection.lingers:
            self._close(connection)
        elif connection.ends:
            self._hang_up(connection)
        else:
            self._watch(connection, _IN)

    def _watch(self, connection: _Connection, event: int) -> None:
        if not connection.busy and connection.watched != event:
            connection.watched = event
            self._poller.modify(connection.fd, event)

    def _hang_up(self, connection: _Connection) -> None:
        try:
            connection.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(connection)

    def _accept(self) -> None:
        for _ in range(64):
            if len(self._connections) >= _MOST_CONNECTIONS:
                return
            try:
                accepted, _ = self._listener.accept()
            except OSError as error:  # the peer left, or another process of this function took it
                if not isinstance(error, BlockingIOError):
                    self._log.warning(f"a connection could not be accepted: {error}")
                return
            accepted.setblocking(False)
            if accepted.family != socket.AF_UNIX:
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(accepted)
            self._connections[connection.fd] = connection
            self._poller.register(connection.fd, _IN)

    def _sweep(self, now: float) -> None:
        for connection in list(self._connections.values()):
            rest_s = now - connection.touched_at
            if not connection.busy and rest_s > (_LINGER_S if connection.lingers else _IDLE_S):
                self._close(connection)

    def _close(self, connection: _Connection) -> None:
        if self._connections.pop(connection.fd, None) is None:
            return
        self._poller.unregister(connection.fd)
        connection.socket.close()
        if self._stopped_at is not None:
            self._wake()  # the last one to go ends the server


class _Poll:
    """`select.poll` with epoll's seconds, where there is no epoll. It does not notice what another thread changes."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self.register, self.unregister = self._poll.register, self._poll.unregister
        self.modify = self._poll.modify

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        return self._poll.poll(min(timeout_s, 0.01) * 1000)


def _poller() -> select.epoll | _Poll:
    return select.epoll() if hasattr(select, "epoll") else _Poll()
