from __future__ import annotations

import json
import threading
import time
from typing import Any

from lastmile_runtime.routing import LiveRouting
from tests.lastmile_runtime.bundles import routing

VERSIONS = ["v1", "v2"]
UNREAD = "the routing document routing.json could not be read, "
DEPLOYED = {**routing(v1=5000, v2=5000), "max_age_s": 5, "deadline_s": 0.2}


class Found:
    def __init__(self, content: bytes, etag: str) -> None:
        self.content = content
        self.etag = etag


class FakeStore:
    """Holds one document; may be down, or hang."""

    def __init__(self, document: Any) -> None:
        self.write(document)
        self.down = ""
        self.hangs = threading.Event()
        self.hangs.set()
        self.reads = 0

    def write(self, document: Any) -> None:
        self.content = document if isinstance(document, bytes) else json.dumps(document).encode()

    def get(self, path: str, etag: str | None = None, deadline_s: float | None = None) -> Found | None:
        self.reads += 1
        if not self.hangs.wait(deadline_s):
            raise TimeoutError("no answer in time")
        if self.down:
            raise OSError(self.down)
        current = str(hash(self.content))
        return None if etag == current else Found(self.content, current)


class World:
    def __init__(self, document: Any = DEPLOYED) -> None:
        self.store = FakeStore(document)
        self.now = 1000.0
        self.warnings: list[str] = []
        self.live = LiveRouting(
            self.store,  # type: ignore[arg-type] # a fake that has the one method that is used
            "routing.json",
            DEPLOYED,
            VERSIONS,
            self.warnings.append,
            lambda: self.now,
        )

    def weights(self) -> dict[str, int]:
        return self.live.current().weights


def test_it_is_read_at_the_first_request_and_again_when_it_is_too_old() -> None:
    world = World()
    assert world.weights() == {"v1": 5000, "v2": 5000}
    world.store.write({**DEPLOYED, "weights": {"v1": 10_000, "v2": 0}})
    world.now += 5
    assert (world.weights()["v2"], world.store.reads) == (5000, 1)
    world.now += 0.1
    assert (world.weights()["v2"], world.store.reads) == (0, 2)
    assert world.warnings == []


def test_a_restored_process_reads_it_however_young_its_copy_is() -> None:
    world = World()
    world.weights()
    world.store.write({**DEPLOYED, "weights": {"v1": 10_000, "v2": 0}})
    world.live.expire()
    assert world.weights()["v2"] == 0


def test_while_none_was_read_the_deployed_champion_answers_alone() -> None:
    world = World()
    world.store.down = "connection refused"
    assert world.weights() == {"v1": 10_000, "v2": 0}
    assert world.live.by_default
    assert world.weights() == {"v1": 10_000, "v2": 0}
    assert world.warnings == [
        f"{UNREAD}so its champion answers alone: OSError: connection refused",
    ]
    assert world.store.reads == 1
    world.now += 1
    world.store.down = ""
    assert world.weights() == {"v1": 5000, "v2": 5000}
    assert not world.live.by_default


def test_the_last_good_one_stands_while_the_store_is_down_and_one_line_says_so() -> None:
    world = World()
    world.weights()
    world.store.down = "connection refused"
    world.now += 6
    assert [world.weights()["v2"] for _ in range(5)] == [5000] * 5
    assert world.warnings == [
        f"{UNREAD}so the last good one stands: OSError: connection refused",
    ]
    assert world.store.reads == 2
    world.now += 1
    world.weights()
    assert (world.store.reads, len(world.warnings)) == (3, 1)


def test_a_half_written_or_unfit_document_does_not_replace_a_good_one() -> None:
    world = World()
    world.weights()
    for content, reason in (
        (b'{"champion": "v1", "wei', "BundleError: it is not JSON: "),
        (json.dumps({**DEPLOYED, "champion": "v9"}).encode(), "routing names the version 'v9'"),
    ):
        world.store.write(content)
        world.now += 6
        assert world.weights()["v2"] == 5000
        assert reason in world.warnings[-1]


def test_a_store_that_does_not_answer_holds_every_request_for_about_the_deadline_only() -> None:
    world = World()
    world.weights()
    world.store.hangs.clear()
    world.now += 6
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(world.weights()["v2"])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [5000] * 20


def test_concurrent_requests_read_it_once() -> None:
    world = World()
    world.store.hangs.clear()
    threads = [threading.Thread(target=world.weights) for _ in range(20)]
    for thread in threads:
        thread.start()
    world.store.hangs.set()
    for thread in threads:
        thread.join(10)
    assert world.store.reads == 1


def test_a_process_that_keeps_running_takes_a_change_up_by_itself() -> None:
    world = World({**DEPLOYED, "max_age_s": 0.15})
    world.live = LiveRouting(
        world.store,  # type: ignore[arg-type] # a fake that has the one method that is used
        "routing.json",
        {**DEPLOYED, "max_age_s": 0.15},
        VERSIONS,
        world.warnings.append,
    )
    world.live.watch()
    world.weights()
    world.store.write({**DEPLOYED, "max_age_s": 1000, "weights": {"v1": 10_000, "v2": 0}})
    deadline = time.monotonic() + 10
    while world.live._routing.weights["v2"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert world.live._routing.weights["v2"] == 0
