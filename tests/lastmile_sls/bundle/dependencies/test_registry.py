"""Which registry uv is told of: its own configuration wins, pip's stands in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lastmile_sls.bundle.dependencies.registry import Registry, find_registry

SECRET = "https://user:hunter2@mirror.example/simple"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "work/deep").mkdir(parents=True)
    return tmp_path


def found(home: Path, **variables: str) -> Registry:
    """Return what is found by somebody whose machine may have a pip.conf in /etc, which counts least."""
    alone = {
        "HOME": str(home),
        "XDG_CONFIG_DIRS": str(home / "system"),
        "PIP_CONFIG_FILE": str(home / "own.conf"),
    }
    return find_registry({**alone, **variables}, home / "work/deep")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    "name", ["UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE"]
)
def test_uvs_own_variables_are_left_to_uv(home: Path, name: str) -> None:
    assert found(home, **{name: "https://a.example", "PIP_INDEX_URL": SECRET}) == Registry()


def test_no_index_is_an_option_of_uv() -> None:
    assert find_registry({"UV_NO_INDEX": "1"}, Path.cwd()) == Registry(options=("--no-index",))
    assert find_registry({"UV_NO_INDEX": "0", "UV_FIND_LINKS": "x"}, Path.cwd()) == Registry()


def test_pips_variables_stand_in(home: Path) -> None:
    wheels = home / "wheels"
    wheels.mkdir()
    told = found(
        home,
        PIP_INDEX_URL=SECRET,
        PIP_EXTRA_INDEX_URL="https://a.example\n https://b.example",
        PIP_FIND_LINKS=f"{wheels} {home}/nowhere https://c.example/wheels",
        PIP_TRUSTED_HOST="a.example",
        PIP_CERT="/ca.pem",
        PIP_NO_INDEX="true",
    )
    assert told.environ == {
        "UV_DEFAULT_INDEX": SECRET,
        "UV_INDEX": "https://a.example https://b.example",
        "UV_FIND_LINKS": f"{wheels},https://c.example/wheels",
        "UV_INSECURE_HOST": "a.example",
        "SSL_CERT_FILE": "/ca.pem",
    }
    assert told.options == ("--no-index",)
    assert "hunter2" not in repr(told)


def test_certificates_that_are_configured_stay(home: Path) -> None:
    assert "SSL_CERT_FILE" not in found(home, PIP_CERT="/pip.pem", SSL_CERT_FILE="/own.pem").environ


def test_pips_files_count_in_pips_order(home: Path) -> None:
    def index(**variables: str) -> str:
        return found(home, **variables).environ["UV_DEFAULT_INDEX"]

    write(home / "system/pip/pip.conf", "[global]\nindex-url = https://system.example\ntrusted-host = h\n")
    write(home / ".pip/pip.conf", "[global]\nindex-url = https://old.example\n")
    assert index() == "https://old.example"
    assert found(home).environ["UV_INSECURE_HOST"] == "h"
    both = "[install]\nindex_url = https://user.example\n[global]\nindex-url = https://x.example\n"
    write(home / ".config/pip/pip.conf", both)
    write(home / "elsewhere/pip/pip.conf", "[global]\nindex-url = https://xdg.example\n")
    assert index() == "https://user.example"
    assert index(XDG_CONFIG_HOME=str(home / "elsewhere")) == "https://xdg.example"
    write(home / "own.conf", "[global]\nindex-url = https://own.example\n")
    assert index() == "https://own.example"
    assert index(PIP_INDEX_URL="https://variable.example") == "https://variable.example"
    assert found(home, PIP_CONFIG_FILE=os.devnull) == Registry()


@pytest.mark.parametrize("broken", [b"index-url = https://old.example\n", b"[global]\nindex-url = \xff\n"])
def test_a_broken_file_of_pips_is_passed_over(home: Path, broken: bytes) -> None:
    write(home / ".config/pip/pip.conf", "[global]\nindex-url = https://user.example\n")
    (home / "own.conf").write_bytes(broken)
    assert found(home).environ["UV_DEFAULT_INDEX"] == "https://user.example"


@pytest.mark.parametrize(
    ("path", "text", "is_uvs"),
    [
        ("work/uv.toml", 'index-url = "https://a.example"\n', True),
        ("work/deep/uv.toml", '[pip]\nfind-links = ["/wheels"]\n', True),
        ("work/uv.toml", '[[index]]\nurl = "https://a.example"\n', True),
        (".config/uv/uv.toml", "no-index = true\n", True),
        ("system/uv/uv.toml", 'extra-index-url = ["https://a.example"]\n', True),
        ("work/pyproject.toml", '[[tool.uv.index]]\nurl = "https://a.example"\n', True),
        ("work/pyproject.toml", '[tool.uv]\nlink-mode = "copy"\n', False),
        ("work/pyproject.toml", "tool = 1\n", False),
        ("work/uv.toml", "pip = 1\n", False),
        ("work/uv.toml", "index-url = \n", False),
    ],
)
def test_files_of_uvs_that_name_a_registry_win(home: Path, path: str, text: str, is_uvs: bool) -> None:
    write(home / path, text)
    told = found(home, PIP_INDEX_URL=SECRET)
    assert ("UV_DEFAULT_INDEX" in told.environ) != is_uvs
    assert (told == Registry()) == is_uvs
    assert found(home, PIP_INDEX_URL=SECRET, UV_NO_CONFIG="1").environ["UV_DEFAULT_INDEX"] == SECRET
