"""What only the embedded engine promises: resuming, its state file, and refusing what it does not carry."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from lastmile_sls.engine import properties
from lastmile_sls.engine.embedded.engine import EmbeddedEngine
from lastmile_sls.engine.interface import UNKNOWN, EngineError, Event, Program
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.engine.checking_provider import CheckingProvider
from tests.lastmile_sls.engine.world import REPOSITORY, World


def ignore(event: Event) -> None:
    return None


@pytest.fixture
def engine(tmp_path: Path) -> EmbeddedEngine:
    return EmbeddedEngine(tmp_path / "home" / "stacks", {"checking": CheckingProvider})


class AnsweringProvider(CheckingProvider):
    """Has one function, which tells the provider's configuration, and writes down its timeouts."""

    def Configure(self, request: Any, context: Any) -> Any:
        self.config = properties.from_struct(request.args)
        return super().Configure(request, context)

    def Invoke(self, request: Any, context: Any) -> Any:
        assert request.tok == "checking:index:where"
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").update({**properties.from_struct(request.args), **self.config})
        return response

    def Create(self, request: Any, context: Any) -> Any:
        self._wait_at_most("Create", request)
        return super().Create(request, context)

    def Update(self, request: Any, context: Any) -> Any:
        self._wait_at_most("Update", request)
        return super().Update(request, context)

    def Delete(self, request: Any, context: Any) -> Any:
        self._wait_at_most("Delete", request)
        return super().Delete(request, context)

    def _wait_at_most(self, verb: str, request: Any) -> None:
        with (self.world / "timeouts").open("a") as note:
            note.write(f"{verb} {request.timeout} ")


def up_and_die(world: World, home: Path) -> None:
    (world.things_made / "armed").touch()
    command = [
        sys.executable,
        "-m",
        "tests.lastmile_sls.engine.run_up",
        "embedded",
        str(home),
        str(world.folder),
    ]
    assert subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False).returncode == -9
    (world.things_made / "armed").unlink()


def test_the_constants_are_those_of_the_sdk() -> None:
    assert properties.UNKNOWN_SENTINEL == rpc.UNKNOWN
    assert rpc._special_sig_key == properties.SIGNATURE_KEY
    assert rpc._special_secret_sig == properties.SECRET_SIGNATURE
    assert rpc._special_asset_sig == properties.ASSET_SIGNATURE
    assert rpc._special_archive_sig == properties.ARCHIVE_SIGNATURE


def test_what_died_while_being_created_and_is_wanted_no_more_is_deleted(
    engine: EmbeddedEngine, world: World, tmp_path: Path
) -> None:
    world.want({"name": "a", "value": "die-after"})
    up_and_die(world, tmp_path / "home")
    assert world.standing() == ["a-here"]
    world.want()
    engine.up(world.program(), ignore)
    assert world.standing() == []
    assert world.calls() == ["create a-here", "adopt a-here", "delete a-here"]


def test_destroy_finds_what_a_killed_run_left(engine: EmbeddedEngine, world: World, tmp_path: Path) -> None:
    world.want({"name": "a", "value": "die-after"})
    up_and_die(world, tmp_path / "home")
    engine.destroy(world.program(), ignore)
    assert world.standing() == []
    assert not engine.exists(world.program())


def test_destroy_with_data_also_takes_what_a_killed_run_left(
    engine: EmbeddedEngine, world: World, tmp_path: Path
) -> None:
    world.want({"name": "a", "value": "die-after", "retain_on_delete": True})
    up_and_die(world, tmp_path / "home")
    engine.destroy(world.program(), ignore, data=True)
    assert world.standing() == []


def test_a_destroy_on_a_broken_state_keeps_the_backup(engine: EmbeddedEngine, world: World) -> None:
    world.want({"name": "a", "value": 1})
    for _ in range(2):
        engine.up(world.program(), ignore)
    path = engine.state_path(world.program())
    backup = path.with_suffix(".json.bak").read_text()
    path.write_text("broken")
    with pytest.raises(EngineError, match="it is not JSON"):
        engine.destroy(world.program(), ignore, data=True)
    assert path.with_suffix(".json.bak").read_text() == backup


def test_an_interrupted_update_is_repeated_even_when_the_old_wish_is_back(
    engine: EmbeddedEngine, world: World, tmp_path: Path
) -> None:
    world.want({"name": "a", "value": 1})
    engine.up(world.program(), ignore)
    world.want({"name": "a", "value": "die-after"})
    up_and_die(world, tmp_path / "home")
    world.want({"name": "a", "value": 1})
    engine.up(world.program(), ignore)
    assert json.loads((world.things_made / "a-here.json").read_text()) == {"value": 1}


