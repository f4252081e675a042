"""The main job on both engines: from a spec to predictions over HTTP, through changes, crashes and the end."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.lastmile_sls.commands import INFERENCE, Answer, Workspace, ask

ENGINES = ["embedded", pytest.param("pulumi", marks=pytest.mark.pulumi_cli)]


@pytest.mark.parametrize("engine", ENGINES)
def test_life_of_a_deployment(work: Workspace, engine: str) -> None:
    choice = ("--engine", engine)
    preview = work.json("preview", *choice)
    assert preview["changes"] == {"create": 7}
    assert not (work.home / "local").exists()

    up = work.json("up", *choice)
    assert up["changes"] == {"create": 7}
    assert up["outputs"]["key"] == "[secret]"
    assert up["outputs"]["url"] == work.run("url").stdout.strip()

    answer = work.predict()
    assert answer.status == 200
    assert answer.document["outputs"] == [
        {"name": "doubled", "shape": [1, 2], "datatype": "FP64", "data": [2, 5.0]}
    ]
    assert answer.headers["x-model-version"] == "v1"
    assert work.predict({"x-model-version": "v2"}).document["outputs"][0]["data"] == [3, 7.5]
    assert ask(work.run("url").stdout.strip() + "/v2/health/live", {}, None).status == 401

    again = work.json("up", *choice)
    assert again["changes"] == {"same": 7}

    work.write_spec(resources={"memory_mb": 700})
    preview = work.json("preview", *choice)
    assert preview["changes"] == {"update": 1, "same": 6}
    changed = [step for step in preview["steps"] if step["operation"] == "update"]
    assert [(step["name"], step["changed"]) for step in changed] == [("doubler-dev-predict", ["memoryMb"])]
    assert work.json("up", *choice)["changes"] == {"update": 1, "same": 6}
    assert work.predict().status == 200

    assert work.json("destroy", "--yes", *choice)["changes"] == {"delete": 7}
    assert "doubler-dev is not deployed on this machine" in work.fails("url")
    assert "nothing to destroy" in work.fails("destroy", "--yes", *choice)


@pytest.mark.parametrize("engine", ENGINES)
def test_up_brings_a_killed_host_back(work: Workspace, engine: str) -> None:
    work.run("up", "--engine", engine)
    before, key = work.json("status"), work.run("key").stdout
    os.kill(before["host_pid"], signal.SIGKILL)
    wait_for_end(before["host_pid"])
    status = work.run("status", check=False)
    assert status.returncode == 1
    assert "not running: run `lastmile up` to bring it back" in status.stdout
    assert work.json("up", "--engine", engine)["changes"] == {"update": 1, "same": 6}
    after = work.json("status")
    assert after["running"]
    assert (after["url"], work.run("key").stdout) == (before["url"], key)
    assert work.predict().status == 200


def test_the_request_after_a_killed_function_is_answered(work: Workspace) -> None:
    work.run("up")
    work.predict()
    (instance,) = work.json("status")["functions"][0]["instances"]
    os.kill(instance["pid"], signal.SIGKILL)
    assert work.predict().status == 200
    function = work.json("status")["functions"][0]
    assert function["instances"][0]["pid"] != instance["pid"]
    assert function["restarts"] == 1


def test_an_idle_function_is_gone_and_comes_back(work: Workspace) -> None:
    work.write_spec(targets={"local": {"port": work.port, "idle_timeout_s": 1}})
    work.run("up")
    work.predict()
    deadline = time.monotonic() + 20
    while work.json("status")["functions"][0]["instances"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "no process: the next request starts one" in work.run("status").stdout
    assert work.predict().status == 200


@pytest.mark.parametrize("engine", ENGINES)
def test_the_weights_of_the_spec_are_the_weights_of_the_traffic(work: Workspace, engine: str) -> None:
    work.write_spec(
        traffic={"champion": "v1", "weights": {"v1": 50, "v2": 50}, "sticky": {"header": "x-user"}}
    )
    work.run("up", "--engine", engine)
    url, key = work.run("url").stdout.strip(), work.run("key").stdout.strip()
    seen: dict[str, str] = {}
    for user in [f"user-{n}" for n in range(40)] * 2:
        headers = {"x-api-key": key, "x-user": user}
        answer = ask(f"{url}/v2/models/doubler/infer", headers, INFERENCE)
        assert answer.headers["x-model-route"].startswith("rule=sticky; bucket=")
        assert seen.setdefault(user, answer.headers["x-model-version"]) == answer.headers["x-model-version"]
    # 40 fair coins show the same side 31 times or more in one of 1 000 runs; the salt is fixed, so this is one run.
    assert 9 <= sum(version == "v2" for version in seen.values()) <= 31


@pytest.mark.pulumi_cli
def test_each_engine_recognises_the_others_stack_and_takes_it_over(work: Workspace) -> None:
    work.run("up")
    key = work.run("key").stdout
    told = work.fails("up", "--engine", "pulumi")
    assert "the stack dev-local of doubler was made by the embedded engine" in told
    assert "--engine pulumi --take-over" in told
    assert work.json("up", "--engine", "pulumi", "--take-over")["changes"] == {"same": 7}
    assert work.json("status")["engine"] == "pulumi"
    assert "was made by the pulumi engine" in work.fails("up")
    assert work.json("up", "--engine", "embedded", "--take-over")["changes"] == {"same": 7}
    assert (work.json("status")["engine"], work.run("key").stdout) == ("embedded", key)
    assert work.predict().status == 200


def test_a_stack_of_another_project_is_left_alone(work: Workspace, tmp_path: Path) -> None:
    work.run("up")
    records = list((work.home / "local" / "doubler-dev" / "resources").glob("*/*.json"))
    for path in records:
        path.write_text(path.read_text().replace("urn:pulumi:dev-local::doubler", "urn:pulumi:x::other"))
    (work.home / "stacks" / "doubler" / "dev-local.json").unlink()
    told = work.fails("up")
    assert "of doubler-dev belongs to another stack (urn:pulumi:x::other::" in told
    assert "Destroy it there first" in told
    assert not (work.home / "stacks" / "doubler" / "dev-local.json").exists()


def test_an_ejected_project_runs_its_own_components(work: Workspace) -> None:
    work.run("build", "--eject", "--output", "mine")
    component = work.folder / "mine" / "lastmile_infra" / "deployment.py"
    component.write_text(component.read_text().replace('pulumi.export("url"', 'pulumi.export("address"'))
    told = work.fails("build", "--eject", "--output", "mine")
    assert "lastmile_infra is there already, and may hold changes of yours" in told
    plan = json.loads((work.folder / "mine" / "plan.json").read_text())
    assert plan["functions"][0]["bundle"]["path"] == "bundles/predict"


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.pulumi_cli
def test_a_take_over_that_was_interrupted_is_finished(work: Workspace) -> None:
    work.run("up")
    state = work.home / "stacks" / "doubler" / "dev-local.json"
    kept = state.read_bytes()
    work.run("up", "--engine", "pulumi", "--take-over")
    assert not state.exists()
    state.write_bytes(kept)  # as if the run had died before the embedded engine let go of the stack
    assert work.json("up", "--engine", "pulumi", "--take-over")["changes"] == {"same": 7}
    assert not state.exists()
    assert work.json("status")["engine"] == "pulumi"


def test_traffic_moves_in_a_running_deployment_and_back(work: Workspace) -> None:
    work.write_spec(traffic={"champion": "v1", "max_age_s": 0.2})
    work.run("up")
    assert work.predict().headers["x-model-route"] == "rule=only"
    before = work.json("status")["functions"][0]["instances"]
    record = work.json("traffic", "set", "v2=100", "--reason", "trial")
    assert (record["revision"], record["reason"], record["to"]["weights"]) == (
        1,
        "trial",
        {"v1": 0, "v2": 10_000},
    )
    wait_for_version(work, "v2")
    work.run("traffic", "rollback")
    wait_for_version(work, "v1")
    work.run("traffic", "promote", "v2")
    wait_for_version(work, "v2")
    assert work.json("status")["functions"][0]["instances"][0]["pid"] == before[0]["pid"]
    assert work.json("status")["functions"][0]["weights"] == {"v1": 0, "v2": 100}
    assert [entry["action"] for entry in work.json("traffic", "history")] == [
        "set v2=100",
        "rollback to revision 0",
        "promote v2",
    ]
    assert work.json("up")["changes"] == {"same": 7}  # Pulumi never touches it again
    assert work.predict().headers["x-model-version"] == "v2"


def test_traffic_to_a_version_that_is_not_deployed_is_refused_and_so_is_dropping_one_that_has_some(
    work: Workspace,
) -> None:
    work.run("up")
    told = work.fails("traffic", "set", "v3=10")
    assert "version 'v3' is not deployed; the versions are v1, v2." in told
    work.run("traffic", "set", "v2=30")
    work.write_spec(
        versions=[{"id": "v1", "artifact": "doubler.py", "framework": "python", "entry": "Doubler"}]
    )
    told = work.fails("up")
    assert "the spec drops the version v2, but the live traffic goes to it: v1 70 %, v2 30 %." in told
    work.run("traffic", "set", "v2=0")
    assert work.json("up")["changes"]["delete"] == 2
    assert work.predict().headers["x-model-version"] == "v1"
    assert "has one version, so there is no traffic to move" in work.fails("traffic", "show")


def test_a_shadow_sees_requests_and_its_comparison_is_in_the_log(work: Workspace) -> None:
    work.write_spec(traffic={"champion": "v1", "shadows": [{"version": "v2"}]})
    work.run("up")
    assert work.predict().headers["x-model-version"] == "v1"
    deadline = time.monotonic() + 20
    while '"event": "shadow"' not in (log := work.run("logs").stdout):
        assert time.monotonic() < deadline
    (line,) = [line for line in log.splitlines() if '"event": "shadow"' in line]
    event = json.loads(line[line.index("{") :])
    assert (event["version"], event["answered_by"], event["agree"]) == ("v2", "v1", False)
    assert event["largest_difference"] == 2.5


def test_a_request_that_is_answered_later(work: Workspace) -> None:
    work.write_spec(queue={"max_attempts": 2})
    work.run("up")
    headers = {"prefer": "respond-async", "idempotency-key": "order-1"}
    accepted = work.predict(headers)
    assert (accepted.status, accepted.document["status"]) == (202, "queued")
    again = work.predict(headers)
    assert (again.status, again.headers["location"]) == (202, accepted.headers["location"])
    url, key = work.run("url").stdout.strip(), work.run("key").stdout.strip()
    answer = wait_for_job(f"{url}{accepted.headers['location']}", key)
    assert answer.document["outputs"][0]["data"] == [2, 5.0]
    assert answer.headers["x-model-version"] == "v1"
    other = {"inputs": [{**INFERENCE["inputs"][0], "data": [7, 8]}]}
    refused = ask(f"{url}/v2/models/doubler/infer", {"x-api-key": key, **headers}, other)
    assert (refused.status, refused.document["error"]) == (
        422,
        "idempotency-key was used before with another payload; use a new key.",
    )
    assert ask(f"{url}/jobs/{'0' * 32}", {"x-api-key": key}, None).status == 404
    assert ask(f"{url}/_lastmile/queue", {"x-api-key": key}, {}).status == 404
    assert work.json("status")["queues"] == {"jobs": {"waiting": 0, "leased": 0, "dead": 0}}


def test_a_job_that_fails_is_answered_with_its_error(work: Workspace) -> None:
    (work.folder / "doubler.py").write_text(
        "class Doubler:\n    def predict(self, inputs):\n        raise ZeroDivisionError('broken')\n"
    )
    work.write_spec(queue={"max_attempts": 2})
    work.run("up")
    accepted = work.predict({"prefer": "respond-async"})
    url, key = work.run("url").stdout.strip(), work.run("key").stdout.strip()
    answer = wait_for_job(f"{url}{accepted.headers['location']}", key)
    assert (answer.status, answer.headers["x-job-attempts"]) == (500, "2")
    assert answer.document["error"] == "version 'v1' failed on this request: ZeroDivisionError: broken"
    assert work.json("queue", "redrive") == {"queue": "jobs", "redriven": 1}
    assert "no queue" in work.fails("queue", "redrive", "other")


def test_two_keys_are_valid_while_one_is_replaced(work: Workspace) -> None:
    work.run("up")
    url, old = work.run("url").stdout.strip(), work.run("key").stdout.strip()
    work.write_spec(endpoint={"keys": ["key", "key-2"]})
    work.run("up")
    new = work.run("key", "--name", "key-2").stdout.strip()
    assert old != new
    live = f"{url}/v2/health/live"
    assert [ask(live, {"x-api-key": key}, None).status for key in (old, new)] == [200, 200]
    work.write_spec(endpoint={"keys": ["key-2"]})
    work.run("up")
    assert [ask(live, {"x-api-key": key}, None).status for key in (old, new)] == [401, 200]


def wait_for_version(work: Workspace, version: str) -> None:
    deadline = time.monotonic() + 20
    while work.predict().headers["x-model-version"] != version:
        assert time.monotonic() < deadline


def wait_for_job(url: str, key: str) -> Answer:
    deadline = time.monotonic() + 30
    while (answer := ask(url, {"x-api-key": key}, None)).status == 202:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer
