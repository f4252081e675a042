"""The live document is changed by compare-and-swap, and no change is without its record."""

from __future__ import annotations

import itertools
import json
import multiprocessing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime.stores import open_store
from lastmile_sls.errors import LastmileError
from lastmile_sls.traffic.change import promote, set_throttle, set_weights
from lastmile_sls.traffic.live import Author, LiveTraffic
from tests.lastmile_sls.traffic.test_change import START, VERSIONS

ANN = Author("ann@example", "it is better")


@pytest.fixture
def live(tmp_path: Path) -> LiveTraffic:
    return open_live(tmp_path)


def open_live(folder: Path) -> LiveTraffic:
    document = folder / "routing.json"
    if not document.exists():
        document.write_text(json.dumps(START))
    return LiveTraffic(
        open_store(folder.as_uri()), "routing.json", VERSIONS, lambda: datetime(2026, 1, 2, tzinfo=UTC)
    )


def raise_to(live: LiveTraffic, weight: int, author: Author = ANN) -> dict[str, Any]:
    return live.change(f"set v2={weight}", author, lambda d: set_weights(d, {"v2": weight}, VERSIONS))


def test_a_change_is_kept_with_who_when_why_from_and_to(live: LiveTraffic) -> None:
    record = raise_to(live, 2000)
    told = {name: record[name] for name in ("revision", "when", "who", "action", "reason")}
    assert told == {
        "revision": 1,
        "when": "2026-01-02T00:00:00+00:00",
        "who": "ann@example",
        "action": "set v2=2000",
        "reason": "it is better",
    }
    assert record["from"]["weights"] == {"v1": 9000, "v2": 1000}
    assert record["to"]["weights"] == {"v1": 8000, "v2": 2000, "v3": 0}
    assert live.history() == [record]
    assert (live.read()["revision"], live.read()["changed"]) == (1, record)


def test_a_record_that_was_not_written_is_in_the_history_still_and_written_by_the_next_change(
    live: LiveTraffic, tmp_path: Path
) -> None:
    raise_to(live, 2000)
    (tmp_path / "history" / "00000001.json").unlink()  # as if the process had died in between
    assert [record["revision"] for record in live.history()] == [1]
    raise_to(live, 3000)
    assert (tmp_path / "history" / "00000001.json").exists()
    assert [record["revision"] for record in live.history()] == [1, 2]


def test_rollbacks_go_back_one_change_after_the_other(live: LiveTraffic) -> None:
    for weight in (2000, 3000, 4000):
        raise_to(live, weight)
    assert live.roll_back(ANN)["to"]["weights"]["v2"] == 3000
    assert live.roll_back(ANN)["to"]["weights"]["v2"] == 2000
    assert live.roll_back(ANN)["to"]["weights"]["v2"] == 1000
    with pytest.raises(LastmileError, match=r"^there is no revision -1 to go back to: it must be 0 to 5\.\n"):
        live.roll_back(ANN)
    assert live.roll_back(ANN, revision=3)["to"]["weights"]["v2"] == 4000
    assert [record["action"] for record in live.history()][3:] == [
        "rollback to revision 2",
        "rollback to revision 1",
        "rollback to revision 0",
        "rollback to revision 3",
    ]


def test_a_rollback_brings_champion_and_buckets_back(live: LiveTraffic) -> None:
    raise_to(live, 2000)
    before = live.read()
    live.change("promote v2", ANN, lambda document: promote(document, "v2", VERSIONS))
    live.roll_back(ANN)
    after = live.read()
    assert {k: after[k] for k in ("champion", "weights", "buckets")} == {
        k: before[k] for k in ("champion", "weights", "buckets")
    }


def test_nothing_to_go_back_to(live: LiveTraffic) -> None:
    with pytest.raises(
        LastmileError, match=r"^there is no revision -1 to go back to: nothing was changed yet\.\n"
    ):
        live.roll_back(ANN)


def test_a_change_that_changes_nothing_is_refused(live: LiveTraffic) -> None:
    raise_to(live, 2000)
    with pytest.raises(LastmileError, match=r"^nothing would change"):
        raise_to(live, 2000)
    assert live.read()["revision"] == 1


def test_whoever_comes_second_is_told_who_was_first_and_changes_nothing(
    live: LiveTraffic, tmp_path: Path
) -> None:
    def meanwhile(document: dict[str, Any]) -> dict[str, Any]:
        raise_to(open_live(tmp_path), 5000, Author("bob@example", ""))
        return set_weights(document, {"v2": 0}, VERSIONS)

    with pytest.raises(LastmileError) as lost:
        live.change("set v2=0", ANN, meanwhile)
    assert lost.value.message == (
        "the traffic was changed meanwhile by bob@example (set v2=5000); nothing was done."
    )
    assert live.read()["weights"]["v2"] == 5000


def write_many(folder: str, worker: int, results: Any) -> None:
    live, done = open_live(Path(folder)), 0
    for step in range(20):
        try:
            raise_to(live, 100 + worker * 100 + step)
        except LastmileError as error:
            assert "changed meanwhile" in error.message  # noqa: PT017
        else:
            done += 1
    results.put(done)


def test_writers_that_race_lose_no_change(tmp_path: Path) -> None:
    open_live(tmp_path)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=write_many, args=(str(tmp_path), n, results)) for n in range(3)]
    for worker in workers:
        worker.start()
    done = sum(results.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(60)
    live = open_live(tmp_path)
    assert live.read()["revision"] == done
    history = live.history()
    assert [record["revision"] for record in history] == list(range(1, done + 1))
    for earlier, later in itertools.pairwise(history):
        assert later["from"] == earlier["to"]


def test_a_document_that_is_gone_or_broken_is_told(live: LiveTraffic, tmp_path: Path) -> None:
    (tmp_path / "routing.json").write_text("{")
    with pytest.raises(LastmileError, match=r"^the routing document routing\.json cannot be used: "):
        live.read()
    (tmp_path / "routing.json").unlink()
    with pytest.raises(LastmileError, match=r"^the routing document routing\.json is gone\.\n"):
        live.read()


def test_a_step_is_named_in_the_history_and_a_rollback_lifts_a_throttle(live: LiveTraffic) -> None:
    record = live.change("throttle 5", ANN, lambda document: set_throttle(document, 5), "2026-11/throttle")
    assert (record["step"], record["to"]["throttle"]) == ("2026-11/throttle", {"requests_per_s": 5})
    assert live.read()["throttle"] == {"requests_per_s": 5}
    raise_to(live, 2000)
    live.roll_back(ANN, revision=0)
    assert live.read()["throttle"] is None
    assert "step" not in live.history()[-1]