def test_preview_of_a_first_run_shows_unknown_outputs(engine: EmbeddedEngine, world: World) -> None:
    world.want({"name": "a", "value": 1})
    outputs = engine.preview(world.program(), ignore).outputs
    assert outputs["a"] is UNKNOWN
    assert repr(outputs["a"]) == "[known after creation]"


def test_the_state_is_private_and_in_pulumis_format(engine: EmbeddedEngine, world: World) -> None:
    world.want({"name": "a", "value": 1, "secret": "s3cret"}, {"name": "b", "of": "a"})
    engine.up(world.program(), ignore)
    path = engine.state_path(world.program())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    state = json.loads(path.read_text())
    assert state["version"] == 3
    resources = {r["urn"].rsplit("::", 1)[-1]: r for r in state["deployment"]["resources"]}
    assert list(resources) == ["world-test", "group", "default", "a", "b"]
    a_urn = "urn:pulumi:test::world::checking:index:Group$checking:index:Thing::a"
    provider = resources["default"]
    assert resources["a"]["inputs"] == {
        "value": 1,
        "secret": {properties.SIGNATURE_KEY: properties.SECRET_SIGNATURE, "plaintext": '"s3cret"'},
    }
    del resources["b"]["created"], resources["b"]["modified"]
    assert resources["b"] == {
        "urn": "urn:pulumi:test::world::checking:index:Group$checking:index:Thing::b",
        "custom": True,
        "id": "b-here",
        "type": "checking:index:Thing",
        "inputs": {"value": "mark-a-here"},
        "outputs": {"value": "mark-a-here", "mark": "mark-b-here"},
        "parent": "urn:pulumi:test::world::checking:index:Group::group",
        "dependencies": [a_urn],
        "provider": f"{provider['urn']}::{provider['id']}",
        "propertyDependencies": {"value": [a_urn]},
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("not json", "it is not JSON"),
        ("[]", "it is not a Pulumi deployment of version 3"),
        ('{"version": 2}', "it is not a Pulumi deployment of version 3"),
        ('{"version": 3}', "'deployment' is missing"),
        ('{"version": 3, "deployment": {"resources": [{"urn": "x"}]}}', "missing 2 required"),
        (
            (
                '{"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:other::world::t::n", '
                '"custom": false, "type": "t"}]}}'
            ),
            "it belongs to another stack (urn:pulumi:other::world::t::n)",
        ),
        (
            (
                '{"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:test::world::t::n", '
                '"custom": false, "type": "t", "outputs": {"k": {"4dabf18193072939515e22adb298388d": '
                '"1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}}}]}}'
            ),
            "its secrets are encrypted by another engine",
        ),
    ],
)
def test_a_state_file_that_is_not_ours_is_refused_and_kept(
    engine: EmbeddedEngine, world: World, content: str, reason: str
) -> None:
    world.want({"name": "a", "value": 1})
    path = engine.state_path(world.program())
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(EngineError) as caught:
        engine.up(world.program(), ignore)
    assert caught.value.message.startswith(f"{path} is not the state of this stack: ")
    assert reason in caught.value.message
    assert "test.json.bak" in caught.value.hint
    assert path.read_text() == content
    assert world.calls() == []


def test_a_resource_with_a_field_of_the_cli_only_is_refused(engine: EmbeddedEngine, world: World) -> None:
    path = engine.state_path(world.program())
    path.parent.mkdir(parents=True)
    entry = {"urn": "urn:pulumi:test::world::t::n", "custom": True, "type": "t", "external": True}
    path.write_text(json.dumps({"version": 3, "deployment": {"resources": [entry]}}))
    world.want()
    with pytest.raises(EngineError) as caught:
        engine.up(world.program(), ignore)
    assert caught.value.message == (
        "resource urn:pulumi:test::world::t::n has external, which the embedded engine does not carry."
    )
    assert caught.value.hint == "Work on this stack with the Pulumi CLI: lastmile up --engine pulumi"


