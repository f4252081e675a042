"""Requests that are answered later, while their workers and their host are killed again and again.

Every job that was accepted is answered, once, with its own answer: on this machine, and on SQS, which moto keeps.
LASTMILE_JOBS says of how many jobs; 10 000 take some minutes.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lastmile_sls.local import supervise
from lastmile_sls.local.queue import Counts
from lastmile_sls.local.resources import route
from lastmile_sls.local.status import read_status
from tests.conformance.aws.account import Account
from tests.conformance.aws.jobs import Aws, ask, body, doubled
from tests.conformance.emulators import aws_services
from tests.conformance.event_sources import Environment, going_on
from tests.lastmile_runtime.bundles import matrix
from tests.lastmile_sls.local.conftest import KEY, World, wait_until
from tests.lastmile_sls.local.later import INFER, Later
from tests.ports import free_port

JOBS = int(os.environ.get("LASTMILE_JOBS", "3000"))
JOBS_WITH_A_KILLED_HOST = 1_000
JOBS_ON_SQS = int(os.environ.get("LASTMILE_JOBS", "200"))
GATEWAYS, WORKERS, VISIBLE_S = 2, 3, 5
MOST_WAITING = 150
"""moto looks at all messages each time that one is received, so that a long queue would be its test, and not ours."""
KILL_EVERY = 20
"""A worker is killed whenever so many more messages were worked on."""
CLIENTS = 16
PATIENCE_S = 120.0
AGAIN = {202, 409, 502, 503, 504}
ATTEMPTS = 100
"""A killed worker takes the attempts of all that it had in hand, and this is about lost jobs, not about failed ones."""

pytestmark = pytest.mark.conformance


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Later]:
    monkeypatch.setattr(route, "FIRST_PORT", free_port())
    world = World(tmp_path)
    try:
        yield Later(world, attempts=ATTEMPTS).serve(concurrency=8, maxInstances=2)
    finally:
        world.end()


class Client:
    """Asks over one connection, and again when what answered was killed."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(self._address, timeout=60)

    def ask(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str]
    ) -> tuple[int, http.client.HTTPMessage, bytes] | None:
        """Return status, headers and body; None when the connection broke."""
        try:
            self._connection.request(method, path, content, {"x-api-key": KEY, **headers})
            response = self._connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None

    def accept(self, number: int) -> str:
        """Have a job accepted, with its number as its value and its key; return its location."""
        content = json.dumps({"inputs": [matrix([[number, 0]])]}).encode()
        headers = {"prefer": "respond-async", "idempotency-key": f"job-{number}"}
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            answer = self.ask("POST", INFER, content, headers)
            if answer and answer[0] == 202:
                return str(answer[1]["location"])
            assert answer is None or answer[0] in AGAIN, answer
            time.sleep(0.05)
        raise AssertionError(f"job {number} was not accepted")

    def answer(self, location: str) -> float:
        """Return the value that a job was answered with."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            answer = self.ask("GET", location, None, {})
            if answer and answer[0] == 200:
                return float(json.loads(answer[2])["outputs"][0]["data"][0])
            assert answer is None or answer[0] in AGAIN, answer
            time.sleep(0.05)
        raise AssertionError(f"{location} was not answered")


class Crowd:
    """Clients that ask at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._own = threading.local()
        self.progress = 0
        """Requests accepted and answers collected."""

    def ask_for_all(self, count: int) -> tuple[list[str], list[float]]:
        """Have so many jobs accepted, then collect their answers; return locations and answers by number."""
        with ThreadPoolExecutor(CLIENTS) as workers:
            locations = list(workers.map(self._accept, range(count)))
            return locations, list(workers.map(self._answer, locations))

    def _accept(self, number: int) -> str:
        location = self._client().accept(number)
        self.progress += 1
        return location

    def _answer(self, location: str) -> float:
        value = self._client().answer(location)
        self.progress += 1
        return value

    def _client(self) -> Client:
        if not hasattr(self._own, "client"):
            self._own.client = Client(self._url)
        found: Client = self._own.client
        return found

    @contextlib.contextmanager
    def disturbed(self, disturb: Callable[[], bool], every: int) -> Iterator[Counter[str]]:
        """Do something after each so many steps of progress; how often it did something is under `done`."""
        counted: Counter[str] = Counter()
        ended = threading.Event()

        def run() -> None:
            then = every
            while not ended.wait(0.05):
                if self.progress >= then and disturb():
                    counted["done"] += 1
                    then = self.progress + every

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield counted
        finally:
            ended.set()
            thread.join()


def check_all_answered_once(later: Later, locations: list[str], answers: list[float]) -> None:
    count = len(locations)
    assert answers == [2.0 * number for number in range(count)]
    assert len(set(locations)) == count
    wait_until(lambda: read_status(later.world.place()).queues["jobs"] == Counts(0, 0, 0), 60)
    names = [path.name for path in later.jobs.iterdir() if not path.name.startswith(".")]
    assert len(names) == 2 * count
    finished = Counter(job_events(later))
    assert set(finished.values()) == {1}
    # A worker that is killed between an answer and its line in the log leaves none.
    assert len(finished) > 0.95 * count


