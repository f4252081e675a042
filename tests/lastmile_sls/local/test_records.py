from __future__ import annotations

import json
import os
import resource
import signal
import stat
from pathlib import Path

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.local import records
from lastmile_sls.local.home import Place, deployments, find_home
from lastmile_sls.local.records import Owner, Record

RECORD = Record(
    "key", "access", {"a": 1}, {"value": "v"}, Owner("urn:x", "embedded"), "2026-01-02T03:04:05+00:00"
)


def test_a_record_is_read_as_it_was_written_by_its_owner_only(tmp_path: Path) -> None:
    place = Place.of(tmp_path, "demo-dev")
    records.put(place, RECORD)
    path = place.records / "key" / "access.json"
    assert records.get(place, "key", "access") == RECORD
    assert records.all_of(place, "key") == [RECORD]
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, place.root)] == [0o600, 0o700, 0o700]
    assert [p.name for p in path.parent.iterdir()] == ["access.json"]
    assert deployments(tmp_path) == [place]
    records.set_engine(place, "urn:y", "other")
    records.set_engine(place, "urn:", "pulumi")
    found = records.get(place, "key", "access")
    assert found is not None
    assert found.owner == Owner("urn:x", "pulumi")
    records.delete(place, "key", "access")
    records.delete(place, "key", "access")
    assert records.get(place, "key", "access") is None
    assert deployments(tmp_path) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"kind": "key"}'])
def test_a_corrupt_record_names_the_file_and_the_way_out(tmp_path: Path, content: str) -> None:
    place = Place.of(tmp_path, "demo-dev")
    path = place.records / "key" / "access.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(LastmileError) as refused:
        records.get(place, "key", "access")
    assert refused.value.message.startswith(f"{path} is not a resource record: ")
    assert refused.value.hint == "Move the file away and run `lastmile up`: what is missing is made again."


def test_a_record_in_another_ones_place_is_refused(tmp_path: Path) -> None:
    place = Place.of(tmp_path, "demo-dev")
    records.put(place, RECORD)
    (place.records / "key" / "access.json").rename(place.records / "key" / "other.json")
    with pytest.raises(LastmileError, match="it says that it is the key access"):
        records.get(place, "key", "other")


def test_a_full_disk_leaves_the_old_record(tmp_path: Path) -> None:
    place = Place.of(tmp_path, "demo-dev")
    records.put(place, RECORD)
    child = os.fork()
    if (
        child == 0
    ):  # the limit on file sizes stands for a full disk; only a process of its own may be given it
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))
        try:
            records.put(place, Record("key", "access", {"a": "x" * 99}, {}, RECORD.owner, ""))
        except LastmileError as error:
            os._exit(0 if "could not be written: File too large." in error.message else 2)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert records.get(place, "key", "access") == RECORD
    assert len(list((place.records / "key").iterdir())) == 1


def test_home_is_named_or_the_users(tmp_path: Path) -> None:
    assert find_home({"LASTMILE_HOME": str(tmp_path)}) == tmp_path
    assert find_home({}) == Path.home() / ".lastmile"


@pytest.mark.parametrize("name", ["", "Demo", "a/b", "..", "1a", "a" * 64])
def test_a_place_has_a_safe_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(LastmileError) as refused:
        Place.of(tmp_path, name)
    assert refused.value.message == f"deployment is {name!r}, but must match [a-z][a-z0-9-]{{0,62}}."
    assert json.dumps(refused.value.hint)
