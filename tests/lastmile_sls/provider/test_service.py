"""Every resource of the provider, in a program of the user's own, on the embedded engine."""

from __future__ import annotations

import hashlib
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime.proto import provider_pb2 as wire

from lastmile_sls.delivery.patience import Patience
from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.interface import EngineError, Event, Program, Secret
from lastmile_sls.engine.properties import from_struct, is_unknown, secret, to_struct
from lastmile_sls.errors import LastmileError
from lastmile_sls.provider.service import LastmileProvider

PROGRAM = """
import pulumi
from lastmile_infra.local import Bucket, Key, Queue
bucket = Bucket("results", deployment="own-dev", bucket="results")
queue = Queue("jobs", deployment="own-dev", queue="jobs", max_attempts=ATTEMPTS, visibility_timeout_s=30)
key = Key("key", deployment="own-dev", key="key", tags={"model": "own"})
pulumi.export("url", bucket.url)
pulumi.export("path", queue.path)
pulumi.export("key", key.value)
pulumi.export("digest", key.digest)
"""


def ignore(event: Event) -> None:
    return None


@pytest.fixture
def program(tmp_path: Path) -> Program:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "own", "runtime": "python"}))
    (folder / "__main__.py").write_text(PROGRAM.replace("ATTEMPTS", "3"))
    return Program(folder, "own", "dev")


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    home = tmp_path / "home"
    return EmbeddedEngine(home / "stacks", {"lastmile": lambda: LastmileProvider("embedded", home)})


def test_buckets_queues_and_keys(engine: EmbeddedEngine, program: Program, tmp_path: Path) -> None:
    planned = engine.preview(program, ignore)
    assert planned.changes == {"create": 4}
    assert not (tmp_path / "home").exists()
    made = engine.up(program, ignore).outputs
    folder = tmp_path / "home" / "local" / "own-dev"
    assert made["url"] == (folder / "buckets" / "results").as_uri()
    assert Path(made["path"]) == folder / "queues" / "jobs.sqlite"
    assert isinstance(made["key"], Secret)
    assert made["digest"] == f"sha256:{hashlib.sha256(made['key'].reveal().encode()).hexdigest()}"
    private = [path for path in folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert sqlite3.connect(made["path"]).execute("select count(*) from messages").fetchone() == (0,)
    assert engine.up(program, ignore).changes == {"same": 4}

    (folder / "buckets" / "results").rmdir()
    assert engine.up(program, ignore).changes == {"update": 1, "same": 3}
    assert (folder / "buckets" / "results").is_dir()

    assert engine.destroy(program, ignore).changes == {"delete": 4}
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_resource_with_a_wrong_input_is_refused(engine: EmbeddedEngine, program: Program) -> None:
    (program.folder / "__main__.py").write_text(PROGRAM.replace("ATTEMPTS", "0"))
    with pytest.raises(EngineError) as caught:
        engine.up(program, ignore)
    assert caught.value.message.startswith(
        "lastmile:local:Queue jobs is not valid: maxAttempts: maxAttempts is 0"
    )


def check(kind: str, **inputs: Any) -> list[tuple[str, str]]:
    urn = f"urn:pulumi:dev::own::lastmile:local:{kind}::it"
    response = LastmileProvider("embedded", Path("/nowhere")).Check(
        wire.CheckRequest(urn=urn, news=to_struct(inputs)), None
    )
    return [(failure.property, failure.reason) for failure in response.failures]


def test_missing_and_unknown_inputs_are_named() -> None:
    assert check("Key", deployment="own-dev", nam="key") == [
        ("name", "name is missing."),
        ("nam", "nam is not an input of lastmile:local:Key."),
    ]


def test_a_name_that_would_leave_its_folder_is_refused() -> None:
    ((name, reason),) = check("Key", deployment="own-dev", name="../key")
    assert name == "name"
    assert reason.startswith("name is '../key', but must match")


@pytest.mark.parametrize("token", ["aws:s3:Bucket", "lastmile:cloud:Key", "lastmile:local:Thing"])
def test_other_types_are_not_ours(token: str) -> None:
    provider = LastmileProvider("embedded", Path("/nowhere"))
    with pytest.raises(LastmileError) as caught:
        provider.Create(wire.CreateRequest(urn=f"urn:pulumi:dev::own::{token}::it", type=token), None)
    assert caught.value.message == f"the provider has no resource of the type {token}."
    assert caught.value.hint.startswith("It has lastmile:local:Key, ")


def test_an_asked_for_port_tells_the_address_before_it_is_made() -> None:
    provider = LastmileProvider("embedded", Path("/nowhere"))
    urn = "urn:pulumi:dev::own::lastmile:local:Route::it"
    for inputs, unknown in (({"port": 9000}, False), ({}, True)):
        response = provider.Create(
            wire.CreateRequest(urn=urn, properties=to_struct(inputs), preview=True), None
        )
        assert is_unknown(from_struct(response.properties)["url"]) is unknown


def test_reading_what_is_gone_returns_no_id() -> None:
    provider = LastmileProvider("embedded", Path("/nowhere"))
    urn = "urn:pulumi:dev::own::lastmile:local:Key::it"
    assert provider.Read(wire.ReadRequest(id="own-dev/key/key", urn=urn), None).id == ""


def test_a_cancelled_run_waits_no_longer() -> None:
    patience = Patience()
    LastmileProvider("embedded", Path("/nowhere"), {}, patience).Cancel(None, None)
    with pytest.raises(LastmileError) as caught:
        patience.pause(600)
    assert caught.value.message == "stopped before the end."


def test_the_secret_outputs_of_what_is_read_are_marked() -> None:
    provider = LastmileProvider("embedded", Path("/nowhere"))
    properties = to_struct({"name": "first", "value": secret("v"), "digest": "d"})
    urn = "urn:pulumi:dev::own::lastmile:index:Key::it"
    found = provider.Read(wire.ReadRequest(id="first", urn=urn, properties=properties), None)
    assert from_struct(found.properties) == {"name": "first", "value": secret("v"), "digest": "d"}
    assert from_struct(found.inputs) == {"name": "first"}
