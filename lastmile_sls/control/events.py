"""Events of the runtime as clouds give them back, read into one form, and written in a line for people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lastmile_sls.control.times import told_ms
from lastmile_sls.control.told import Event, Level

_LEVELS: dict[str, Level] = {
    "info": "info",
    "notice": "info",
    "debug": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "critical": "error",
    "alert": "error",
    "emergency": "error",
    "fatal": "error",
}
_NOT_FACTS = ("_aws", "timestamp", "time", "level", "severity", "function")


def read_event(
    raw: str | Mapping[str, Any],
    at: datetime,
    function: str,
    *,
    id_: str | None = None,
    level: str | None = None,
    text: str | None = None,
) -> Event:
    """Return an event of a log.

    Args:
        raw: A line, or what a cloud made of a line that was JSON.
        at: When it was, by the cloud.
        function: By its name in the plan.
        id_: The cloud's own; by default made of the time and the text.
        level: The cloud's own, where the event has none.
        text: The line that it was, where raw is not it.
    """
    line = text if text is not None else (raw if isinstance(raw, str) else json.dumps(raw, sort_keys=True))
    id_ = id_ or hashlib.sha256(f"{at.isoformat()}\0{line}".encode()).hexdigest()
    document = _document(raw) if isinstance(raw, str) else raw
    if document is None:
        return Event(id_, at, function, _level(level, line), {}, line.rstrip("\n"), raw)
    if str(document.get("type", "")).startswith("platform."):
        return _platform(document, id_, at, function)
    facts = _facts(document)
    said = _level(str(document.get("level") or document.get("severity") or level or ""), "")
    return Event(id_, at, function, said, facts, "", dict(document))


def line_of(event: Event) -> str:
    """Return an event in a line: time, level, function, and of an answer status, time, version, path and error."""
    words = [told_ms(event.at), f"{event.level:<7}", event.function]
    facts = event.facts
    if "status" in facts:
        words.append(str(facts["status"]))
    if "duration_ms" in facts:
        words.append(f"{facts['duration_ms']:g} ms")
    asked = " ".join(str(facts[name]) for name in ("method", "path") if facts.get(name))
    words += filter(None, (str(facts.get("version") or ""), asked))
    if facts.get("request_id"):
        words.append(f"request_id={facts['request_id']}")
    told = facts.get("error") or facts.get("message") or event.text
    if told:
        words.append(str(told).replace("\n", " "))
    elif "status" not in facts:
        rest = {name: value for name, value in facts.items() if name not in ("version", "method", "path")}
        words.append(json.dumps(rest, ensure_ascii=False))
    return "  ".join(words).rstrip()


def document_of(event: Event) -> dict[str, Any]:
    """Return an event for `--json`: as the cloud has it, beside what tells it from others."""
    return {
        "id": event.id,
        "time": told_ms(event.at),
        "level": event.level,
        "function": event.function,
        "event": event.raw,
    }


def _document(line: str) -> dict[str, Any] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's facts by the runtime's names, whatever form it was written in (`lastmile_runtime.forms`)."""
    facts = {
        name: value
        for name, value in document.items()
        if name not in _NOT_FACTS and not name.startswith("logging.googleapis.com/")
    }
    if not facts.get("message"):
        facts.pop("message", None)
    http = facts.pop("httpRequest", None)
    if isinstance(http, Mapping):
        message = facts.pop("message", None)
        facts["method"], facts["path"] = http.get("requestMethod", ""), http.get("requestUrl", "")
        facts["status"] = int(http.get("status", 0))
        facts["duration_ms"] = round(float(str(http.get("latency", "0s")).rstrip("s")) * 1000, 2)
        if message and message != f"{facts['method']} {facts['path']}".strip():
            facts.setdefault("error", message)
    return facts


def _platform(document: Mapping[str, Any], id_: str, at: datetime, function: str) -> Event:
    """Return a note of the platform's (docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html); it is an
    error when the invocation was not answered."""
    record = document.get("record")
    record = record if isinstance(record, Mapping) else {}
    status = record.get("status")
    bad = status not in (None, "success")
    text = (
        f"{document['type']} {status} {record.get('errorType') or ''}".rstrip()
        if status
        else str(document["type"])
    )
    return Event(id_, at, function, "error" if bad else "info", {}, text, dict(document), is_platform=not bad)


def _level(said: str | None, line: str) -> Level:
    found = _LEVELS.get((said or "").lower())
    if found:
        return found
    return "error" if line.startswith(("[ERROR]", "Traceback")) else "info"
