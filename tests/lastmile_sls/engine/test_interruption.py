"""A run that dies halfway is taken up by the next one, on both engines; nothing is made twice, nothing is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lastmile_sls.engine.interface import Engine, Event, LockedError
from tests.lastmile_sls.engine.world import REPOSITORY, World


def ignore(event: Event) -> None:
    return None


@contextlib.contextmanager
def up_in_a_process(engine: Engine, world: World, home: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.lastmile_sls.engine.run_up",
            engine.name,
            str(home),
            str(world.folder),
        ],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_group(process)


def kill_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until_waiting(world: World) -> None:
    deadline = time.monotonic() + 30
    while not (world.things_made / "waiting").exists():
        assert time.monotonic() < deadline, "the provider never came to its waiting point"
        time.sleep(0.02)


def arm(world: World) -> None:
    (world.things_made / "armed").touch()


def disarm(world: World) -> None:
    (world.things_made / "armed").unlink()
    (world.things_made / "waiting").unlink(missing_ok=True)


@pytest.mark.parametrize("point", ["wait-before", "wait-after"])
def test_killed_while_creating(engine: Engine, world: World, tmp_path: Path, point: str) -> None:
    world.want({"name": "a", "value": 1}, {"name": "b", "value": point, "depends_on": ["a"]})
    arm(world)
    with up_in_a_process(engine, world, tmp_path / "home") as process:
        wait_until_waiting(world)
        kill_group(process)
    disarm(world)
    world.calls()
    heard: list[Event] = []
    result = engine.up(world.program(), heard.append)
    expected = {"wait-before": "create b-here", "wait-after": "adopt b-here"}
    assert world.calls() == [expected[point]]
    assert world.standing() == ["a-here", "b-here"]
    assert result.changes == {"create": 1, "same": 3}
    assert not engine.up(world.program(), ignore).changed


def test_killed_while_updating(engine: Engine, world: World, tmp_path: Path) -> None:
    world.want({"name": "a", "value": 1})
    engine.up(world.program(), ignore)
    world.want({"name": "a", "value": "wait-after"})
    arm(world)
    with up_in_a_process(engine, world, tmp_path / "home") as process:
        wait_until_waiting(world)
        kill_group(process)
    disarm(world)
    world.calls()
    engine.up(world.program(), ignore)
    assert world.calls() == ["update a-here"]
    assert not engine.up(world.program(), ignore).changed


def test_two_runs_at_once(engine: Engine, world: World, tmp_path: Path) -> None:
    world.want({"name": "a", "value": "wait-before"})
    arm(world)
    with up_in_a_process(engine, world, tmp_path / "home"):
        wait_until_waiting(world)
        with pytest.raises(LockedError, match=r"another run of this stack is in progress \(pid \d+ since"):
            engine.up(world.program(), ignore)


def test_interrupted_the_step_in_progress_is_noted(engine: Engine, world: World, tmp_path: Path) -> None:
    world.want(*({"name": f"t{n}", "value": 1} for n in range(40)))
    with up_in_a_process(engine, world, tmp_path / "home") as process:
        deadline = time.monotonic() + 30
        while not world.standing():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        code = process.returncode
    # Either it was stopped, and says so, or the signal came when all was made.
    assert (code, "Run again to go on from there." in output) in [(1, True), (0, False)]
    engine.up(world.program(), ignore)
    creations = [call for call in world.calls() if call.startswith("create")]
    assert len(creations) == len(set(creations)) == 40
    assert not engine.up(world.program(), ignore).changed


@pytest.mark.pulumi_cli
def test_the_plain_cli_goes_on_after_pulumi_cancel(world: World, tmp_path: Path) -> None:
    """What Pulumi documents for a killed `pulumi up`: cancel, then up again. The create finds what was left."""
    world.want({"name": "a", "value": "wait-after"})
    arm(world)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
    environ = {**inherited, "PULUMI_BACKEND_URL": tmp_path.as_uri(), "PULUMI_CONFIG_PASSPHRASE": "test"}

    def pulumi(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", "--non-interactive", *words],
            cwd=world.folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    assert pulumi("stack", "init", "test").wait() == 0
    running = pulumi("up", "--yes", "--skip-preview")
    wait_until_waiting(world)
    kill_group(running)
    disarm(world)
    assert "create a-here" in world.calls()
    assert pulumi("cancel", "--yes").wait() == 0
    again = pulumi("up", "--yes", "--skip-preview")
    told, _ = again.communicate()
    assert again.returncode == 0, told
    assert world.calls() == ["adopt a-here"]
    assert world.standing() == ["a-here"]
