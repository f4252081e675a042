"""The live routing document: never older than it may be when it decides, and never in the way of an answer for long.

Processes may be frozen between two requests, so freshness cannot rest on a thread: a copy that is too old is read
anew before it decides. A process that keeps running refreshes it in the background as well.
"""

from __future__ import annotations

import time
from _thread import allocate_lock  # threading would cost 4 ms of each cold start

from lastmile_runtime import jsons
from lastmile_runtime.errors import BundleError
from lastmile_runtime.router import WHOLE, Routing

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from lastmile_runtime.stores import Store

_STALE = float("-inf")
_RETRY_S = 1.0
"""How long a store that failed is left alone, so that an outage does not hold up every request."""


class FixedRouting:
    """A document that does not change: a deployment with one version has nothing to route."""

    by_default = False
    """Whether it stands in for a document that could not be read."""

    def __init__(self, document: Mapping[str, Any], versions: Iterable[str]) -> None:
        self._routing = Routing(document, versions)

    def current(self) -> Routing:
        """Return which version answers which request."""
        return self._routing

    def expire(self) -> None:
        """Do nothing: it cannot be out of date."""

    def watch(self) -> None:
        """Do nothing: it does not change."""


class LiveRouting:
    """A document in a store, read again and again."""

    def __init__(
        self,
        store: Store,
        name: str,
        deployed: Mapping[str, Any],
        versions: Iterable[str],
        warn: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read nothing yet.

        Args:
            store: Where the document lies.
            name: Its path there.
            deployed: The document that the deployment began with. Until one was read, its champion answers alone:
                its weights may have been rolled back since.
            versions: The ids that are deployed.
            warn: Told why a read failed, once for each reason in a row.
            clock: Seconds that also pass while the process is stopped.
        """
        self._store = store
        self._name = name
        self._versions = list(versions)
        self._warn = warn
        self._clock = clock
        champion = deployed["champion"]
        shares = {id_: WHOLE if id_ == champion else 0 for id_ in deployed["weights"]}
        self._routing = Routing(
            {**deployed, "weights": shares, "buckets": None, "shadows": [], "rules": []}, self._versions
        )
        self.by_default = True
        self._etag: str | None = None
        self._read_at = _STALE
        self._failed_at = _STALE
        self._reading = allocate_lock()
        self._failure = ""

    def current(self) -> Routing:
        """Return which version answers which request, read anew if the copy is older than its `max_age_s`.

        Returns within about `deadline_s`; the last good document stands when the store does not answer by then.
        """
        if self._clock() - self._read_at > self._routing.max_age_s:
            self._refresh(self._routing.max_age_s)
        return self._routing

    def expire(self) -> None:
        """Have the next request read it anew, however young the copy is: the process was restored."""
        self._read_at = self._failed_at = _STALE

    def watch(self) -> None:
        """Refresh in the background from now on."""
        import threading

        threading.Thread(target=self._watch, name="lastmile-routing", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(max(0.05, self._routing.max_age_s / 3))
            self._refresh(self._routing.max_age_s / 4)

    def _refresh(self, max_age_s: float) -> None:
        """Read the document unless another thread did so meanwhile; whoever waits for that waits no longer either."""
        deadline_s = self._routing.deadline_s
        if not self._reading.acquire(timeout=deadline_s):
            return
        try:
            asked_at = self._clock()
            if asked_at - self._read_at <= max_age_s or asked_at - self._failed_at < _RETRY_S:
                return
            self._read(deadline_s)
            self._read_at = asked_at
            self._failure = ""
        except Exception as error:  # noqa: BLE001 - whatever a store raises, the last good document stands
            reason = f"{type(error).__name__}: {error}"
            if reason != self._failure:
                stands = "its champion answers alone" if self.by_default else "the last good one stands"
                self._warn(f"the routing document {self._name} could not be read, so {stands}: {reason}")
            self._failure = reason
            self._failed_at = self._clock()
        finally:
            self._reading.release()

    def _read(self, deadline_s: float) -> None:
        found = self._store.get(self._name, etag=self._etag, deadline_s=deadline_s)
        if found is None:
            return
        try:
            document = jsons.loads(found.content)
        except ValueError as error:
            raise BundleError(f"it is not JSON: {error}") from error
        self._routing = Routing(document, self._versions)
        self._etag = found.etag
        self.by_default = False
