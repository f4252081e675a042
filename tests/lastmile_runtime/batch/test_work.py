"""A folder is looked at, and each file in it is scored once for what it holds; whatever is killed or comes twice."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest

from lastmile_runtime.batch.work import open_batch
from lastmile_runtime.errors import BundleError
from lastmile_runtime.telemetry import Log
from tests.lastmile_runtime.batch.scored import ListQueue, Scored
from tests.lastmile_runtime.bundles import routing

SMALL = 1 << 10


def table(rows: int, seed: int = 1) -> str:
    draw = random.Random(seed)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["id", "a", "b"])
    texts = ["plain", "é,", "two\nlines", '"quoted"', "", "\r\n"]
    writer.writerows(
        [f"{number} {draw.choice(texts)}", number + 100, draw.random()] for number in range(rows)
    )
    return text.getvalue()


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def predicted(text: str) -> list[list[str]]:
    """What is to come of a table: its rows with their sums."""
    header, *rows = rows_of(text)
    return [[*header, "sum"], *([id_, a, b, repr(int(a) + float(b))] for id_, a, b in rows)]


def test_every_row_comes_out_once_and_in_order_with_its_prediction(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=SMALL)
    text = table(300)
    (scored.input / "deep").mkdir()
    (scored.input / "deep" / "t.csv").write_bytes(text.encode())
    scored.look()
    parts = scored.parts("deep/t.csv")
    assert len(parts) > 5
    assert rows_of(scored.text("deep/t.csv")) == predicted(text)
    success = scored.success("deep/t.csv")
    assert success is not None
    assert {name: success[name] for name in ("rows", "predicted", "failed", "parts", "version", "digest")} == {
        "rows": 300, "predicted": 300, "failed": 0, "parts": len(parts), "version": "v1", "digest": scored.digest,
    }  # fmt: skip
    assert success["finished_at"] == "2027-01-15T08:00:00Z"
    assert scored.told("batch") == [{"level": "info", "files": 1, "begun": 1, "others": 0}]
    told = scored.told("batch part")
    assert [event["part"] for event in told] == list(range(1, len(parts) + 1))
    assert told[-1]["percent"] == 100.0
    assert told[-1].keys() == {
        "level", "file", "part", "of", "rows", "failed", "percent", "version", "rows_per_s",
    }  # fmt: skip
    assert sum(event["rows"] for event in told) == 300
    assert scored.told("batch file") == [
        {"level": "info", "file": "deep/t.csv", "rows": 300, "predicted": 300, "failed": 0, "parts": len(parts),
         "version": "v1"}
    ]  # fmt: skip
    left = sorted(path.name for path in (scored.output / "deep" / "t.csv" / "_work").iterdir())
    assert left == []


def test_what_is_done_is_not_done_again_and_what_changed_is(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=SMALL)
    file = scored.input / "t.csv"
    file.write_text(table(60))
    scored.look()
    before = sorted((scored.output / "t.csv").iterdir())
    scored.look()
    assert scored.told("batch")[-1]["begun"] == 0
    assert sorted((scored.output / "t.csv").iterdir()) == before
    changed = table(40, seed=2)
    file.write_text(changed)
    scored.application.scheduled()
    while scored.success("t.csv")["rows"] == 60:  # type: ignore[index] # it is there
        assert set(before) <= set(
            (scored.output / "t.csv").iterdir()
        )  # the former parts, until the new are all there
        scored.work(1)
    scored.work()
    assert rows_of(scored.text("t.csv")) == predicted(changed)
    assert not set((scored.output / "t.csv").glob("part-*")) & set(before)


@pytest.mark.parametrize("seed", range(3))
def test_messages_may_come_in_any_order_twice_or_be_cut_short(tmp_path: Path, seed: int) -> None:
    scored, draw = Scored(tmp_path, piece_bytes=SMALL), random.Random(seed)
    text = table(200, seed)
    (scored.input / "t.csv").write_text(text)
    scored.application.scheduled()
    worked = 0
    while scored.queue.messages:
        draw.shuffle(scored.queue.messages)
        message = scored.queue.messages.popleft()
        if draw.random() < 0.3:
            scored.queue.messages.append(message)
        put, dies_after = scored.batch._output.put, draw.randrange(4)

        def dying(path: str, content: bytes, *, if_absent: bool = False, if_match: str | None = None) -> str:
            nonlocal dies_after
            dies_after -= 1
            if dies_after == 0:
                raise KeyboardInterrupt
            return put(path, content, if_absent=if_absent, if_match=if_match)  # noqa: B023 - used in this round alone

        scored.batch._output.put = dying  # type: ignore[method-assign] # as a kill between two writes would leave it
        try:
            scored.application.work(message)
        except KeyboardInterrupt:
            scored.queue.messages.append(message)
        finally:
            scored.batch._output.put = put  # type: ignore[method-assign]
        worked += 1
    assert rows_of(scored.text("t.csv")) == predicted(text)
    success = scored.success("t.csv")
    assert success is not None
    assert (success["rows"], success["failed"]) == (200, 0)
    assert worked > len(scored.parts("t.csv"))
    assert list((scored.output / "t.csv" / "_work").iterdir()) == []


def test_a_file_that_is_under_way_is_begun_again_when_its_messages_are_lost(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=SMALL)
    text = table(100)
    (scored.input / "t.csv").write_text(text)
    scored.application.scheduled()
    scored.work(4)
    kept = len(scored.told("batch part"))
    scored.queue.messages.clear()
    scored.look()
    assert scored.told("batch")[-1]["begun"] == 0
    scored.now += 901
    scored.look()
    assert scored.told("batch")[-1]["begun"] == 1
    assert rows_of(scored.text("t.csv")) == predicted(text)
    assert len(scored.told("batch part")) == len(scored.parts("t.csv"))
    assert kept == 2


def test_a_file_stays_with_the_version_that_it_was_begun_with(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=SMALL, ids=("v1", "v2"))
    (scored.input / "t.csv").write_text(table(100))
    scored.application.scheduled()
    scored.work(3)
    scored.application = scored.serving(routing(v2=10_000, v1=0))
    scored.work()
    assert {event["version"] for event in scored.told("batch part")} == {"v1"}
    (scored.input / "u.csv").write_text(table(5))
    scored.look()
    success = scored.success("u.csv")
    assert success is not None
    assert success["version"] == "v2"


def test_a_file_whose_version_is_gone_is_begun_anew(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=SMALL)
    (scored.input / "t.csv").write_text(table(100))
    scored.application.scheduled()
    scored.work(3)
    (later := tmp_path / "later").mkdir()
    other = Scored(later, ids=("v2",))
    scored.bundle, scored.digest, scored.ids = other.bundle, other.digest, other.ids
    scored.application = scored.serving(routing(v2=10_000))
    scored.work()
    assert scored.success("t.csv") is None
    scored.look()
    success = scored.success("t.csv")
    assert success is not None
    assert (success["version"], success["rows"]) == ("v2", 100)
    assert rows_of(scored.text("t.csv")) == predicted(table(100))


def test_a_file_that_changes_while_it_is_scored_leaves_no_mixture(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=SMALL)
    file = scored.input / "t.csv"
    file.write_text(table(100))
    scored.application.scheduled()
    scored.work(4)
    file.write_text(changed := table(90, seed=3))
    scored.work()
    assert scored.success("t.csv") is None
    error = "the file was changed while it was scored; it is begun anew when the clock comes round."
    assert scored.told("batch file")[0] == {"level": "warning", "file": "t.csv", "error": error}
    scored.look()
    assert rows_of(scored.text("t.csv")) == predicted(changed)


def test_a_file_that_vanishes_is_told_and_no_more(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=SMALL)
    file = scored.input / "t.csv"
    file.write_text(table(100))
    scored.application.scheduled()
    scored.work(1)
    file.rename(tmp_path / "kept")
    scored.work(1)
    gone = {"level": "warning", "file": "t.csv", "error": "the file is gone."}
    assert scored.told("batch file") == [gone]
    (tmp_path / "kept").rename(file)
    scored.application.scheduled()
    scored.work(2)
    file.unlink()
    scored.work()
    assert gone in scored.told("batch file")[1:]
    assert scored.success("t.csv") is None


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    scored = Scored(tmp_path)
    for name in ("a.csv.gz", "b.txt", "c.csv.tmp", "née.csv"):
        (scored.input / name).write_text("a,b\n1,2\n")
    (scored.input / "D.CSV").write_text("a,b\n1,2\n")
    scored.look()
    assert scored.told("batch") == [{"level": "info", "files": 1, "begun": 1, "others": 4}]
    assert scored.text("D.CSV") == "a,b,sum\n1,2,3\n"
    assert scored.told("batch file")[:2] == [
        {"level": "warning", "file": "a.csv.gz", "error": "it is packed (.gz); unpack it to have it scored."},
        {"level": "warning", "file": "née.csv",
         "error": "the path is 'née.csv', but 'é' is not the same in every store; leave it out."},
    ]  # fmt: skip


def test_a_message_ends_in_half_of_the_platforms_time_and_the_rest_is_another(tmp_path: Path) -> None:
    scored = Scored(tmp_path, piece_bytes=SMALL)
    for name in ("a.csv", "b.csv", "c.csv"):
        (scored.input / name).write_text(table(50))
    scored.batch.timeout_s = 0.0
    scored.application.scheduled()
    scored.work(1)
    assert [json.loads(message) for message in scored.queue.messages] == [
        {"kind": "batch", "file": "a.csv"},
        {"kind": "batch", "after": "a.csv"},
    ]
    scored.work(2)
    sent = [json.loads(message) for message in scored.queue.messages]
    assert [message.get("file", message.get("after")) for message in sent] == [
        "a.csv",
        "a.csv",
        "b.csv",
        "b.csv",
    ]
    assert sent[0]["piece"]["start"] == len("id,a,b\r\n")
    assert sent[1]["at"] == {
        "at": sent[0]["piece"]["end"], "line": sent[1]["at"]["line"], "number": 1,
    }  # fmt: skip
    scored.work()
    assert [rows_of(scored.text(name)) for name in ("a.csv", "b.csv", "c.csv")] == 3 * [predicted(table(50))]


def test_a_piece_waits_for_another_only_so_long(tmp_path: Path) -> None:
    scored = Scored(tmp_path)
    (scored.input / "t.csv").write_text("a,b\n1,2\n")
    scored.application.scheduled()
    scored.work(2)
    scored.batch.timeout_s = 0.0
    before = list(scored.queue.messages)
    with scored.batch._working:
        scored.work(1)
    assert list(map(json.loads, scored.queue.messages)) == list(map(json.loads, before))
    scored.work()
    assert scored.text("t.csv") == "a,b,sum\n1,2,3\n"


def test_pieces_are_small_where_rows_take_long(tmp_path: Path) -> None:
    slow = (
        "import time\nclass Model:\n    def predict(self, inputs):\n        time.sleep(0.01 * len(inputs['a']))\n"
        "        return {'sum': [a + b for a, b in zip(inputs['a'], inputs['b'])]}\n"
    )
    scored = Scored(tmp_path, source=slow)
    scored.batch.timeout_s = 4.0
    (scored.input / "t.csv").write_text(text := table(60))
    scored.look()
    assert rows_of(scored.text("t.csv")) == predicted(text)
    assert len(scored.parts("t.csv")) > 1


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"input": "file:///a", "output": "file:///b", "format": "xml"},
         "LASTMILE_BATCH has the format 'xml', but must have one of csv, jsonl, parquet."),
        ({"input": "file:///a", "format": "csv"}, "LASTMILE_BATCH is not a batch: KeyError: 'output'"),
        ({"input": "ftp://a", "output": "file:///b", "format": "csv"},
         ("LASTMILE_BATCH is not a batch: StoreError: the store is 'ftp://a', but must begin with one of file, http, "
          "https, s3, gs, az and ://.")),
    ],
)  # fmt: skip
def test_what_is_no_batch(document: dict[str, str], told: str) -> None:
    with pytest.raises(BundleError) as caught:
        open_batch(document, ListQueue(), Log("predict", lambda line: None), 30)
    assert str(caught.value) == told
