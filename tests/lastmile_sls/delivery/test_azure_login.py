"""Who Azure is told that we are: as Pulumi's provider says, else as Azure's own tools know it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lastmile_sls.delivery import azure_login
from lastmile_sls.delivery.azure_login import MANAGEMENT, STORAGE, azure_token
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.delivery.kudu import TOKEN

ARM = {"ARM_TENANT_ID": "t" * 8, "ARM_CLIENT_ID": "a-client"}


def test_the_command_line_is_asked(azure_cli: Path) -> None:
    for scope, resource in (
        (MANAGEMENT, "https://management.azure.com"),
        (STORAGE, "https://storage.azure.com"),
    ):
        assert azure_token({}, scope)().token == TOKEN
        assert azure_cli.read_text().splitlines()[-1].endswith(f"--resource {resource}")


def test_who_is_not_logged_in_is_told_how(azure_cli: Path) -> None:
    (azure_cli.parent / "az" / "az").write_text("#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n")
    with pytest.raises(LastmileError) as caught:
        azure_token({}, MANAGEMENT)()
    assert caught.value.message.startswith("Azure gives us no token: ")
    assert "az login" in caught.value.hint


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({**ARM, "ARM_CLIENT_SECRET": "s"}, "ClientSecretCredential"),
        ({**ARM, "ARM_OIDC_TOKEN": "o"}, "ClientAssertionCredential"),
        (ARM, "DefaultAzureCredential"),
        ({}, "DefaultAzureCredential"),
    ],
)
def test_the_variables_of_pulumis_provider_come_first(
    azure_cli: Path, environ: dict[str, str], kind: str
) -> None:
    assert type(azure_login.credential(environ)).__name__ == kind


def test_settings_that_azures_library_refuses_are_told(
    azure_cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "nobody")
    with pytest.raises(LastmileError) as caught:
        azure_token({}, MANAGEMENT)
    assert caught.value.message.startswith(
        "Azure gives us no token: Invalid value for AZURE_TOKEN_CREDENTIALS"
    )


def test_the_extra_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(LastmileError) as caught:
        azure_token({}, MANAGEMENT)
    assert (caught.value.message, caught.value.hint) == (
        "azure-identity, which logs in at Azure, is not installed.",
        "Install it: pip install 'lastmile-sls[azure]'",
    )