CLASS = (
    "import pulumi\n"
    "class T(pulumi.CustomResource):\n"
    "    def __init__(s, n, o=None, k='checking:index:Thing'): super().__init__(k, n, {'value': 1}, o)\n"
    "O = pulumi.ResourceOptions\n"
)


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("T('a', O(import_='x'))", "import_ on checking:index:Thing a"),
        ("T('a', O(replace_with=[T('b')]))", "replace_with on checking:index:Thing a"),
        ("T('a', O(transforms=[lambda a: None]))", "transforms on checking:index:Thing a"),
        ("pulumi.runtime.register_resource_transform(lambda a: None)", "transforms"),
        ("pulumi.runtime.invoke('checking:index:get', {})", "the function checking:index:get"),
        (
            "pulumi.runtime.invoke('aws:index/getRegion:getRegion', {})",
            "the function aws:index/getRegion:getRegion",
        ),
        ("pulumi.StackReference('o/p/s')", "pulumi:pulumi:StackReference.get"),
        (
            "T('a', O(hooks=pulumi.ResourceHookBinding(before_create=[lambda a: None])))",
            "the resource hook",
        ),
    ],
)
def test_what_it_does_not_carry_is_refused_by_name(
    engine: EmbeddedEngine, world: World, program: str, what: str
) -> None:
    (world.folder / "__main__.py").write_text(CLASS + program + "\n")
    with pytest.raises(EngineError) as caught:
        engine.up(world.program(), ignore)
    assert what in caught.value.message
    assert "which the embedded engine does not carry." in caught.value.message
    assert "lastmile up --engine pulumi" in caught.value.hint
    assert not [call for call in world.calls() if call == "create a-here"]


def test_a_missing_file_is_named(engine: EmbeddedEngine, world: World) -> None:
    text = CLASS.replace("{'value': 1}", "{'value': pulumi.FileArchive('bundle.zip')}")
    (world.folder / "__main__.py").write_text(text + "T('a')\n")
    with pytest.raises(EngineError) as caught:
        engine.preview(world.program(), ignore)
    assert caught.value.message == (
        f"value of checking:index:Thing a is bundle.zip, which cannot be read in {world.folder}: "
        "No such file or directory."
    )
    assert (
        caught.value.hint
        == "Make the file before the program runs, or give its path from the project's folder."
    )


def test_functions_go_to_the_provider(world: World, tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path / "stacks", {"checking": AnsweringProvider})
    (world.folder / "__main__.py").write_text(
        "import pulumi\n"
        "there = pulumi.InvokeOptions(provider=pulumi.ProviderResource('checking', 'p', {'region': 'there'}))\n"
        "ask = lambda o: pulumi.runtime.invoke_output('checking:index:where', {'of': 'me'}, o)\n"
        "pulumi.export('here', ask(pulumi.InvokeOptions(version='1.2.3')))\n"
        "pulumi.export('there', ask(there))\n"
        "pulumi.export('plain', pulumi.runtime.invoke('checking:index:where', {'of': 'all'}).value)\n"
    )
    program = world.program({"checking:region": "here"})
    for result in (engine.preview(program, ignore), engine.up(program, ignore)):
        assert result.outputs == {
            "here": {"of": "me", "region": "here", "version": "1.2.3"},
            "there": {"of": "me", "region": "there"},
            "plain": {"of": "all", "region": "here"},
        }
    urns = [r["urn"] for r in engine.export_state(program)["deployment"]["resources"]]
    assert "urn:pulumi:test::world::pulumi:providers:checking::default_1_2_3" in urns


def test_a_function_of_what_is_unknown_is_not_asked(world: World, tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path / "stacks", {"checking": AnsweringProvider})
    (world.folder / "__main__.py").write_text(
        CLASS + "answer = pulumi.runtime.invoke_output('checking:index:where', {'of': T('a').id})\n"
        "pulumi.export('answer', answer['of'])\n"
    )
    assert engine.preview(world.program(), ignore).outputs == {"answer": UNKNOWN}
    assert engine.up(world.program(), ignore).outputs == {"answer": "a-here"}


def test_secret_configuration_reaches_the_default_provider_marked(
    engine: EmbeddedEngine, world: World
) -> None:
    (world.folder / "__main__.py").write_text(CLASS + "T('a')\n")
    program = Program(
        world.folder, "world", "test", {"checking:token": "s3cret"}, frozenset({"checking:token"})
    )
    engine.up(program, ignore)
    resources = engine.export_state(program)["deployment"]["resources"]
    provider = next(r for r in resources if r["type"] == "pulumi:providers:checking")
    marked = {properties.SIGNATURE_KEY: properties.SECRET_SIGNATURE, "plaintext": '"s3cret"'}
    assert provider["inputs"] == {"token": marked}


def test_timeouts_reach_the_provider_and_the_state(world: World, tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path / "stacks", {"checking": AnsweringProvider})
    timeouts = {"create": "1h30m", "update": "90s", "delete": "500ms"}
    for value in (1, 2):
        world.want({"name": "a", "value": value, "custom_timeouts": timeouts})
        engine.up(world.program(), ignore)
    held = engine.export_state(world.program())["deployment"]["resources"][-1]
    assert held["customTimeouts"] == {"create": 5400, "update": 90, "delete": 0.5}
    engine.destroy(world.program(), ignore)
    assert (world.things_made / "timeouts").read_text() == "Create 5400.0 Update 90.0 Delete 0.5 "


