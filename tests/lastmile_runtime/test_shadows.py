from __future__ import annotations

import builtins
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.adapters.deliveries import PATH, deliver
from lastmile_runtime.application import Application
from lastmile_runtime.http import Request, Response
from lastmile_runtime.jobs import Jobs
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.routing import FixedRouting
from lastmile_runtime.shadows import Shadows
from lastmile_runtime.stores.file import FileStore
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.bundles import DOUBLER, MODEL, matrix, python_version, routing, write_bundle
from tests.lastmile_runtime.test_jobs import FakeQueue

INFER = f"/v2/models/{MODEL}/infer"
TRIPLER = DOUBLER.replace("2 *", "3 *")
# Waits for the test, which it finds among the built-in names.
HELD = """
class Model:
    def predict(self, inputs):
        BEGAN.release()
        HELD.wait(30)
        return {"doubled": [[2, 4]]}
"""
FAILING = "class Model:\n    def predict(self, inputs):\n        raise ZeroDivisionError('broken')\n"


def answering(value: str) -> str:
    return f"class Model:\n    def predict(self, inputs):\n        return {{'doubled': {value}}}\n"


class World:
    """v1 answers, v2 sees every request in silence."""

    def __init__(
        self,
        folder: Path,
        shadow: str = DOUBLER,
        champion: str = DOUBLER,
        queue: FakeQueue | None = None,
        *,
        has_store: bool = True,
    ) -> None:
        versions = [python_version("v1"), python_version("v2")]
        sources: dict[str, bytes | str] = {
            version.artifact: source for version, source in zip(versions, (champion, shadow), strict=True)
        }
        bundle = Bundle(str(folder / "bundle"), write_bundle(folder / "bundle", versions, sources))
        self.lines: list[str] = []
        (folder / "jobs").mkdir()
        self.store = FileStore(str(folder / "jobs"))
        log = Log("predict", self.lines.append, clock=lambda: 0.0)
        self.shadows = Shadows(log, queue, self.store if has_store else None)
        self.queue = FakeQueue()
        document = {**routing(), "shadows": [{"version": "v2", "percent": 100}]}
        self.application = Application(
            bundle,
            FixedRouting(document, ["v1", "v2"]),
            lambda: 0,
            jobs=Jobs(self.store, self.queue),
            shadows=self.shadows,
        )

    def infer(self, rows: int = 1, /, **headers: str) -> Response:
        body = json.dumps({"inputs": [matrix([[1, 2]] * rows)]}).encode()
        return self.application.handle(Request("POST", INFER, headers, body))

    def events(self) -> list[dict[str, Any]]:
        """Return what the log says of shadows, without the times."""
        events = [json.loads(line) for line in self.lines]
        return [
            {name: value for name, value in event.items() if name not in ("time", "duration_ms")}
            for event in events
        ]


def event(**facts: Any) -> dict[str, Any]:
    return {
        "level": "info",
        "function": "predict",
        "event": "shadow",
        "version": "v2",
        "answered_by": "v1",
        **facts,
    }


def after(response: Response) -> None:
    assert response.afterwards
    response.afterwards()


@pytest.mark.parametrize(
    ("champion", "shadow", "agree", "difference"),
    [
        (DOUBLER, DOUBLER, True, 0),
        (DOUBLER, TRIPLER, False, 2),
        (answering("[[1.0, 2.0]]"), answering("[[1.0000001, 2.0]]"), True, pytest.approx(1e-7)),
        (answering("[[1.0, 2.0]]"), answering("[[1.0]]"), False, 0),
        (answering("[['a', 'b']]"), answering("[['a', 'b']]"), True, 0),
        (answering("[['a', 'b']]"), answering("[['a', 'c']]"), False, 0),
        (answering("[[float('nan'), 1.0]]"), answering("[[float('nan'), 1.0]]"), True, 0),
        (answering("[[float('inf'), 1.0]]"), answering("[[float('inf'), 1.0]]"), True, 0),
        (answering("[[float('inf'), 1.0]]"), answering("[[1.0, 1.0]]"), False, "Infinity"),
        (answering("[[float('nan'), 1.0]]"), answering("[[1.0, 1.0]]"), False, 0),
    ],
)
@pytest.mark.parametrize("queued", [False, True])
def test_what_a_shadow_predicts_is_compared_after_the_answer(
    tmp_path: Path, champion: str, shadow: str, agree: bool, difference: Any, queued: bool
) -> None:
    queue = FakeQueue() if queued else None
    world = World(tmp_path, shadow, champion, queue)
    response = world.infer()
    assert (response.status, response.headers["x-model-version"], world.events()) == (200, "v1", [])
    if queue:
        assert response.afterwards is None
        delivered = deliver(world.application, Request("POST", PATH, {}, queue.messages[0]))
        assert (delivered.status, delivered.afterwards) == (204, None)
    else:
        after(response)
    assert world.events() == [event(agree=agree, largest_difference=difference)]
    assert "Infinity," not in world.lines[0].replace('"Infinity"', "")


