"""The clouds' runtime clients: their pins, where they are kept, and what is told when they cannot be had."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lastmile_sls.check.interpreter import probe
from lastmile_sls.check.tools import AWSLAMBDARIC, AZURE_WORKER, install
from lastmile_sls.errors import LastmileError

HERE = probe(Path(sys.executable))


@pytest.mark.parametrize("tool", [AWSLAMBDARIC, AZURE_WORKER])
def test_every_pin_has_a_version_and_hashes(tool: object) -> None:
    assert tool in (AWSLAMBDARIC, AZURE_WORKER)
    requirements = AWSLAMBDARIC.requirements if tool is AWSLAMBDARIC else AZURE_WORKER.requirements
    blocks = re.split(r"\n(?=\S)", requirements.strip())
    for block in blocks:
        assert re.match(r"[a-z0-9-]+==[0-9][0-9.]*( ; [^\n]+)? \\\n", block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block)
    assert "://" not in requirements


def test_their_versions() -> None:
    assert re.fullmatch(r"4\.\d+\.\d+", AWSLAMBDARIC.version)
    assert re.fullmatch(r"1\.\d+\.\d+", AZURE_WORKER.version)


def kept(tools: Path) -> Path:
    folder = tools / f"awslambdaric-{AWSLAMBDARIC.version}-python{HERE.minor}"
    folder.mkdir(parents=True)
    (folder / "requirements.txt").write_text(AWSLAMBDARIC.requirements)
    return folder


def test_what_is_there_is_not_installed_again(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    assert install(AWSLAMBDARIC, HERE, tmp_path, {}) == folder


def offline(tmp_path: Path) -> dict[str, str]:
    """An environment in which uv has nothing, and asks nobody."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_OFFLINE": "1",
        "UV_NO_CONFIG": "1",
        "UV_INDEX_URL": "https://user:secret@index.example/simple",
    }


def test_without_a_network_it_is_told_what_is_missing_and_nothing_is_left(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    with pytest.raises(LastmileError) as caught:
        install(AWSLAMBDARIC, HERE, tools, offline(tmp_path))
    assert caught.value.message.startswith(
        f"awslambdaric {AWSLAMBDARIC.version} could not be installed. The package registry could not be reached for "
    )
    assert "secret" not in str(caught.value)
    assert caught.value.hint.endswith(
        f"It is needed once, and kept in {tools}/awslambdaric-{AWSLAMBDARIC.version}-python{HERE.minor}."
    )
    assert list(tools.iterdir()) == []


def test_other_pins_are_installed_anew(tmp_path: Path) -> None:
    (kept(tmp_path) / "requirements.txt").write_text("awslambdaric==0.0.1\n")
    with pytest.raises(LastmileError) as caught:
        install(AWSLAMBDARIC, HERE, tmp_path, offline(tmp_path))
    assert "could not be installed" in caught.value.message
    # What was there stays until the new one is.
    assert [path.name[:12] for path in tmp_path.iterdir() if path.name.startswith("aws")] == ["awslambdaric"]


def test_an_older_python_than_it_is_made_for(tmp_path: Path) -> None:
    with pytest.raises(LastmileError) as caught:
        install(AZURE_WORKER, replace(HERE, version=(3, 12, 1)), tmp_path, {})
    assert str(caught.value) == (
        "azure-functions-runtime needs Python 3.13, but the interpreter is Python 3.12. "
        "Azure publishes its worker as a package for Python 3.13 and newer alone.\n"
        "Check with a Python 3.13 or newer."
    )
