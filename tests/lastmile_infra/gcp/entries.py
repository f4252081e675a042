"""What Cloud Logging makes of a line, and what a metric that is made of the log takes from it.

How the lines become entries: cloud.google.com/logging/docs/structured-logging, "Special JSON fields in messages". Of the
query language (cloud.google.com/logging/docs/view/logging-query-language) only what our filters say is known.
"""

from __future__ import annotations

import json
import re
from typing import Any

_SPECIAL = {
    "severity",
    "httpRequest",
    "time",
    "logging.googleapis.com/trace",
    "logging.googleapis.com/spanId",
}
_TERM = re.compile(r'(NOT )?(?:log_id\("([^"]+)"\)|([\w.]+(?:"[\w.]+")?)(=|:)"([^"]*)")')
_EXTRACT = re.compile(r"EXTRACT\(([\w.]+)\)")


def entry_of(line: str, service: str, region: str) -> dict[str, Any]:
    """Return the entry of a line that a function of Cloud Run wrote."""
    fields = json.loads(line)
    special = {name: fields.pop(name) for name in _SPECIAL & fields.keys()}
    return {
        **_of_run(service, region),
        "log_id": "run.googleapis.com/stdout",
        "httpRequest": special.get("httpRequest", {}),
        "jsonPayload": fields,
    }


def request_of(url: str, status: int, service: str, region: str) -> dict[str, Any]:
    """Return the entry that Cloud Run itself makes of a request (cloud.google.com/run/docs/logging, "requests")."""
    request = {"requestUrl": url, "status": status, "latency": "0.1s"}
    return {**_of_run(service, region), "log_id": "run.googleapis.com/requests", "httpRequest": request}


def _of_run(service: str, region: str) -> dict[str, Any]:
    labels = {"service_name": service, "location": region}
    return {"resource": {"type": "cloud_run_revision", "labels": labels}}


def takes(filter_: str, entry: dict[str, Any]) -> bool:
    """Tell whether a filter takes an entry. Raises AssertionError for one that says what is not known here."""
    for term in filter_.split(" AND "):
        found = _TERM.fullmatch(term)
        assert found, term
        negated, log, field, operator, text = found.groups()
        value = entry["log_id"] if log else str(_at(entry, field))
        holds = value == log if log else value == text if operator == "=" else text in value
        if holds == bool(negated):
            return False
    return True


def extracted(extractor: str, entry: dict[str, Any]) -> Any:
    """Return what an extractor finds; None where there is nothing."""
    found = _EXTRACT.fullmatch(extractor)
    assert found, extractor
    return _at(entry, found[1])


def _at(entry: dict[str, Any], path: str) -> Any:
    value: Any = entry
    for name in re.findall(r'"([^"]+)"|(\w+)', path):
        value = value.get(name[0] or name[1], {}) if isinstance(value, dict) else {}
    return None if value == {} else value
