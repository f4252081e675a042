"""`lastmile status` of a cloud, word for word; what each cloud's client says is in tests/conformance."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lastmile_sls.control.told import AlarmState, FunctionState, ScheduleState
from tests.lastmile_sls.cli.clouds import DIGEST, OUTPUTS, Played, with_traffic
from tests.lastmile_sls.control.commands import Typist


def full(played: Played) -> None:
    played.states = (
        FunctionState(
            "predict", "arn:1", "ready", None, "7", DIGEST, 512, 0, None, "2026-11-29T12:00:00Z", 3
        ),
        FunctionState("predict-v2", "arn:2", "failed", "the image is gone"),
    )
    played.clock = ScheduleState("s", "on", "0 2 * * *", "2026-11-30T02:00:00Z", "2026-11-29T02:00:00Z")
    played.told = (
        AlarmState("errors", "a", "ok"),
        AlarmState("latency", "b", "alarm", "too slow", "2026-11-29T11:00:00Z"),
        AlarmState("throttles", "c", "no data"),
    )


def test_everything_is_shown(typist: Typist, played: Played, tmp_path: Path) -> None:
    full(played)
    typist.write_outputs({**with_traffic(tmp_path), "dashboard": "https://d.example"})
    told = typist.ask("status")
    assert (told.code, told.err) == (1, "")
    assert told.out.splitlines() == [
        "churn-dev",
        "  target     aws, eu-west-1, account 123456789012",
        "  endpoint   https://x.example  (API key: lastmile key --target aws)",
        "  versions   v2 90 % (champion), v1 10 %, v3 shadow of 5 %",
        "  function   predict: ready, 512 MB, bundle sha256:abababababab, version 7",
        "             0 to any number of instances, changed 2026-11-29T12:00:00Z, 3 errors in the last hour",
        "  function   predict-v2: failed",
        "             why: the image is gone",
        "  queue      jobs: 3 waiting, 2 dead",
        "  schedule   on, 0 2 * * *, next 2026-11-30T02:00:00Z, last 2026-11-29T02:00:00Z",
        "  alarm      errors: ok",
        "  alarm      latency: alarm since 2026-11-29T11:00:00Z: too slow",
        "  alarm      throttles: no data",
        "  dashboard  https://d.example",
    ]
    document = typist.ask("status", "--json").json
    assert document["traffic"] == json.loads((tmp_path / "routing.json").read_text())
    assert (document["ready"], document["target"], document["auth"]) == (False, "aws", "key")


def test_without_a_queue_a_key_and_traffic(typist: Typist, played: Played) -> None:
    played.states = (FunctionState("predict", "arn:1", "ready"),)
    played.has_queue = False
    plain = {name: OUTPUTS[name] for name in ("deployment", "target", "url", "functions")}
    typist.write_outputs({**plain, "versions": ["v1"]})
    told = typist.ask("status")
    assert (told.code, told.out.splitlines()) == (
        0,
        [
            "churn-dev",
            "  target     aws",
            "  endpoint   https://x.example  (no API key)",
            "  versions   v1 100 %",
            "  function   predict: ready",
        ],
    )
    played.clock = ScheduleState("s", "missing", last_error="it is gone")
    assert typist.ask("status").code == 1


def test_watching_looks_again(typist: Typist, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    played.states = (FunctionState("predict", "arn:1", "updating"),)
    looks = 0

    def sleep(seconds: float) -> None:
        nonlocal looks
        looks += 1
        played.states = (FunctionState("predict", "arn:1", "ready"),)
        if looks == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("lastmile_sls.cli.status.time.sleep", sleep)
    told = typist.ask("status", "--watch")
    assert (told.code, told.err.strip()) == (1, "stopped.")
    assert [line for line in told.out.splitlines() if "function" in line] == [
        "  function   predict: updating",
        "  function   predict: ready",
    ]


def test_what_does_not_go_together(typist: Typist, played: Played) -> None:
    assert "--all is for this machine." in typist.ask("status", "--all").err
    assert (
        "--outputs says which deployment is meant: do not name another." in typist.ask("status", "churn").err
    )
    told = typist.ask("status", "--target", "gcp")
    assert (told.code, told.err.splitlines()) == (
        1,
        [
            f"error: {typist.outputs_file} is of a deployment on aws, but --target is gcp.",
            "hint: --target aws",
        ],
    )


def test_this_machine_needs_no_clouds_sdk(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from lastmile_sls.cli import lastmile\n"
        "lastmile.main(['status', '--all'], standalone_mode=False)\n"
        "clouds = ('boto3', 'botocore', 'azure', 'google.cloud.run_v2', 'google.auth', 'google.api_core')\n"
        "found = [n for n in sys.modules if n.startswith(clouds) or n.startswith('lastmile_sls.control')]\n"
        "assert not found, found\n"
    )
    environ = {"LASTMILE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "nothing is deployed on this machine\n")
