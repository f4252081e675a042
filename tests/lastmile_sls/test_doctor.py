"""The doctor says what is there, where it found it, and what to do; it never shows a secret."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from lastmile_sls import doctor


def examine(tmp_path: Path, **environ: str) -> dict[str, doctor.Finding]:
    findings = doctor.examine({"PATH": "/nowhere", **environ}, tmp_path / "home", tmp_path)
    return {finding.subject: finding for finding in findings}


def test_nothing_is_installed(tmp_path: Path) -> None:
    found = examine(tmp_path)
    assert found["Python"].status == "ok"
    assert found["state folder"] == doctor.Finding("state folder", "ok", str(tmp_path / "home"))
    assert found["Pulumi CLI"].status == "missing"
    assert found["Pulumi CLI"].detail == "the Pulumi CLI is not on PATH."
    assert "lastmile doctor --install-pulumi" in found["Pulumi CLI"].advice
    assert found["AWS credentials"].advice == "Only for deploying there: aws configure"
    assert found["Google Cloud credentials"].advice.endswith("gcloud auth application-default login")
    assert found["Azure credentials"].advice.endswith("az login")


def test_credentials_are_found_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".azure").mkdir()
    (tmp_path / ".azure" / "azureProfile.json").write_text("{}")
    found = examine(tmp_path, AWS_ACCESS_KEY_ID="AKIASECRET", GOOGLE_APPLICATION_CREDENTIALS="/key.json")
    assert found["AWS credentials"] == doctor.Finding("AWS credentials", "ok", "from AWS_ACCESS_KEY_ID")
    assert found["Google Cloud credentials"].detail == "from GOOGLE_APPLICATION_CREDENTIALS"
    assert found["Azure credentials"].detail == "from ~/.azure/azureProfile.json"
    assert "AKIASECRET" not in repr(found)


def test_a_clouds_sdk_is_there_or_told_how_to_get() -> None:
    found = doctor._sdk("AWS", "pulumi-aws")
    assert (found.subject, found.status) == ("AWS SDK", "ok")
    assert found.detail.startswith("pulumi-aws 7.")
    assert doctor._sdk("Azure", "no-such-package") == doctor.Finding(
        "Azure SDK", "missing", "not installed", "Only for that cloud: pip install 'lastmile-sls[azure]'"
    )


def test_a_python_that_is_too_old() -> None:
    assert doctor._python((3, 10, 2)) == doctor.Finding(
        "Python", "broken", "3.10.2", "Install Python 3.11 to 3.14."
    )


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert doctor._port(port).detail == f"{port} is in use"
    assert doctor._port(port).detail == f"{port} is free"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert examine(tmp_path)["state folder"].status == "broken"


@pytest.mark.pulumi_cli
def test_the_pulumi_cli_is_found(tmp_path: Path) -> None:
    assert examine(tmp_path, PATH=os.environ["PATH"])["Pulumi CLI"].status == "ok"
