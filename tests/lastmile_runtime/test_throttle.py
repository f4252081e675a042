"""A throttled deployment: what is refused, what never is, and that all others pay nothing for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.application import Application
from lastmile_runtime.errors import BundleError, RequestError
from lastmile_runtime.http import AcceptedRequest, Request
from lastmile_runtime.manifest import Bundle
from lastmile_runtime.routing import FixedRouting
from lastmile_runtime.tensors import Tensor
from lastmile_runtime.throttle import Throttle
from tests.lastmile_runtime.bundles import MODEL, Client, matrix, python_bundle, routing
from tests.lastmile_runtime.test_jobs import World
from tests.lastmile_runtime.test_routing import World as Routes

BODY = {"inputs": [matrix([[1, 2]])]}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def admitted(throttle: Throttle, count: int) -> int:
    """How many of so many requests at once are let through."""
    through = 0
    for _ in range(count):
        try:
            throttle.admit()
        except RequestError:
            continue
        through += 1
    return through


def test_a_second_s_worth_is_let_through_at_once_and_then_the_rate() -> None:
    clock = Clock()
    throttle = Throttle({"requests_per_s": 5}, clock)
    assert admitted(throttle, 20) == 5
    clock.now += 0.4
    assert admitted(throttle, 20) == 2
    clock.now += 3600  # a process that was frozen has saved nothing up
    assert admitted(throttle, 20) == 5
    clock.now -= 50  # and one whose clock went back is not locked out
    assert admitted(throttle, 1) == 0
    clock.now += 1
    assert admitted(throttle, 20) == 5


def test_whoever_is_refused_is_told_when_to_come_again() -> None:
    clock = Clock()
    throttle = Throttle({"requests_per_s": 0.1}, clock)
    throttle.admit()
    clock.now += 2.5
    with pytest.raises(RequestError) as refused:
        throttle.admit()
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "8"})
    assert refused.value.message == (
        "this deployment is throttled to 0.1 requests a second of each instance; try again in 8 s."
    )


@pytest.mark.parametrize(
    "member", [5, {}, {"requests_per_s": 0}, {"requests_per_s": True}, {"requests_per_s": "5"}]
)
def test_a_throttle_that_says_nothing_is_refused(member: Any) -> None:
    with pytest.raises(BundleError) as refused:
        FixedRouting({**routing(), "throttle": member}, ["v1"])
    assert str(refused.value) == (
        f"routing.throttle is {member!r}, but must have requests_per_s, 0.001 to 1e+06."
    )


def test_predictions_are_refused_and_whoever_looks_after_them_is_not(tmp_path: Path) -> None:
    client = Client(tmp_path, python_bundle(tmp_path), {**routing(), "throttle": {"requests_per_s": 0.001}})
    assert client.infer(BODY).status == 200
    refused = client.infer(BODY)
    assert (refused.status, int(refused.headers["retry-after"])) == (429, 1000)
    assert json.loads(refused.body)["error"].startswith("this deployment is throttled to 0.001 requests")
    assert refused.facts["error"] == json.loads(refused.body)["error"]
    other = client.infer({"inputs": [[1, 2]]}, "/invocations")
    assert (other.status, other.headers["retry-after"]) == (429, "1000")
    for path in ("/v2/health/ready", f"/v2/models/{MODEL}", "/ping", f"/v2/models/{MODEL}/stats"):
        assert client.get(path).status == 200


def test_what_was_accepted_is_done_and_nothing_new_is_accepted(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.accept().status == 202
    throttled = {**routing(), "throttle": {"requests_per_s": 0.001}}
    bundle = Bundle(str(tmp_path / "bundle"), python_bundle(tmp_path / "bundle"))
    world.application = Application(bundle, FixedRouting(throttled, ["v1"]), lambda: 0, jobs=world.jobs)
    assert world.accept().status == 202  # the one that the bucket has
    assert world.accept().status == 429
    for message in world.queue.messages:
        assert world.deliver(message=message).facts["job_status"] == 200
    service = world.application.service
    rows = [Tensor("x", "FP64", [1, 2], [1.0, 2.0])]
    assert service.predict(AcceptedRequest("POST", "/invocations"), rows).version == "v1"
    with pytest.raises(RequestError):
        service.predict(Request("POST", "/invocations"), rows)


def test_a_document_that_comes_and_goes_is_followed() -> None:
    world = Routes()
    assert world.live.current().throttle is None
    world.store.write({**routing(v1=5000, v2=5000), "max_age_s": 5, "throttle": {"requests_per_s": 2}})
    world.now += 6
    first = world.live.current().throttle
    assert first is not None
    assert first.requests_per_s == 2
    world.now += 6
    assert world.live.current().throttle is first  # read again, unchanged: nobody gets a second bucket
    world.store.write({**routing(v1=5000, v2=5000), "throttle": None})
    world.now += 6
    assert world.live.current().throttle is None


def test_without_a_throttle_nothing_of_it_is_even_imported(tmp_path: Path) -> None:
    digest = python_bundle(tmp_path)
    code = (
        "import sys; from tests.lastmile_runtime.bundles import Client, matrix; from pathlib import Path;"
        f"answer = Client(Path({str(tmp_path)!r}), {digest!r}).infer({BODY!r});"
        "print(answer.status, 'lastmile_runtime.throttle' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["200", "False"]
