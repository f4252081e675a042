"""What of the functions' logs the alarms and the dashboard read: queries in KQL, over the events that the runtime writes.

Every source gives the same columns: TimeGenerated, instance, function, trigger, version, status, duration_ms, queue_age_s.
"""

from __future__ import annotations

from typing import Literal

Form = Literal["zip", "image"]

_TABLES: dict[Form, str] = {"zip": "AppTraces", "image": "ContainerAppConsoleLogs"}
_FIELDS: dict[Form, dict[str, str]] = {
    "zip": {
        "instance": "AppRoleInstance",
        "function": "tostring(event.function)",
        "status": "toint(event.status)",
        "duration_ms": "todouble(event.duration_ms)",
    },
    "image": {
        "instance": "ContainerGroupName",
        "function": "ContainerAppName",
        "status": "toint(event.httpRequest.status)",
        "duration_ms": "1000 * todouble(trim_end('s', tostring(event.httpRequest.latency)))",
    },
}
"""As `lastmile_runtime.forms.application_insights` and `.cloud_logging` write an event."""
_MESSAGE: dict[Form, str] = {"zip": "Message", "image": "Log"}
_BOTH = {
    "trigger": "tostring(event['faas.trigger'])",
    "version": "tostring(event.version)",
    "queue_age_s": "todouble(event.queue_age_s)",
}
_TOO_MANY, _WRONG = 429, 500
_SET_ASIDE = "Message has reached MaxDequeueCount of "
"""What the host logs when it sets a message aside, and the queue's name in quotes
(github.com/Azure/azure-sdk-for-net, QueueProcessor.CopyMessageToPoisonQueueAsync, at 041cac99, read 2026-11-29)."""


def events(form: Form) -> str:
    """Return the query for all of the runtime's events that tell of an invocation."""
    columns = ", ".join(f"{name} = {value}" for name, value in {**_FIELDS[form], **_BOTH}.items())
    return (
        f"{_TABLES[form]}\n"
        f"| extend event = parse_json({_MESSAGE[form]})\n"
        f"| project TimeGenerated, {columns}\n"
        "| where isnotempty(trigger)"
    )


def answers(form: Form, function: str) -> str:
    """Return the query for what a function answered to requests."""
    return f"{events(form)}\n| where function == '{function}' and trigger == 'http'"


def deliveries(form: Form) -> str:
    """Return the query for the times that a message of the queue was worked on."""
    return f"{events(form)}\n| where trigger == 'pubsub'"


def set_aside(dead_letters: str) -> str:
    """Return the query for the messages that the host set aside in a queue."""
    return f"AppTraces\n| where Message startswith '{_SET_ASIDE}' and Message contains \"'{dead_letters}'\""


def error_share(form: Form, function: str) -> str:
    """Return the query for the share of a function's answers that are errors of the server's: `value` is percent."""
    return _one(answers(form, function), f"100.0 * countif(status >= {_WRONG}) / count()")


def latency(form: Form, function: str) -> str:
    """Return the query for what one answer in twenty takes, or longer: `value` is milliseconds."""
    return _one(answers(form, function), "percentile(duration_ms, 95)")


def throttled(form: Form, function: str) -> str:
    """Return the query for how many requests a function refused because there were too many: `value` is a count."""
    return _one(answers(form, function), f"countif(status == {_TOO_MANY})")


def queue_age(form: Form) -> str:
    """Return the query for the longest time that a message waited before it was worked on: `value` is seconds."""
    return _one(deliveries(form), "max(queue_age_s)")


def dead_letters(queue: str) -> str:
    """Return the query for how many messages were set aside: `value` is a count."""
    return _one(set_aside(queue), "count()")


def _one(rows: str, value: str) -> str:
    """Return the query for one number, `value`, of some rows, at the time of the last; no row for none."""
    return (
        f"{rows}\n"
        f"| summarize TimeGenerated = max(TimeGenerated), value = {value}, rows = count()\n"
        "| where rows > 0\n"
        "| project TimeGenerated, value"
    )


_EVERY = "bin(TimeGenerated, {TimeRange:grain})"
"""Of a workbook's time range (learn.microsoft.com/azure/azure-monitor/visualize/workbooks-time, 2026-11-29)."""


def requests_graph(form: Form, function: str) -> str:
    """Return the query for requests, and the instances that answered them, over time."""
    return (
        f"{answers(form, function)}\n| summarize requests = count(), instances = dcount(instance) by {_EVERY}"
    )


def errors_graph(form: Form, function: str) -> str:
    """Return the query for errors of the server's and of the callers' over time."""
    server = f"server = countif(status >= {_WRONG})"
    callers = f"callers = countif(status >= 400 and status < {_WRONG})"
    return f"{answers(form, function)}\n| summarize {server}, {callers} by {_EVERY}"


def latency_graph(form: Form, function: str) -> str:
    """Return the query for three percentiles of the time of an answer, in milliseconds, over time."""
    shares = ", ".join(f"p{share} = percentile(duration_ms, {share})" for share in (50, 95, 99))
    return f"{answers(form, function)}\n| summarize {shares} by {_EVERY}"


def throttles_graph(form: Form, function: str) -> str:
    """Return the query for requests that were refused because there were too many, over time."""
    return f"{answers(form, function)}\n| summarize refused = countif(status == {_TOO_MANY}) by {_EVERY}"


def queue_graph(form: Form, dead_letters: str) -> str:
    """Return the query for messages that were worked on, failed and were set aside, and the longest wait, over time."""
    ended = f"worked = status < {_WRONG}, failed = status >= {_WRONG}, queue_age_s"
    sums = "worked = countif(worked), failed = countif(failed), set_aside = countif(aside), oldest_s = max(queue_age_s)"
    return (
        f"{deliveries(form)}\n"
        f"| project TimeGenerated, {ended}\n"
        f"| union (\n{set_aside(dead_letters)}\n| project TimeGenerated, aside = true)\n"
        f"| summarize {sums} by {_EVERY}"
    )


def versions_graph(form: Form, function: str) -> str:
    """Return the query for the requests that each version answered, over time."""
    return f"{answers(form, function)}\n| where isnotempty(version)\n| summarize requests = count() by {_EVERY}, version"
