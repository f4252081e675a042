"""A service's log in Cloud Logging."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from lastmile_sls.control.events import read_event
from lastmile_sls.control.follow import matches
from lastmile_sls.control.gcp.client import Google
from lastmile_sls.control.times import read, told_ms
from lastmile_sls.control.told import Event, Query

_PAGE = 1000
"""The most that entries.list gives at once (cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list)."""
_OWN = ("httpRequest", "severity", "labels", "trace", "spanId", "traceSampled")
_LONGEST_ANSWER = timedelta(minutes=2)
"""When more time has passed by the cloud's clock than an answer takes, this machine's was wrong."""


class ServiceLog:
    """What a service wrote, without Cloud Run's own line for each request, which says less."""

    late_s = 60.0

    def __init__(self, google: Google, function: str, service: str) -> None:
        self._google = google
        self._function = function
        self._service = service.rpartition("/")[2]

    def read(self, query: Query) -> list[Event]:
        """Return the newest events, oldest first. Raises LastmileError."""
        asked_at = self._google.clock.now()
        found = self._newest(query)
        mended = abs(self._google.clock.now() - asked_at) > _LONGEST_ANSWER
        return self._newest(query) if mended and isinstance(query.since, timedelta) else found

    def _newest(self, query: Query) -> list[Event]:
        body: dict[str, Any] = {
            "resourceNames": [f"projects/{self._google.project}"],
            "filter": self.filter_of(query),
            "orderBy": "timestamp desc",
            "pageSize": min(query.lines, _PAGE),
        }
        found: list[Event] = []
        while True:
            answer = self._google.rest(f"the log of {self._function}", "logging", "entries:list", body)
            events = map(self._event, answer.get("entries", ()))
            found += [event for event in events if matches(event, query)]
            if len(found) >= query.lines or not answer.get("nextPageToken"):
                return sorted(found[: query.lines], key=lambda event: event.at)
            body["pageToken"] = answer["nextPageToken"]

    def filter_of(self, query: Query) -> str:
        """Return the filter in Cloud Logging's language (cloud.google.com/logging/docs/view/logging-query-language)."""
        now = self._google.clock.now()
        since = now - query.since if isinstance(query.since, timedelta) else query.since
        terms = [
            'resource.type="cloud_run_revision"',
            f"resource.labels.service_name={json.dumps(self._service)}",
            'NOT log_id("run.googleapis.com/requests")',
            f'timestamp>="{told_ms(since)}"',
        ]
        if self._google.region:
            terms.append(f"resource.labels.location={json.dumps(self._google.region)}")
        terms += ["severity>=ERROR"] if query.errors else []
        if query.request_id is not None:
            terms.append(f"jsonPayload.request_id={json.dumps(query.request_id)}")
        return "\n".join(terms)

    def _event(self, entry: dict[str, Any]) -> Event:
        at, id_ = read(entry["timestamp"]), f"{entry['timestamp']} {entry['insertId']}"
        level = entry.get("severity")
        if "jsonPayload" not in entry:
            text = str(entry.get("textPayload", ""))
            found = read_event(text, at, self._function, id_=id_, level=level)
            return Event(found.id, at, found.function, found.level, found.facts, found.text, entry)
        document = {**entry["jsonPayload"], **{name: entry[name] for name in _OWN if name in entry}}
        labels = document.pop("labels", {})
        document.setdefault("version", labels.get("version"))
        found = read_event(document, at, self._function, id_=id_, level=level)
        facts = {name: value for name, value in found.facts.items() if name not in _OWN and value is not None}
        return Event(found.id, at, found.function, found.level, facts, found.text, entry)
