"""What an app's deployment service wrote down of a deployment."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator

from lastmile_sls.bundle.oci.transport import Answer
from lastmile_sls.errors import LastmileError

MOST_LINES = 60
"""The last ones count: they say what went wrong."""


def read_log(get: Callable[[str], Answer], url: str, root: str) -> list[str]:
    """Return a log's lines, with those that its entries point to; none when there is no log.

    Entries have `message` and `details_url` (Azure/azure-functions-core-tools,
    src/Azure.Functions.Cli/Helpers/KuduLiteDeploymentHelpers.cs, read 2026-11-29).

    Args:
        get: Asks the service.
        url: Of the log.
        root: Of the service; what lies elsewhere is not asked for.
    """
    return list(_lines(get, url, root, depth=1))[-MOST_LINES:]


def _lines(get: Callable[[str], Answer], url: str, root: str, depth: int) -> Iterator[str]:
    for entry in _entries(get, url):
        if not isinstance(entry, dict):
            continue
        message = str(entry.get("message") or "")
        yield from (
            "".join(c for c in line if c.isprintable()) for line in message.splitlines() if line.strip()
        )
        details = entry.get("details_url")
        if depth and isinstance(details, str) and details.startswith(f"{root}/"):
            yield from _lines(get, details, root, depth - 1)


def _entries(get: Callable[[str], Answer], url: str) -> list[object]:
    """Return a log's entries. The log only explains a failure, and must not hide it with one of its own."""
    try:
        answer = get(url)
        found = json.loads(answer.body) if answer.status == 200 else []
    except (OSError, http.client.HTTPException, ValueError, LastmileError):
        return []
    return found if isinstance(found, list) else []
