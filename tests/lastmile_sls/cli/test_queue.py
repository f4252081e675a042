"""`lastmile queue` of a cloud; this machine's is in tests/lastmile_sls/local."""

from __future__ import annotations

from tests.lastmile_sls.cli.clouds import Played
from tests.lastmile_sls.control.commands import Typist


def test_status_peek_and_redrive(typist: Typist, played: Played) -> None:
    assert typist.ask("queue status").out.splitlines() == [
        "queue jobs",
        "  waiting    3",
        "  in flight  not known",
        "  dead       2",
        "  oldest     1 min 35 s",
        "`lastmile queue peek` says what they are, `lastmile queue redrive` delivers them again",
    ]
    assert typist.ask("queue peek").out.splitlines() == [
        "m-1  job j-1",
        "  attempts   5",
        "  age        2 h 5 min",
        "  reason     it answered 500",
    ]
    assert typist.ask("queue peek", "--body", "--json").json[0]["body"] == '{"kind": "job", "id": "j-1"}'
    told = typist.ask("queue redrive")
    assert (told.out, told.err) == ("2 messages are delivered once more\n", "1 so far\n")
    assert typist.ask("queue redrive", "--json").json == {"queue": "jobs", "redriven": 2}


def test_a_deployment_without_a_queue(typist: Typist, played: Played) -> None:
    played.has_queue = False
    assert typist.ask("queue status").err.splitlines() == [
        "error: churn-dev has no queue on aws.",
        "hint: Add queue to the spec, and run `lastmile up`.",
    ]
    assert typist.ask("queue status", "other").err == "error: churn-dev has no queue 'other'; it has jobs.\n"
