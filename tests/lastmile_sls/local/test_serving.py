"""The cloud as its users meet it: real processes, sockets and crashes."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import supervise
from lastmile_sls.local.status import read_status
from tests.lastmile_sls.local.conftest import KEY, World, get, wait_until, write_bundle
from tests.ports import free_port


def pid_of(url: str) -> int:
    return int(get(url).json()["pid"])


def test_a_request_reaches_the_function_whole_but_for_the_key(world: World) -> None:
    url = world.serve(environment={"MODE": "test"})
    response = get(url, "/v2/a%20b?x=1", method="POST", content=b"abc", headers={"traceparent": "00-1-2-01"})
    seen = response.json()
    assert (response.status_code, response.headers["x-model-version"]) == (200, "v1")
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", "/v2/a%20b?x=1", "abc")
    assert seen["headers"]["traceparent"] == "00-1-2-01"
    assert seen["headers"]["x-request-id"] == response.headers["x-request-id"]
    assert "x-api-key" not in seen["headers"]
    names = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "MODE", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    foreign = {n for n in seen["environment"] if not n.startswith("LASTMILE_")} - names
    assert foreign == set()
    assert seen["environment"]["LASTMILE_FUNCTION"] == "predict"
    assert get(url, headers={"x-request-id": "mine"}).headers["x-request-id"] == "mine"


def test_a_killed_function_is_replaced_by_the_next_request(world: World) -> None:
    url = world.serve()
    first = pid_of(url)
    os.kill(first, signal.SIGKILL)
    assert pid_of(url) != first


def test_a_killed_host_comes_back_with_port_and_key(world: World) -> None:
    key = world.apply("key", "access")
    url = world.serve()
    instance = pid_of(url)
    os.kill(world.host_pid(), signal.SIGKILL)
    wait_until(lambda: not supervise.is_running(world.place()))
    assert world.cloud.drifted("demo-dev/route/endpoint") == ["host"]
    status = read_status(world.place())
    assert (status.running, status.url, status.host_pid) == (False, url, None)
    wait_until(lambda: not psutil.pid_exists(instance) or psutil.Process(instance).status() == "zombie")
    supervise.ensure(world.place())
    assert get(url).status_code == 200
    assert world.apply("key", "access") == key


def test_a_host_of_another_version_is_replaced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    url = world.serve()
    before = world.host_pid()
    assert supervise.is_current(world.place())
    monkeypatch.setattr(supervise, "__version__", "9.9.9")
    assert world.cloud.drifted("demo-dev/route/endpoint") == ["host"]
    supervise.ensure(world.place())
    assert world.host_pid() != before
    assert get(url).status_code == 200


def test_an_idle_function_ends_and_the_next_request_starts_it(world: World) -> None:
    url = world.serve(idleTimeoutS=1)
    first = pid_of(url)
    wait_until(lambda: read_status(world.place()).functions[0].instances == ())
    assert pid_of(url) != first
    assert read_status(world.place()).functions[0].restarts == 0


def test_kept_warm_instances_stay_and_come_back(world: World) -> None:
    world.serve(idleTimeoutS=1, minInstances=1)
    (instance,) = read_status(world.place()).functions[0].instances
    time.sleep(2.5)
    assert read_status(world.place()).functions[0].instances[0].pid == instance.pid
    os.kill(instance.pid, signal.SIGKILL)
    wait_until(
        lambda: [i.pid for i in read_status(world.place()).functions[0].instances] not in ([], [instance.pid])
    )


def test_a_reload_under_load_loses_no_request(world: World) -> None:
    url = world.serve(concurrency=2)
    statuses: list[int] = []
    done = threading.Event()

    def load() -> None:
        with httpx.Client(headers={"x-api-key": KEY}, timeout=20) as client:
            while not done.is_set():
                statuses.append(client.get(f"{url}/echo?sleep=0.01").status_code)

    with ThreadPoolExecutor(6) as workers:
        loads = [workers.submit(load) for _ in range(6)]
        for memory in (300, 301, 302):
            time.sleep(0.4)
            world.function(memoryMb=memory, concurrency=2)
        time.sleep(0.4)
        done.set()
        for each in loads:
            each.result()
    assert set(statuses) == {200}
    assert len(statuses) > 50


def test_concurrency_and_max_instances_bound_what_runs_at_once(world: World) -> None:
    url = world.serve(concurrency=2, maxInstances=2)
    with ThreadPoolExecutor(8) as workers:
        answers = list(workers.map(lambda _: get(url, "/echo?sleep=0.5"), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["pid"] for answer in answers}) == 2


def test_a_request_waits_for_a_place_only_so_long(world: World) -> None:
    url = world.serve(concurrency=1, maxInstances=1, timeoutS=1)
    with ThreadPoolExecutor(3) as workers:
        answers = list(workers.map(lambda _: get(url, "/v2/x?sleep=0.9"), range(3)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json() == {
        "error": "all 1 places were busy for 1 s (resources.max_instances x resources.concurrency)."
    }


def test_a_function_that_outgrows_its_memory_is_killed(world: World) -> None:
    url = world.serve(memoryMb=64)
    response = get(url, "/allocate?mb=100")
    assert response.status_code == 502
    detail = response.json()["detail"]
    assert detail.startswith("the function's process ended before it answered: it used 1")
    assert detail.endswith(" MB, but resources.memory_mb is 64.")
    assert "resources.memory_mb is 64" in (world.place().logs / "predict.log").read_text()
    assert get(url).status_code == 200


def test_a_slow_request_is_given_up_and_its_instance_retired(world: World) -> None:
    url = world.serve(timeoutS=1)
    first = pid_of(url)
    response = get(url, "/echo?sleep=3")
    assert (response.status_code, response.headers["content-type"]) == (504, "application/problem+json")
    assert response.json() == {
        "type": "about:blank", "title": "Gateway Timeout", "status": 504,
        "detail": "the function did not answer within resources.timeout_s, which is 1 s.",
    }  # fmt: skip
    assert pid_of(url) != first


def test_a_process_that_ends_or_hangs_up_is_explained(world: World) -> None:
    url = world.serve()
    ended = get(url, "/exit")
    assert (ended.status_code, ended.json()["detail"]) == (
        502, "the function's process ended before it answered. It said last: out of luck",
    )  # fmt: skip
    hung_up = get(url, "/hang-up")
    assert (hung_up.status_code, hung_up.json()["detail"]) == (
        502, "the function's process broke the connection off without an answer.",
    )  # fmt: skip
    assert get(url).status_code == 200


def test_a_function_that_cannot_start_is_not_started_over_and_over(world: World) -> None:
    url = world.serve(environment={"FAKE_CRASH": "1"})
    details = [get(url).json()["detail"] for _ in range(12)]
    started = "the function's process ended before it answered. It said last: no model here"
    left_alone = "the function does not start: no model here"
    assert set(details) == {started, left_alone}
    assert details[0] == started
    assert read_status(world.place()).functions[0].restarts < 12
    world.function()
    assert get(url).status_code == 200


def test_without_the_right_key_nothing_is_let_in(world: World) -> None:
    url = world.serve()
    detail = "send a valid API key in the header x-api-key (lastmile key prints it)."
    for key in (None, "", "wrong"):
        assert (get(url, "/v2/health/live", key=key).status_code, get(url, "/v2", key=key).json()) == (
            401,
            {"error": detail},
        )
    assert get(url, key="wrong").json()["detail"] == detail
    assert read_status(world.place()).functions[0].requests == 0
    world.route(auth="public", keyDigests=[], port=int(url.rsplit(":", 1)[1]))
    assert get(url, key=None).status_code == 200


def test_cors_answers_the_browser_before_it_has_a_key(world: World) -> None:
    world.function()
    url = world.route(cors={"allowOrigins": ["https://app.example"]})
    ask = {"origin": "https://app.example", "access-control-request-method": "POST",
           "access-control-request-headers": "x-api-key"}  # fmt: skip
    preflight = get(url, method="OPTIONS", key=None, headers=ask)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (
        200,
        "https://app.example",
    )
    assert preflight.headers["access-control-allow-headers"] == "x-api-key"
    assert (
        get(url, method="OPTIONS", key=None, headers={**ask, "origin": "https://evil.example"}).status_code
        == 400
    )
    assert (
        "x-request-id"
        in get(url, headers={"origin": "https://app.example"}).headers["access-control-expose-headers"]
    )


def test_the_rate_limit_says_when_to_come_back(world: World) -> None:
    world.function()
    url = world.route(rateLimit={"requestsPerS": 0.5, "burst": 2})
    answers = [get(url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"default";q=2;w=4'
    assert answers[0].headers["ratelimit"] == '"default";r=1'
    assert answers[2].headers["retry-after"] == "2"
    assert answers[2].json()["detail"] == "this endpoint takes 0.5 requests per second; try again later."


def test_a_body_above_the_limit_is_refused(world: World) -> None:
    url = world.serve()
    response = get(url, method="POST", content=b"x" * (32 * 2**20 + 1))
    assert (response.status_code, response.json()["detail"]) == (413, "the body may have 33554432 bytes.")


def test_head_has_the_length_and_no_body(world: World) -> None:
    response = get(world.serve(), method="HEAD")
    assert (response.status_code, response.content) == (200, b"")


def test_a_port_in_use_names_who_listens_and_leaves_nothing(world: World) -> None:
    world.function()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LastmileError) as refused:
            world.route(port=port)
    assert refused.value.message.startswith(f"targets.local.port is {port}, but ")
    assert f"(pid {os.getpid()}) listens there." in refused.value.message
    assert refused.value.hint == "Stop it, or name another port: targets.local.port."
    assert world.cloud.read("demo-dev/route/endpoint") is None
    assert not supervise.is_running(world.place())


def test_two_deployments_stand_side_by_side(world: World) -> None:
    one, two = world.serve("one-dev"), world.serve("two-dev")
    assert one != two
    assert pid_of(one) != pid_of(two)
    world.cloud.delete("one-dev/route/endpoint")
    assert not supervise.is_running(world.place("one-dev"))
    assert get(two).status_code == 200


def test_the_port_is_kept_and_another_deployment_leaves_it_alone(world: World) -> None:
    world.function("one-dev")
    one = world.route("one-dev", port=None)
    supervise.stop(world.place("one-dev"))
    world.function("two-dev")
    assert world.route("two-dev", port=None) != one
    assert world.route("one-dev", port=None) == one


def test_a_kept_port_that_somebody_took_is_not_called_the_users(world: World) -> None:
    world.function()
    port = int(world.route(port=None).rpartition(":")[2])
    supervise.stop(world.place())
    with socket.create_server(("127.0.0.1", port)), pytest.raises(LastmileError) as refused:
        world.route(port=None)
    assert refused.value.message.startswith(f"the port kept for the endpoint is {port}, but ")
    assert world.route(port=None).endswith(f":{port}")


def test_a_new_bundle_replaces_the_old_one_and_its_copy(world: World) -> None:
    url = world.serve()
    before = get(url).json()["bundle"]
    world.bundle = world.bundle.with_name("second")
    world.digest = write_bundle(world.bundle, model="second")
    world.function()
    after = get(url).json()["bundle"]
    assert before != after
    wait_until(lambda: not Path(before).exists())
    assert Path(after).exists()


def test_destroying_ends_every_process_and_a_new_route_can_follow_at_once(world: World) -> None:
    url = world.serve()
    instance, host = pid_of(url), world.host_pid()
    world.cloud.delete("demo-dev/route/endpoint")
    assert not psutil.pid_exists(instance)
    wait_until(lambda: not psutil.pid_exists(host) or psutil.Process(host).status() == "zombie")
    assert get(world.route()).status_code == 200
    world.cloud.delete("demo-dev/route/endpoint")
    world.cloud.delete("demo-dev/function/predict")
    assert not (world.place().root / "functions" / "predict").exists()


def test_sigterm_answers_what_is_in_flight(world: World) -> None:
    url = world.serve()
    pid_of(url)
    with ThreadPoolExecutor(1) as workers:
        slow = workers.submit(get, url, "/echo?sleep=1")
        wait_until(lambda: any(i.in_flight for i in read_status(world.place()).functions[0].instances))
        os.kill(world.host_pid(), signal.SIGTERM)
        assert slow.result().status_code == 200
    wait_until(lambda: not supervise.is_running(world.place()))
    assert not world.place().host_file.exists()


def test_two_runs_at_once_start_one_host(world: World) -> None:
    world.function()
    url = world.route()
    supervise.stop(world.place())
    with ThreadPoolExecutor(3) as workers:
        list(workers.map(lambda _: supervise.ensure(world.place()), range(3)))
    assert get(url).status_code == 200


def test_a_host_that_cannot_serve_says_why(world: World) -> None:
    port = free_port()
    world.function()
    world.route(port=port)
    supervise.stop(world.place())
    with socket.create_server(("127.0.0.1", port)), pytest.raises(LastmileError) as refused:
        supervise.ensure(world.place())
    assert refused.value.message.startswith("the host of demo-dev did not start: ")
    assert f"port {port} cannot be served: Address already in use." in refused.value.message
    assert refused.value.hint == f"See {world.place().host_log}."


def test_status_tells_what_runs(world: World) -> None:
    world.apply("queue", "jobs", maxAttempts=3, visibilityTimeoutS=30)
    url = world.serve()
    pid = pid_of(url)
    status = read_status(world.place())
    (function,), (instance,) = status.functions, status.functions[0].instances
    assert (status.running, status.host_pid, status.url, status.auth) == (True, world.host_pid(), url, "key")
    assert (function.name, function.weights, function.requests) == ("predict", {"v1": 100.0}, 1)
    assert (instance.pid, instance.state, instance.in_flight, instance.requests) == (pid, "running", 0, 1)
    assert instance.memory_mb > 1
    counts: Any = status.queues["jobs"]
    assert (counts.waiting, counts.leased, counts.dead) == (0, 0, 0)


def test_everything_on_disk_is_for_its_owner_only(world: World) -> None:
    world.apply("key", "access")
    get(world.serve())
    supervise.stop(world.place())
    loose = [path for path in (world.cloud.home / "local").rglob("*") if path.stat().st_mode & 0o077]
    assert [path for path in loose if "__pycache__" not in path.parts] == []
