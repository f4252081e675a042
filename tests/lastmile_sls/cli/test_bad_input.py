"""What goes wrong is told in one message: field, value, rule, hint; exit code 1, and nothing is half made."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_sls.commands import LASTMILE, Workspace


def nothing_was_made(work: Workspace) -> bool:
    return not (work.home / "local").exists() and not (work.home / "stacks").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"resources": {"memry_mb": 1}}, "resources.memry_mb is not a field. Did you mean memory_mb?"),
        (
            {"traffic": {"champion": "v1", "weights": {"v1": 90, "v2": 40}}},
            "traffic.weights sum to 130, but must sum to 100. Lower one of them.",
        ),
        (
            {
                "versions": [
                    {"id": "v1", "artifact": "dubler.py", "framework": "python", "entry": "Doubler"}
                ],
                "traffic": {},
            },
            "versions[0].artifact is 'dubler.py', but there is no such file",
        ),
        (
            {"versions": [{"id": "v1", "artifact": "doubler.py", "framework": "onnx"}], "traffic": {}},
            "versions[0].framework is 'onnx', but doubler.py is a model of 'python'.",
        ),
        (
            {"endpoint": {"domain": "a.example"}},
            "endpoint.domain is 'a.example', but the local target is reached on this machine only. Take it out.",
        ),
        ({"owner": "Ä" * 40}, "owner is 'ÄÄÄ"),
        ({"tags": {"Team": "x"}}, "tags has the key 'Team'"),
    ],
)
def test_a_wrong_spec(work: Workspace, changes: dict[str, Any], told: str) -> None:
    work.write_spec(**changes)
    assert told in work.fails("up")
    assert nothing_was_made(work)


def test_the_line_of_a_mistake_is_told(work: Workspace) -> None:
    (work.folder / "lastmile.yaml").write_text("name: x\nowner: y\ncost_center: z\nversions: []\nnme: 3\n")
    told = work.fails("preview")
    assert "lastmile.yaml:5 nme is not a field. Did you mean name?" in told
    assert "lastmile.yaml:4 versions is []" in told


def test_no_spec(work: Workspace) -> None:
    (work.folder / "lastmile.yaml").unlink()
    told = work.fails("up")
    assert f"there is no lastmile.yaml in {work.folder}." in told
    assert "hint: Name one with --spec, or write one: lastmile init MODEL" in told


def test_a_port_in_use(work: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        work.write_spec(targets={"local": {"port": port}})
        told = work.fails("up")
    assert f"targets.local.port is {port}, but " in told
    assert "name another port" in told
    assert nothing_was_made(work)


def test_a_corrupt_state_file(work: Workspace) -> None:
    work.run("up")
    work.run("up")
    state = work.home / "stacks" / "doubler" / "dev-local.json"
    state.write_text(state.read_text()[:100])
    told = work.fails("up")
    assert f"{state} is not the state of this stack: it is not JSON" in told
    assert "dev-local.json.bak" in told
    state.write_bytes(state.with_suffix(".json.bak").read_bytes())
    assert work.predict().status == 200
    state.unlink()
    assert work.json("up")["changes"] == {"create": 7}
    assert work.predict().status == 200


class Bomb:
    """What a malicious pickle does first: here, it makes a file."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.canary),)


def test_a_malicious_pickle_is_refused_by_init_and_up(work: Workspace, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (work.folder / "bomb.joblib").write_bytes(pickle.dumps(Bomb(canary)))
    (work.folder / "lastmile.yaml").unlink()
    told = work.fails("init", "bomb.joblib")
    assert "mkdir" in told
    assert "--trust" in told
    assert not (work.folder / "lastmile.yaml").exists()
    work.write_spec(versions=[{"id": "v1", "artifact": "bomb.joblib", "framework": "sklearn"}], traffic={})
    assert "mkdir" in work.fails("up")
    assert not canary.exists()
    assert nothing_was_made(work)


def test_a_cloud_without_the_cli_is_told_first(work: Workspace) -> None:
    (work.folder / "lastmile.yaml").write_text("not: a spec")
    path = os.pathsep.join(
        p for p in os.environ["PATH"].split(os.pathsep) if not (Path(p) / "pulumi").exists()
    )
    environ = {**work.environ(), "PATH": path, "HOME": str(work.home)}
    run = subprocess.run(
        [str(LASTMILE), "up", "--target", "aws"],
        cwd=work.folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "error: the Pulumi CLI is not on PATH." in run.stderr
    assert "lastmile doctor --install-pulumi" in run.stderr
    assert "https://www.pulumi.com/docs/install/" in run.stderr


def test_the_embedded_engine_deploys_to_no_cloud(work: Workspace) -> None:
    work.write_spec(targets={"aws": {"region": "eu-west-1"}})
    told = work.fails("destroy", "--yes", "--target", "aws", "--engine", "embedded")
    assert "the embedded engine previews aws, but deploys to this machine only." in told
    assert "Leave --engine out: the Pulumi CLI deploys to clouds." in told


def test_init_keeps_a_spec_that_is_there(work: Workspace) -> None:
    told = work.fails("init", "doubler.py")
    assert "lastmile.yaml is there already." in told
    assert "--force" in told


def test_a_deployment_that_is_not_there(work: Workspace) -> None:
    assert "doubler-dev is not deployed on this machine" in work.fails("status")
    assert "other is not deployed on this machine" in work.fails("key", "other")


@pytest.mark.skipif(
    shutil.which("mount") is None or os.geteuid() != 0, reason="mounting a small disk takes the superuser"
)
def test_a_full_disk(work: Workspace) -> None:
    work.home.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(work.home)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        told = work.fails("up")
        assert "No space left on device" in told
        subprocess.run(["mount", "-o", "remount,size=64m", str(work.home)], check=True)
        assert work.json("up")["changes"]["create"] >= 1
        assert work.predict().status == 200
    finally:
        work.clean_up()
        subprocess.run(["umount", "-l", str(work.home)], check=True)


@pytest.mark.parametrize("lines", range(1, 6))
def test_ctrl_c_at_any_step(work: Workspace, lines: int) -> None:
    """Interrupts after so many lines of progress: before the first resource, after each, and after the last."""
    process = subprocess.Popen(
        [str(LASTMILE), "up"],
        cwd=work.folder,
        env=work.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = [process.stderr.readline() for _ in range(lines)]
    process.send_signal(signal.SIGINT)
    told += process.stderr.readlines()
    assert process.wait(timeout=60) in (0, 1)
    assert "Traceback" not in "".join(told)
    assert work.json("up")["changes"].keys() <= {"create", "same"}
    assert work.predict().status == 200
