"""Google Cloud Pub/Sub (docs.cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish, read 2026-11-29)."""

from __future__ import annotations

import time
from binascii import b2a_base64

from lastmile_runtime import jsons
from lastmile_runtime.errors import BundleError
from lastmile_runtime.queues import parts
from lastmile_runtime.stores.exchange import Address, Client, told
from lastmile_runtime.stores.gs import ISSUERS, bearer_of
from lastmile_runtime.stores.http import parse_url

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lastmile_runtime.stores.token import Bearer

_MOST_BYTES = 7_000_000
"""A request to publish has 10 MB at most (docs.cloud.google.com/pubsub/quotas, 2026-11-29), and a message in it is a third
longer, in base64."""


class PubSubQueue:
    """A topic of Pub/Sub."""

    most_bytes = _MOST_BYTES

    def __init__(self, address: Address, path: str, bearer: Bearer | None) -> None:
        """Ask nothing yet; without a bearer, nobody is asked who this is."""
        self._client = Client(address)
        self._path = path
        self._bearer = bearer

    def send(self, message: bytes, deadline_s: float) -> None:
        """Add a message: Pub/Sub keeps it when this returns. Raises OSError when it does not."""
        ends_at = time.monotonic() + deadline_s
        data = b2a_base64(message, newline=False).decode("ascii")
        body = jsons.dumps({"messages": [{"data": data}]}).encode()
        headers = {"content-type": "application/json"}
        try:
            if self._bearer:
                headers["authorization"] = f"Bearer {self._bearer.current(ends_at)[0]}"
            answer, content = self._client.fetch(self._path, headers, ends_at, "POST", body)
        except (ValueError, LookupError) as error:
            raise ConnectionError(f"Google Pub/Sub cannot be asked: {told(error)}") from error
        if answer.status != 200:
            raise OSError(f"Google Pub/Sub answered {answer.status}{_code(content)}")


def open_url(url: str, environ: Mapping[str, str]) -> PubSubQueue | None:
    """Return the queue at `pubsub://PROJECT/TOPIC`, None for no such URL.

    PUBSUB_EMULATOR_HOST is an emulator's HOST:PORT, as for Google's own libraries. Raises BundleError when the environment
    does not say who is asking.
    """
    found = parts(url, 2)
    if found is None:
        return None
    project, topic = found
    path = f"/v1/projects/{project}/topics/{topic}:publish"
    emulator = environ.get("PUBSUB_EMULATOR_HOST")
    if emulator:
        return PubSubQueue(parse_url(f"http://{emulator}")[0], path, None)
    bearer = bearer_of(environ)
    if bearer is None:
        raise BundleError(
            f"the topic {topic} is sent to in this function's name, but the environment is not one of Cloud Run's."
        )
    return PubSubQueue(Address("pubsub.googleapis.com", 443, tls=True, issuers=ISSUERS), path, bearer)


def _code(content: bytes) -> str:
    """Return Google's word for an error; what it says about it has names that are nobody else's business."""
    try:
        told = str(jsons.loads(content)["error"]["status"])
    except (ValueError, LookupError, TypeError):
        return ""
    return f" ({told})" if told.replace("_", "").isalnum() else ""
