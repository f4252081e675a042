"""The clients' connections: what has come of their requests, and what could not be sent yet; nothing here waits."""

from __future__ import annotations

import _socket  # socket itself would cost 7 ms of each cold start, for enum and selectors
import threading
import time

from lastmile_runtime.adapters.http1 import Parser
from lastmile_runtime.adapters.poller import IN, OUT, open_poller

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from lastmile_runtime.telemetry import Log

_READ_BYTES = 1 << 18
_MOST = 4096
_HEAD_S = 30.0
"""How long a request's head may take to come."""
_REQUEST_S = 300.0
"""How long a whole request may take to come: 32 MB at 1 Mbit/s."""
_LINGER_S = 5.0
"""How long a refused body is still read, because a client that sends does not read the answer."""
_LAST_CALL_S = 1.0
"""How long clients that keep a connection may still send a request after the stop; sooner, one on its way is lost."""
_DRAIN_S = 8.0
"""What clients have after the stop to finish sending the requests that they had begun."""


class Connection:
    """A socket that does not block, and the state of the exchange on it."""

    __slots__ = (
        *("began_at", "busy", "ends", "fd", "lingers", "out", "parser", "socket", "touched_at", "watched"),
    )

    def __init__(self, accepted: _socket.socket) -> None:
        accepted.setblocking(False)
        if accepted.family != _socket.AF_UNIX:
            accepted.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self.socket = accepted
        self.fd = accepted.fileno()
        self.parser = Parser()
        self.out = b""
        """What could not be sent yet."""
        self.ends = False
        """It is closed once everything is sent."""
        self.lingers = False
        """What still comes is read and dropped."""
        self.busy = False
        """A thread that does not poll answers a request of it, and nobody else touches it."""
        self.watched = 0
        """The event that it is polled for; 0: it is not polled."""
        self.touched_at = self.began_at = time.monotonic()
        """When a byte went over it last, and when its current request began."""

    def receive(self) -> bool | None:
        """Read what has come; tell whether there is something to parse, None when the client is gone."""
        try:
            data = self.socket.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            return None
        if not data:
            return None
        if self.lingers:
            return False
        self.touched_at = time.monotonic()
        if self.parser.is_idle:
            self.began_at = self.touched_at
        self.parser.feed(data)
        return True

    def send(self) -> None:
        """Send what the socket takes; the rest stays in `out`. Raises OSError when the client is gone."""
        try:
            sent = self.socket.send(self.out)
        except BlockingIOError:
            return
        # Slices only where something is left: an answer may have 32 MB.
        self.out = self.out[sent:] if sent < len(self.out) else b""
        self.touched_at = time.monotonic()
        if self.lingers and not self.out:
            self.socket.shutdown(_socket.SHUT_WR)

    def is_late(self, now: float, idle_s: float) -> bool:
        """Tell whether the client has taken longer over its request, its answer, or a pause than it may."""
        if self.lingers or self.out or self.parser.is_idle:
            return now - self.touched_at > (_LINGER_S if self.lingers else idle_s)
        return now - self.began_at > (_REQUEST_S if self.parser.has_head else _HEAD_S)


class Connections:
    """A listening socket and the connections that came over it, all of them polled."""

    def __init__(self, listener: _socket.socket, log: Log, idle_s: float, *, shares_listener: bool) -> None:
        """Accept nothing yet; see `lastmile_runtime.adapters.server.Server` for the arguments."""
        self.guard = threading.Lock()
        """Held for a moment to change who answers on a connection."""
        self.poller = open_poller()
        self._listener = listener
        self._log = log
        self._idle_s = idle_s
        self._shares_listener = shares_listener
        self._open: dict[int, Connection] = {}
        self.find = self._open.get
        """Returns the connection of a descriptor, None for another one."""
        self._accepts = False

    def listen(self) -> None:
        """Accept from now on, or again."""
        if not self._accepts and self._listener.fileno() >= 0:
            self._listener.setblocking(False)
            self._accepts = True
            self.poller.register(self._listener.fileno(), IN)

    def accept(self) -> None:
        """Take the connections that wait."""
        while len(self._open) < _MOST:
            try:
                fd, _ = self._listener._accept()  # type: ignore[attr-defined] # what accept() of socket.socket calls
            except BlockingIOError:  # there is none, or another process of this function took it
                return
            except ConnectionError:  # the client left
                continue
            except OSError as error:
                self._log.warning(f"a connection could not be accepted: {error}")
                break
            connection = Connection(_socket.socket(fileno=fd))
            self._open[fd] = connection
            self.watch(connection, IN)
        # No place, or no descriptor: the others wait until the next sweep.
        self._mute()

    def watch(self, connection: Connection, event: int) -> None:
        """Have a connection polled for an event; 0 for none."""
        before, connection.watched = connection.watched, event
        if before == event:
            return
        if not event:
            # A poller tells of a client that is gone even where it is asked for nothing.
            self.poller.unregister(connection.fd)
        elif before:
            self.poller.modify(connection.fd, event)
        else:
            self.poller.register(connection.fd, event)

    def send(self, connection: Connection) -> None:
        """Send what is to be sent, as far as that is possible now; the rest follows when it is."""
        try:
            connection.send()
        except OSError as error:
            self._log.warning(f"the connection broke: {error}")
            self.close(connection)
            return
        if connection.ends and not connection.out and not connection.lingers:
            self.close(connection)
        elif not connection.busy:
            self.watch(connection, OUT if connection.out else IN)

    def give_back(self, connection: Connection) -> None:
        """Have a connection polled again that a thread answered on."""
        with self.guard:
            connection.busy = False
            if connection.fd in self._open and self._open[connection.fd] is connection:
                self.watch(connection, OUT if connection.out else IN)

    def close(self, connection: Connection) -> None:
        """Close a connection, if it is not closed."""
        if self._open.get(connection.fd) is connection:
            del self._open[connection.fd]
            self.watch(connection, 0)
            connection.socket.close()
            connection.ends = True

    def sweep(self, now: float) -> None:
        """Close connections whose clients take too long, and accept again where that was given up for a while."""
        with self.guard:
            for connection in list(self._open.values()):
                if not connection.busy and connection.is_late(now, self._idle_s):
                    self.close(connection)
        self.listen()

    def drain(self, stopped_s: float) -> bool:
        """Close what nothing more is expected of, so long after the stop; tell whether nothing is left."""
        if self._listener.fileno() >= 0:
            if not self._shares_listener:
                self.accept()
            self._mute()
            self._listener.close()
        with self.guard:
            for connection in list(self._open.values()):
                rests = connection.parser.is_idle and not connection.out
                if not connection.busy and stopped_s > (_LAST_CALL_S if rests else _DRAIN_S):
                    self.close(connection)
        return not self._open

    def _mute(self) -> None:
        if self._accepts:
            self._accepts = False
            self.poller.unregister(self._listener.fileno())
