"""The event loop of adapters that have none: a thread of its own, in which the user's application lives."""

from __future__ import annotations

import asyncio
import atexit
import threading
from typing import Any

from lastmile_runtime.user_app import UserApp

_LOCK = threading.Lock()
_LOOPS: list[asyncio.AbstractEventLoop] = []
_STOPPED_ON_EXIT: set[int] = set()
_STOP_S = 9.0
_OURS = {"content-length", "transfer-encoding", "connection"}
"""Headers that the adapter sets, from the whole answer."""


class Collected:
    """An answer as it was sent, whole."""

    def __init__(self) -> None:
        self.status = 0
        """0 when none was sent."""
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.error: BaseException | None = None
        """What the application raised, whether it had begun to answer or not."""
        self._whole = asyncio.Event()

    def headers(self) -> dict[str, str]:
        """Return the headers by their names in lower case.

        Of several with one name the values are joined (RFC 9110, 5.3); several cookies, which cannot be joined, get
        names in different cases, which mean the same.
        """
        found: dict[str, str] = {}
        cookies = 0
        for raw, value in self.raw_headers:
            name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
            if name == "set-cookie":
                found[_spelt(cookies)] = text
                cookies += 1
            elif name not in _OURS:
                found[name] = f"{found[name]}, {text}" if name in found else text
        return found

    async def send(self, message: dict[str, Any]) -> None:
        """Take what the application sends."""
        if message["type"] == "http.response.start":
            self.status, self.raw_headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                self._whole.set()

    async def disconnect(self) -> dict[str, Any]:
        """Tell that the client left, which it does once it has the whole answer."""
        await self._whole.wait()
        return {"type": "http.disconnect"}


def collect(user: UserApp, scope: dict[str, Any], body: bytes) -> Collected:
    """Have the user's application answer a request; return the answer once the application is done."""
    return asyncio.run_coroutine_threadsafe(_collect(user, scope, body), _loop(user)).result()


async def _collect(user: UserApp, scope: dict[str, Any], body: bytes) -> Collected:
    found = Collected()
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else await found.disconnect()

    try:
        await user.serve(scope, receive, found.send)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code, which must not end the loop
        found.error = error
    return found


def _loop(user: UserApp) -> asyncio.AbstractEventLoop:
    """Return the event loop, started by the first request; a user's shutdown runs when the process ends."""
    with _LOCK:
        if not _LOOPS:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="lastmile-asgi", daemon=True).start()
            _LOOPS.append(loop)
        if id(user) not in _STOPPED_ON_EXIT:
            _STOPPED_ON_EXIT.add(id(user))
            atexit.register(_stop, user)
        return _LOOPS[0]


def _stop(user: UserApp) -> None:
    asyncio.run_coroutine_threadsafe(user.stop(), _LOOPS[0]).result(_STOP_S)


def _spelt(number: int) -> str:
    """Return `set-cookie` in the case that a number's bits say, each number's another."""
    letters = [c.upper() if number >> place & 1 else c for place, c in enumerate("setcookie")]
    return "".join(letters[:3]) + "-" + "".join(letters[3:])
