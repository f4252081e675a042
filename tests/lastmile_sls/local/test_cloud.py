from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.local.cloud import Cloud
from lastmile_sls.local.status import read_key
from tests.lastmile_sls.local.conftest import World


def test_a_key_is_random_and_made_once(world: World) -> None:
    first = world.apply("key", "access")
    assert len(first["value"]) == 43
    assert first["digest"] == f"sha256:{hashlib.sha256(first['value'].encode()).hexdigest()}"
    assert world.apply("key", "access") == first
    assert read_key(world.place()) == first["value"]
    assert world.apply("key", "access", "other-dev") != first
    world.cloud.delete("demo-dev/key/access")
    world.cloud.delete("demo-dev/key/access")
    with pytest.raises(LastmileError, match=r"^demo-dev has no API key\."):
        read_key(world.place())


def test_a_bucket_is_a_folder(world: World) -> None:
    url = world.apply("bucket", "models")["url"]
    folder = Path(url.removeprefix("file://"))
    (folder / "a").write_text("kept")
    assert world.apply("bucket", "models")["url"] == url
    assert (folder / "a").read_text() == "kept"
    assert world.cloud.drifted("demo-dev/bucket/models") == []
    shutil.rmtree(folder)
    assert world.cloud.drifted("demo-dev/bucket/models") == ["url"]
    world.cloud.delete("demo-dev/bucket/models")
    assert world.cloud.read("demo-dev/bucket/models") is None
    assert world.cloud.drifted("demo-dev/bucket/models") == ["resource"]


def test_a_queue_is_a_file_that_goes_with_it(world: World) -> None:
    path = Path(world.apply("queue", "jobs", maxAttempts=3, visibilityTimeoutS=30)["path"])
    assert path.exists()
    assert world.cloud.drifted("demo-dev/queue/jobs") == []
    world.cloud.delete("demo-dev/queue/jobs")
    assert list(path.parent.iterdir()) == []


def test_a_foreign_owner_is_refused(world: World) -> None:
    world.apply("key", "access")
    inputs = {"deployment": "demo-dev", "name": "access"}
    with pytest.raises(LastmileError) as refused:
        world.cloud.apply("key", "urn:other", inputs)
    assert refused.value.message == (
        "the key access of demo-dev belongs to another stack (urn:demo-dev:key:access)."
    )
    assert (
        refused.value.hint == "Destroy it there first, or give this deployment another name or environment."
    )
    with pytest.raises(LastmileError) as refused:
        Cloud(world.cloud.home, "pulumi").apply("key", "urn:demo-dev:key:access", inputs)
    assert refused.value.message == "the key access of demo-dev was made by the embedded engine."
    assert refused.value.hint == (
        "Let the pulumi engine take the stack over, as it stands: lastmile up --engine pulumi --take-over"
    )


def test_what_cannot_be_made_leaves_what_was_there(world: World) -> None:
    with pytest.raises(LastmileError, match="the bundle is not the one that the plan names"):
        world.function(bundleDigest="sha256:" + "0" * 64)
    assert world.cloud.read("demo-dev/function/predict") is None
    world.function()
    before = world.cloud.read("demo-dev/function/predict")
    with pytest.raises(LastmileError, match="the bundle is not the one that the plan names"):
        world.function(bundleDigest="sha256:" + "0" * 64)
    assert world.cloud.read("demo-dev/function/predict") == before
    assert world.cloud.drifted("demo-dev/function/predict") == []


def test_a_bundle_that_was_tampered_with_is_refused(world: World) -> None:
    (world.bundle / "models" / "v1" / "more.py").write_text("")
    with pytest.raises(
        LastmileError, match=r"^the bundle holds models/v1/more.py, which its manifest does not name\."
    ):
        world.function()
    (world.bundle / "models" / "v1" / "more.py").unlink()
    (world.bundle / "models" / "v1" / "model.py").write_text("class Evil: ...")
    with pytest.raises(
        LastmileError, match=r"the bundle is not the one that the plan names: models/v1/model\.py"
    ):
        world.function()
    shutil.rmtree(world.bundle)
    with pytest.raises(LastmileError, match="could not be copied: No such file or directory"):
        world.function()
    assert not any((world.place().root / "functions" / "predict").glob("*"))


def test_a_route_needs_its_function(world: World) -> None:
    with pytest.raises(LastmileError) as refused:
        world.route()
    assert refused.value.message == (
        "the route endpoint of demo-dev leads to the function predict, which does not exist."
    )


@pytest.mark.parametrize(
    ("kind", "inputs", "wrong"),
    [
        ("key", {"name": "Access"}, ("name", "name is 'Access', but must match [a-z][a-z0-9-]{0,62}.")),
        ("function", {"memoryMb": 0}, ("memoryMb", "memoryMb is 0, but must be a number of at least 1.")),
        ("function", {"timeoutS": "9"}, ("timeoutS", "timeoutS is '9', but must be a number of at least 1.")),
        ("function", {"minInstances": 3, "maxInstances": 2}, ("minInstances", "minInstances is 3, but maxInstances is 2.")),
        ("function", {"environment": {"LASTMILE_X": "1"}},
         ("environment", "environment.LASTMILE_X is set, but names that begin with LASTMILE_ are the runtime's.")),
        ("function", {"queue": "jobs"}, ("queue", "queue is 'jobs', but bucket, where it keeps things, is missing.")),
        ("queue", {"maxAttempts": True}, ("maxAttempts", "maxAttempts is True, but must be a number of at least 1.")),
        ("route", {"port": 70000}, ("port", "port is 70000, but must be 1 to 65535.")),
        ("route", {"auth": "none"}, ("auth", "auth is 'none', but must be 'key', 'jwt' or 'public'.")),
        ("route", {"auth": "jwt", "jwt": None}, ("jwt", "jwt is missing, but auth is 'jwt'.")),
        ("document", {"path": "../x"}, ("path", "path is '../x', but must be relative and stay in the bucket.")),
        ("route", {"auth": "key", "keyDigests": []}, ("keyDigests", "keyDigests is empty, but auth is 'key'.")),
        ("route", {"rateLimit": {"requestsPerS": 0}},
         ("rateLimit", "rateLimit.requestsPerS is 0, but must be a number of at least 0.001.")),
    ],
)  # fmt: skip
def test_wrong_inputs_are_named(
    world: World, kind: str, inputs: dict[str, Any], wrong: tuple[str, str]
) -> None:
    assert world.cloud.check(kind, {"deployment": "demo-dev", "name": "x", **inputs}) == [wrong]


@pytest.mark.parametrize("id_", ["x", "demo-dev/thing/x", "demo-dev/key/../x", "demo-dev/key/.."])
def test_an_id_has_three_parts(world: World, id_: str) -> None:
    with pytest.raises(
        LastmileError, match="but must be DEPLOYMENT/KIND/NAME, with a kind of bucket, document, function"
    ):
        world.cloud.read(id_)
