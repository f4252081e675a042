"""Both engines with our provider, and who Azure takes us for."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lastmile_sls.deploy import embedded_engine
from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine
from tests.lastmile_sls.bundle.oci.conftest import shared
from tests.lastmile_sls.delivery.kudu import TOKEN
from tests.lastmile_sls.delivery.project import Project, make_project

__all__ = ["shared"]


@pytest.fixture(params=["embedded", pytest.param("pulumi", marks=pytest.mark.pulumi_cli)])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LASTMILE_HOME", str(tmp_path / "home"))
    # A user's own backend settings must not reach the tests.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
    home = tmp_path / "home"
    engine = embedded_engine(home) if request.param == "embedded" else PulumiCliEngine(home, environ)
    return make_project(tmp_path / "project", engine)


@pytest.fixture
def azure_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an `az` on PATH that gives TOKEN, and let azure-identity ask nobody else; return the file of its calls."""
    calls = tmp_path / "az.calls"
    folder = tmp_path / "az"
    folder.mkdir()
    answer = f'{{"accessToken": "{TOKEN}", "expires_on": {int(time.time()) + 3600}, "tokenType": "Bearer"}}'
    (folder / "az").write_text(f"#!/bin/sh\necho \"$@\" >> {calls}\necho '{answer}'\n")
    (folder / "az").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    for name in ("ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET", "ARM_OIDC_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return calls
