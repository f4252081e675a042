"""`lastmile logs` of a cloud, word for word."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from lastmile_sls.control import follow
from lastmile_sls.control.told import Query
from tests.lastmile_sls.cli.clouds import Played, event
from tests.lastmile_sls.control.commands import Typist

ANSWER = {"level": "info", "method": "GET", "path": "/v2", "status": 200, "duration_ms": 1.5, "version": "v1"}


def test_events_are_lines(typist: Typist, played: Played) -> None:
    played.events = [event(json.dumps(ANSWER)), event("plain", 1)]
    told = typist.ask("logs", "--lines", "5", "--since", "10m", "--errors", "--request-id", "r-1")
    assert told.out.splitlines() == [
        "2026-11-29T12:00:00.000Z  info     predict  200  1.5 ms  v1  GET /v2",
        "2026-11-29T12:00:01.000Z  info     predict  plain",
    ]
    assert played.queries == [Query(timedelta(minutes=10), 5, errors=True, request_id="r-1")]
    raw = [json.loads(line) for line in typist.ask("logs", "--json").out.splitlines()]
    assert [(entry["time"], entry["event"]) for entry in raw] == [
        ("2026-11-29T12:00:00.000Z", ANSWER),
        ("2026-11-29T12:00:01.000Z", "plain"),
    ]
    assert played.queries[-1] == Query(timedelta(hours=1), 50, platform=True)


def test_following_goes_on(typist: Typist, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    played.events = [event("one")]

    def sleep(seconds: float) -> None:
        if len(played.events) > 1:
            raise KeyboardInterrupt
        played.events.append(event("two", 1))

    monkeypatch.setattr(follow.follow, "__defaults__", (sleep,))
    told = typist.ask("logs", "--follow")
    assert [line.rpartition("  ")[2] for line in told.out.splitlines()] == ["one", "two"]


def test_what_cannot_be_shown_is_told(typist: Typist, played: Played) -> None:
    assert typist.ask("logs").err == (
        "churn-dev logged nothing for predict in this time: a longer one is --since 1d\n"
    )
    assert "--host is for this machine." in typist.ask("logs", "--host").err
    assert typist.ask("logs", "--function", "other").err == (
        "error: churn-dev has no function 'other'; it has predict, predict-v2.\n"
    )
    assert typist.ask("logs", "--function", "predict-v2").err.splitlines() == [
        "error: the outputs of churn-dev do not say where the log of predict-v2 is.",
        "hint: They are older than this version of lastmile: lastmile up --target aws",
    ]
    assert typist.ask("logs", "--since", "soon").err == (
        "error: --since is 'soon', but must be a time span such as 90s, 10m, 2h or 1d.\n"
    )
