"""Logins as Docker keeps them: in its file, with real helper programs, and what is told when they fail."""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.bundle.oci.credentials import Login, docker_credentials
from lastmile_sls.errors import LastmileError

SECRET = "the-secret"
AGAIN = "Mend it, or run docker login again."
BY_HAND = "Run it by hand to see why, or take it out of Docker's config.json and run docker login again."


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Home:
    """A home with Docker's config.json, and a folder of helpers on PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / ".docker" / "config.json"
        self.file.parent.mkdir()
        self.programs = folder / "bin"
        self.programs.mkdir()

    def find(
        self, registry: str, config: dict[str, Any] | None = None, timeout_s: float = 60, **environ: str
    ) -> Login | None:
        if config is not None:
            self.file.write_text(json.dumps(config))
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return docker_credentials({"HOME": str(self.folder), "PATH": path, **environ}, timeout_s)(registry)

    def helper(self, name: str, script: str) -> None:
        path = self.programs / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_without_a_file_there_is_no_login(home: Home) -> None:
    assert home.find("r.io") is None
    assert home.find("r.io", {}) is None


@pytest.mark.parametrize(
    ("registry", "key"),
    [
        ("r.io", "r.io"),
        ("r.io:5000", "r.io:5000"),
        ("r.io", "https://r.io"),
        ("r.io", "https://r.io/v1/"),
        ("r.io", "https://r.io/v2/"),
        ("docker.io", "https://index.docker.io/v1/"),
    ],
)
def test_a_login_of_the_file(home: Home, registry: str, key: str) -> None:
    auths = {key: {"auth": encoded("ada:a:b")}, "other.io": {"auth": encoded("eve:x")}}
    assert home.find(registry, {"auths": auths}) == Login("ada", "a:b")
    assert home.find("another.io") is None


def test_a_name_and_a_password_as_they_are(home: Home) -> None:
    assert home.find("r.io", {"auths": {"r.io": {"username": "ada", "password": "b"}}}) == Login("ada", "b")


def test_an_identity_token(home: Home) -> None:
    entry = {"auth": encoded("00000000-0000-0000-0000-000000000000:"), "identitytoken": SECRET}
    found = home.find("r.azurecr.io", {"auths": {"r.azurecr.io": entry}})
    assert found is not None
    assert found.identity_token == SECRET


def test_the_folder_of_docker_config_comes_first(home: Home, tmp_path: Path) -> None:
    home.file.write_text(json.dumps({"auths": {"r.io": {"auth": encoded("ada:1")}}}))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text(
        json.dumps({"auths": {"r.io": {"auth": encoded("ada:2")}}})
    )
    assert home.find("r.io", DOCKER_CONFIG=str(tmp_path / "other")) == Login("ada", "2")


def test_a_helper_is_asked_for_its_registry_alone(home: Home) -> None:
    home.helper(
        "mine",
        f'read url; echo "{{\\"ServerURL\\": \\"$url\\", \\"Username\\": \\"$1 $url\\", \\"Secret\\": \\"{SECRET}\\"}}"',
    )
    config = {"credHelpers": {"r.io": "mine"}, "auths": {"r.io": {}, "other.io": {"auth": encoded("ada:b")}}}
    assert home.find("r.io", config) == Login("get r.io", SECRET)
    assert home.find("other.io") == Login("ada", "b")


def test_a_store_is_asked_for_every_registry_and_the_file_where_it_has_nothing(home: Home) -> None:
    home.helper(
        "store",
        """read url; case $url in
        https://index.docker.io/v1/) echo '{"Username": "hub", "Secret": "s"}';;
        *) echo "credentials not found in native keychain"; exit 1;;
        esac""",
    )
    config = {"credsStore": "store", "auths": {"r.io": {"auth": encoded("ada:b")}}}
    assert home.find("docker.io", config) == Login("hub", "s")
    assert home.find("r.io") == Login("ada", "b")
    assert home.find("other.io") is None


def test_a_helpers_identity_token(home: Home) -> None:
    home.helper("mine", f"""echo '{{"Username": "<token>", "Secret": "{SECRET}"}}'""")
    assert home.find("r.io", {"credsStore": "mine"}) == Login(identity_token=SECRET)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (f"echo {SECRET}; exit 3", "docker-credential-mine gave no login for r.io: it ended with 3."),
        (f"echo {SECRET}", "docker-credential-mine gave no login for r.io, but something else."),
        (f"""echo '["{SECRET}"]'""", "docker-credential-mine gave no login for r.io, but something else."),
        (
            f"""echo '{{"Secret": "{SECRET}"}}'""",
            "docker-credential-mine gave no login for r.io, but something else.",
        ),
    ],
)
def test_a_helper_that_fails_is_told_without_what_it_said(home: Home, script: str, message: str) -> None:
    home.helper("mine", script)
    with pytest.raises(LastmileError) as caught:
        home.find("r.io", {"credsStore": "mine"})
    assert (caught.value.message, caught.value.hint) == (message, BY_HAND)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_helper_that_cannot_be_run_is_told(home: Home) -> None:
    home.helper("mine", "")
    (home.programs / "docker-credential-mine").write_text("#!/no/such/shell\n")
    with pytest.raises(LastmileError) as caught:
        home.find("r.io", {"credsStore": "mine"})
    assert caught.value.message == "docker-credential-mine cannot be run: No such file or directory."


def test_a_helper_that_is_not_there_is_told(home: Home) -> None:
    with pytest.raises(LastmileError) as caught:
        home.find("r.io", {"credHelpers": {"r.io": "lost"}})
    assert caught.value.message == "Docker's config.json names docker-credential-lost, which is not on PATH."
    assert caught.value.hint == "Install it, or take it out of config.json and run docker login again."


def test_a_helper_that_hangs_is_ended(home: Home) -> None:
    home.helper("mine", f"exec {sys.executable} -c 'import time; time.sleep(30)'")
    started = time.monotonic()
    with pytest.raises(LastmileError) as caught:
        home.find("r.io", {"credsStore": "mine"}, timeout_s=0.2)
    assert caught.value.message == "docker-credential-mine gave no login for r.io in 0.2 s."
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (f"{{'{SECRET}'", "{} is not JSON.", AGAIN),
        (f'["{SECRET}"]', "{} is not a JSON object.", AGAIN),
        ('{"auths": ["r.io"]}', "{}: auths is not an object.", AGAIN),
        ('{"credHelpers": "x"}', "{}: credHelpers is not an object.", AGAIN),
        (
            f'{{"auths": {{"r.io": {{"auth": "{SECRET}!"}}}}}}',
            "{}: auths['r.io'].auth is not NAME:PASSWORD in Base64.",
            "Run docker login again.",
        ),
        (
            f'{{"auths": {{"r.io": {{"auth": "{encoded(SECRET)}"}}}}}}',
            "{}: auths['r.io'].auth is not NAME:PASSWORD in Base64.",
            "Run docker login again.",
        ),
    ],
)
def test_a_file_that_is_not_dockers_is_told_without_what_is_in_it(
    home: Home, content: str, message: str, hint: str
) -> None:
    home.file.write_text(content)
    with pytest.raises(LastmileError) as caught:
        home.find("r.io")
    assert (caught.value.message, caught.value.hint) == (message.format(home.file), hint)


def test_a_file_that_cannot_be_read_is_told(home: Home) -> None:
    home.file.mkdir()
    with pytest.raises(LastmileError) as caught:
        home.find("r.io")
    assert caught.value.message == f"{home.file} cannot be read: Is a directory."


def test_secrets_are_not_shown() -> None:
    assert SECRET not in repr(Login("ada", SECRET, SECRET))
    assert Login("ada", "b").basic == encoded("ada:b")