def job_events(later: Later) -> Iterator[str]:
    """Return the jobs that the log says were finished, each as often as it says so."""
    for log in later.world.place().logs.glob("predict.log*"):
        for line in log.read_text(encoding="utf-8").splitlines():
            event = json.loads(line[line.index("{") :]) if '"job_status"' in line else {}
            if event.get("status") == 204:
                yield event["job"]


def test_every_job_is_answered_once_while_workers_are_killed(later: Later) -> None:
    place = later.world.place()
    choose = random.Random(7)

    def kill_one() -> bool:
        live = supervise.ask(place, "status") or {"functions": {}}
        pids = [i["pid"] for function in live["functions"].values() for i in function["instances"]]
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(choose.choice(pids), signal.SIGKILL)
        return bool(pids)

    crowd = Crowd(later.url)
    with crowd.disturbed(kill_one, 100) as kills:
        locations, answers = crowd.ask_for_all(JOBS)
    check_all_answered_once(later, locations, answers)
    assert kills["done"] > 20


def test_every_job_is_answered_once_while_the_host_is_killed(later: Later) -> None:
    place = later.world.place()

    def kill_host() -> bool:
        os.kill(later.world.host_pid(), signal.SIGKILL)
        wait_until(lambda: not supervise.is_running(place))
        supervise.ensure(place)
        return True

    crowd = Crowd(later.url)
    with crowd.disturbed(kill_host, 250) as kills:
        locations, answers = crowd.ask_for_all(JOBS_WITH_A_KILLED_HOST)
    check_all_answered_once(later, locations, answers)
    assert kills["done"] > 2


def test_on_sqs_every_job_is_answered_once_while_workers_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with aws_services() as endpoint:
        account = Account(endpoint)
        for name, value in account.environment().items():
            monkeypatch.setenv(name, value)
        aws = Aws(tmp_path, account, attempts=ATTEMPTS, visible_s=VISIBLE_S)
        try:
            check_on_sqs(aws)
        finally:
            aws.end()


def check_on_sqs(aws: Aws) -> None:
    gateways = [aws.environment() for _ in range(GATEWAYS)]
    workers = [aws.environment() for _ in range(WORKERS)]
    choose, started = random.Random(7), time.monotonic()
    view = aws.view()
    accepted, kills = Counter[str](), Counter[str]()
    sources = [aws.source(worker) for worker in workers]

    def kill_one() -> None:
        time.sleep(choose.uniform(0.01, 0.1))
        if sum(source.done for source in sources) >= KILL_EVERY * (1 + kills["done"]):
            kills["done"] += choose.choice(workers).kill()

    def accept_next(gateway: Environment, number: int) -> str:
        wait_until(lambda: number - sum(source.done for source in sources) < MOST_WAITING, PATIENCE_S)
        return accept_one(gateway, number)

    with going_on(*(source.step for source in sources), kill_one):
        locations = shared_out(gateways, range(JOBS_ON_SQS), accept_next)
        accepted.update(locations)
        deadline = time.monotonic() + PATIENCE_S + JOBS_ON_SQS
        while (status := view.status()).waiting or status.in_flight:
            assert time.monotonic() < deadline, status
            time.sleep(0.5)
    took_s = time.monotonic() - started
    answers = shared_out(
        gateways, locations, lambda gateway, location: doubled(ask(gateway, "GET", location))
    )
    assert answers == [2.0 * number for number in range(JOBS_ON_SQS)]
    assert set(accepted.values()) == {1}
    assert view.status().dead == 0
    names = [entry["Key"] for entry in aws.account.pages("s3", "list_objects_v2", "Contents", Bucket="state")]
    assert len(names) == 2 * JOBS_ON_SQS
    finished = Counter(
        event["job"] for worker in workers for event in events_of(worker) if "job_status" in event
    )
    assert set(finished.values()) == {1}
    # A worker that is killed between an answer and its line in the log leaves none.
    assert len(finished) > 0.95 * JOBS_ON_SQS
    assert kills["done"] >= JOBS_ON_SQS // KILL_EVERY - WORKERS
    print(
        f"{JOBS_ON_SQS} jobs on SQS in {took_s:.0f} s, {kills['done']} workers killed, {len(finished)} in the log"
    )


def accept_one(gateway: Environment, number: int) -> str:
    answer = ask(gateway, "POST", INFER, body(number), prefer="respond-async")
    assert answer["statusCode"] == 202, answer
    return str(answer["headers"]["location"])


def shared_out(gateways: list[Environment], work: Any, do: Callable[[Environment, Any], Any]) -> list[Any]:
    """Return what comes of each piece of work, in order; each gateway does one at a time, as Lambda has it."""
    free: queue.SimpleQueue[Environment] = queue.SimpleQueue()
    for gateway in gateways:
        free.put(gateway)

    def one(piece: Any) -> Any:
        gateway = free.get()
        try:
            return do(gateway, piece)
        finally:
            free.put(gateway)

    with ThreadPoolExecutor(len(gateways)) as threads:
        return list(threads.map(one, work))


def events_of(worker: Environment) -> Iterator[dict[str, Any]]:
    """Return what a worker's processes wrote; a killed one's last line may be cut off."""
    for line in worker.end():
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and event.get("status") == 204:
                yield event