def test_a_timeout_that_is_no_time_is_refused(engine: EmbeddedEngine, world: World) -> None:
    world.want({"name": "a", "custom_timeouts": {"create": "soon"}})
    with pytest.raises(EngineError) as caught:
        engine.preview(world.program(), ignore)
    assert (
        caught.value.message
        == "custom_timeouts.create of checking:index:Thing a is 'soon', which is not a time."
    )
    assert caught.value.hint == "Write it like 30s, 10m or 1h30m."


def test_a_package_without_a_provider_is_refused(engine: EmbeddedEngine, world: World) -> None:
    (world.folder / "__main__.py").write_text(CLASS + "T('a', k='aws:s3:Bucket')\n")
    with pytest.raises(EngineError) as caught:
        engine.up(world.program(), ignore)
    assert caught.value.message == (
        "the program uses resources of the package aws; the embedded engine carries checking only."
    )


def test_two_resources_of_one_name_are_refused(engine: EmbeddedEngine, world: World) -> None:
    (world.folder / "__main__.py").write_text(CLASS + "T('a')\nT('a')\n")
    with pytest.raises(EngineError, match=r"two resources have the URN .*::a"):
        engine.up(world.program(), ignore)


def test_an_explicit_provider_is_carried(engine: EmbeddedEngine, world: World) -> None:
    text = CLASS + "p = pulumi.ProviderResource('checking', 'mine', {'region': 'x'})\nT('a', O(provider=p))\n"
    (world.folder / "__main__.py").write_text(text)
    assert engine.up(world.program(), ignore).changes == {"create": 3}
    assert engine.up(world.program(), ignore).changes == {"same": 3}
    resources = engine.export_state(world.program())["deployment"]["resources"]
    provider = next(r for r in resources if r["type"] == "pulumi:providers:checking")
    assert provider["inputs"] == {"region": "x"}
    assert resources[-1]["provider"] == f"{provider['urn']}::{provider['id']}"


def test_a_full_disk_loses_nothing(engine: EmbeddedEngine, world: World, tmp_path: Path) -> None:
    world.want({"name": "a", "value": 1})
    engine.up(world.program(), ignore)
    world.calls()
    before = engine.state_path(world.program()).read_bytes()
    world.want({"name": "a", "value": 1}, {"name": "b", "value": 2})
    # A file size limit stands in for the full disk: the write fails in the same place with an OSError.
    script = (
        "import resource, sys; from tests.lastmile_sls.engine.run_up import main; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before)}, {len(before)})); "
        f"sys.exit(main('embedded', {str(tmp_path / 'home')!r}, {str(world.folder)!r}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "test.json could not be written: File too large." in run.stdout
    assert world.calls() == []
    held = engine.export_state(world.program())["deployment"]["resources"]
    assert [r["urn"].rsplit("::", 1)[-1] for r in held] == ["world-test", "group", "default", "a"]
    assert engine.up(world.program(), ignore).changes == {"create": 1, "same": 3}


def test_a_missing_program_is_named(engine: EmbeddedEngine, tmp_path: Path) -> None:
    with pytest.raises(LastmileError, match=r"Pulumi\.yaml cannot be read") as caught:
        engine.up(Program(tmp_path, "world", "test"), ignore)
    assert caught.value.hint == "Write the project anew: lastmile build"


def test_the_program_ends_with_a_killed_engine(world: World, tmp_path: Path) -> None:
    waits = "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)\n"
    (world.folder / "__main__.py").write_text(waits)
    command = [
        sys.executable,
        "-m",
        "tests.lastmile_sls.engine.run_up",
        "embedded",
        str(tmp_path),
        str(world.folder),
    ]
    engine = subprocess.Popen(command, cwd=REPOSITORY)
    pid_file = world.folder / "pid"
    wait_for(lambda: pid_file.exists() and bool(pid_file.read_text()))
    engine.kill()
    engine.wait()
    pid = int(pid_file.read_text())
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_renaming_a_resource_with_children_is_refused(engine: EmbeddedEngine, world: World) -> None:
    world.want({"name": "a", "value": 1})
    engine.up(world.program(), ignore)
    main = world.folder / "__main__.py"
    text = main.read_text().replace('Group("group")', 'Group("other")')
    text = text.replace(
        "name, {}, None)", 'name, {}, pulumi.ResourceOptions(aliases=[pulumi.Alias(name="group")]))'
    )
    main.write_text(text)
    with pytest.raises(EngineError, match=r"the program renames urn:.*::group, which has children"):
        engine.up(world.program(), ignore)
    assert world.standing() == ["a-here"]