def test_a_shadow_that_fails_is_told_in_the_log_alone(tmp_path: Path) -> None:
    world = World(tmp_path, FAILING)
    response = world.infer()
    after(response)
    assert response.status == 200
    assert world.events() == [
        event(
            level="warning",
            error="the shadow failed: version 'v2' failed on this request: ZeroDivisionError: broken",
        )
    ]


def test_a_job_s_request_is_seen_as_well(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.infer(prefer="respond-async").afterwards is None
    after(deliver(world.application, Request("POST", PATH, {}, world.queue.messages[0])))
    assert world.events() == [event(agree=True, largest_difference=0.0)]


def test_a_pinned_request_is_not_seen(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.infer(**{"x-model-version": "v1"}).afterwards is None


def test_only_so_many_are_under_way(tmp_path: Path) -> None:
    held = threading.Event()
    world = World(tmp_path, HELD)
    responses = [world.infer() for _ in range(5)]
    began = threading.Semaphore(0)
    builtins.BEGAN = began  # type: ignore[attr-defined] # see below
    builtins.HELD = held  # type: ignore[attr-defined] # how the model's module finds it
    threads = [threading.Thread(target=after, args=(response,)) for response in responses[:4]]
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            assert began.acquire(timeout=30)
        after(responses[4])
        assert world.events() == [
            {
                "level": "warning",
                "function": "predict",
                "error": "the shadow 'v2' did not see a request: 4 are under way.",
            }
        ]
    finally:
        held.set()
        for thread in threads:
            thread.join()
        del builtins.HELD, builtins.BEGAN  # type: ignore[attr-defined] # see above
    assert len(world.events()) == 5


def test_a_queue_that_refuses_costs_the_comparison_and_not_the_answer(tmp_path: Path) -> None:
    queue = FakeQueue()
    queue.down = "the queue jobs answered '503 database is locked'."
    world = World(tmp_path, queue=queue)
    assert world.infer().status == 200
    assert world.events() == [
        {
            "level": "warning",
            "function": "predict",
            "error": "the shadow 'v2' did not see a request, which the queue refused: "
            "the queue jobs answered '503 database is locked'.",
        }
    ]


def test_what_a_message_cannot_carry_goes_through_the_store_and_is_gone_when_it_is_done(
    tmp_path: Path,
) -> None:
    queue = FakeQueue()
    world = World(tmp_path, queue=queue)
    assert world.infer(5000).status == 200
    (place,) = world.store.list("shadows/")
    (message,) = queue.messages
    assert json.loads(message) == {"kind": "shadow", "at": place}
    world.shadows._compare, compare = fail_once, world.shadows._compare  # type: ignore[method-assign, assignment] # as a process that dies
    assert deliver(world.application, Request("POST", PATH, {}, message)).status == 503
    world.shadows._compare = compare  # type: ignore[method-assign] # see above
    assert [deliver(world.application, Request("POST", PATH, {}, message)).status for _ in range(2)] == [
        204,
        204,
    ]
    assert world.events() == [event(agree=True, largest_difference=0.0)]
    assert world.store.list("") == []


def fail_once(*_: Any) -> None:
    raise InterruptedError


def test_without_a_store_what_a_message_cannot_carry_is_not_seen(tmp_path: Path) -> None:
    queue = FakeQueue()
    world = World(tmp_path, queue=queue, has_store=False)
    assert world.infer(5000).status == 200
    assert (len(world.events()), queue.messages) == (1, [])
    told = world.events()[0]["error"]
    assert told.startswith("the shadow 'v2' did not see a request, which the queue refused: the message has ")
    assert told.endswith(" bytes, but may have 10000, and there is no store.")
    answer = deliver(
        world.application, Request("POST", PATH, {}, b'{"kind": "shadow", "at": "shadows/1.json"}')
    )
    assert (answer.status, json.loads(answer.body)["error"]) == (
        503,
        "shadows/1.json cannot be read: LASTMILE_JOBS_URL is not set any more.",
    )


def test_a_message_for_a_version_that_is_gone_is_done(tmp_path: Path) -> None:
    queue = FakeQueue()
    world = World(tmp_path, queue=queue)
    world.infer()
    message = json.dumps({**json.loads(queue.messages[0]), "version": "v9"}).encode()
    assert deliver(world.application, Request("POST", PATH, {}, message)).status == 204
    assert world.events() == [
        event(level="warning", version="v9", error="the shadow failed: there is no version 'v9'.")
    ]
