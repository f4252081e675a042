"""What the check asks of the Runtime API beside the contract: when a function asked, and that nothing waits for ever."""

from __future__ import annotations

import json
import threading
import time

from lastmile_runtime.adapters import aws_runtime_api
from lastmile_sls.check.aws.runtime_api import RuntimeApi


def test_when_the_function_first_asked_is_known() -> None:
    with RuntimeApi(timeout_s=5) as server:
        assert server.asked_at is None
        before = time.perf_counter()
        id_ = server.send({"a": 1})
        api = aws_runtime_api.RuntimeApi(server.address)
        invocation = api.next()
        asked_at = server.asked_at
        assert asked_at is not None
        assert before < asked_at < time.perf_counter()
        assert abs(invocation.deadline_ms - (time.time() + 5) * 1000) < 2000
        assert api.respond(id_, b"no json") == 202
        assert server.outcome(id_).document == "no json"
        server.send({})
        api.next()
        assert server.asked_at == asked_at


def test_an_outcome_of_an_unknown_event_is_passed_over() -> None:
    with RuntimeApi() as server:
        api = aws_runtime_api.RuntimeApi(server.address)
        assert api.respond("none", json.dumps({}).encode()) == 202
        assert api.fail_start(b'{"errorMessage": "no"}', "Function.Error") == 202
        assert server.start.get(timeout=5).document == {"errorMessage": "no"}


def test_a_function_that_waits_for_an_event_is_let_go_at_the_end() -> None:
    failures: list[OSError] = []

    def wait(address: str) -> None:
        try:
            aws_runtime_api.RuntimeApi(address).next()
        except OSError as error:
            failures.append(error)

    with RuntimeApi() as server:
        waiting = [threading.Thread(target=wait, args=(server.address,)) for _ in range(2)]
        for thread in waiting:
            thread.start()
        assert server.asking.wait(5)
        deadline = time.monotonic() + 5
        while server.connections < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    for thread in waiting:
        thread.join(5)
    assert not any(thread.is_alive() for thread in waiting)
    assert len(failures) == 2
