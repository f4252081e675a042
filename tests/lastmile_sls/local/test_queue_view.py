from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lastmile_sls.cli import lastmile
from lastmile_sls.errors import LastmileError
from lastmile_sls.local.queue import Queue
from lastmile_sls.local.queue_view import LocalQueueView
from lastmile_sls.queue_view import QueueStatus
from tests.lastmile_sls.local.conftest import World

JOB = b'{"kind": "job", "id": "0af1"}'


@pytest.fixture
def view(world: World) -> LocalQueueView:
    """A queue with a message that was set aside, one that a worker holds, and one that waits."""
    path = Path(world.apply("queue", "jobs", maxAttempts=2, visibilityTimeoutS=60)["path"])
    queue = Queue(path, 2, 60)
    queue.send(JOB)
    for reason in ("the first", "the model failed"):
        (message,) = queue.receive_many(1)
        assert queue.give_back(message, reason=reason)
    queue.send(b'{"kind": "batch"}')
    assert queue.receive()
    queue.send(b"?")
    queue.close()
    return LocalQueueView(world.place(), "jobs")


def test_what_it_holds_is_seen_without_a_host_and_stays_as_it_is(view: LocalQueueView) -> None:
    for _ in range(2):
        status = view.status()
        assert (status.waiting, status.in_flight, status.dead) == (1, 1, 1)
        assert status.oldest_s is not None
        assert status.oldest_s >= 0
        (dead,) = view.peek(10)
        assert (dead.kind, dead.job, dead.attempts, dead.reason, dead.body) == (
            "job",
            "0af1",
            2,
            "the model failed",
            JOB.decode(),
        )
        waiting = view.peek(10, waiting=True)
        assert [(message.kind, message.attempts, message.reason) for message in waiting] == [
            ("batch", 1, None),
            ("unknown", 0, None),
        ]
        assert len(view.peek(1, waiting=True)) == 1


def test_an_empty_queue_has_no_oldest_message(world: World) -> None:
    world.apply("queue", "jobs", maxAttempts=2, visibilityTimeoutS=60)
    view = LocalQueueView(world.place(), "jobs")
    assert view.status() == QueueStatus("jobs", 0, 0, 0, None)
    assert view.peek(10) == []


def test_without_a_host_nothing_is_redriven_and_another_queue_is_not_there(view: LocalQueueView) -> None:
    with pytest.raises(LastmileError, match="demo-dev does not run, so nothing would work"):
        view.redrive(lambda so_far: None)
    with pytest.raises(LastmileError) as refused:
        LocalQueueView(view.place, "other").status()
    assert refused.value.message == "demo-dev has no queue 'other'; its queues are jobs."


def test_the_commands(view: LocalQueueView, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTMILE_HOME", str(world.cloud.home))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(lastmile, ["queue", *arguments, "-d", "demo-dev"])
        assert result.exit_code == 0, result.output
        return result.output

    assert run("status").splitlines()[:4] == [
        "queue jobs",
        "  waiting    1",
        "  in flight  1",
        "  dead       1",
    ]
    assert json.loads(run("status", "--json"))["dead"] == 1
    lines = run("peek").splitlines()
    assert (lines[0].split("  ")[1], lines[1], lines[3]) == (
        "job 0af1",
        "  attempts   2",
        "  reason     the model failed",
    )
    assert "body" not in run("peek", "--json")
    assert json.loads(run("peek", "--json", "--body"))[0]["body"] == JOB.decode()
    assert [m["kind"] for m in json.loads(run("peek", "--waiting", "--json"))] == ["batch", "unknown"]
