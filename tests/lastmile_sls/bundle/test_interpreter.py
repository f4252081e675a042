"""A Python of the function's version: found wherever it is, and only if it runs and says that it is one."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from lastmile_sls.bundle.interpreter import find_interpreter
from lastmile_sls.errors import LastmileError

RUNNING = "%d.%d" % sys.version_info[:2]  # noqa: UP031 - reads like the version
SHIM = "#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n"


@pytest.fixture(scope="module")
def other() -> tuple[str, Path]:
    """Another Python than the running one, wherever this machine has it."""
    for version in ("3.13", "3.12", "3.14", "3.11"):
        if version != RUNNING:
            try:
                return version, find_interpreter(version)
            except LastmileError:
                continue
    pytest.skip("this machine has one Python alone")


def alone(folder: Path, **variables: str) -> dict[str, str]:
    """Return the variables of somebody who has no Python."""
    (folder / "bin").mkdir(exist_ok=True)
    nowhere = {"UV_PYTHON_INSTALL_DIR": str(folder / "managed"), "UV_CACHE_DIR": str(folder / "cache")}
    return {"HOME": str(folder), "PATH": str(folder / "bin"), "UV_HTTP_RETRIES": "0", **nowhere, **variables}


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def said(python: Path, what: str) -> list[str]:
    command = [str(python), "-c", f"import platform, sys; print({what})"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def version_of(python: Path) -> str:
    return said(python, "'%d.%d' % sys.version_info[:2]")[0]


def refusal(version: str, environ: dict[str, str], *, download: bool = False) -> LastmileError:
    with pytest.raises(LastmileError) as refused:
        find_interpreter(version, download=download, environ=environ)
    return refused.value


def test_the_running_one_is_taken_if_it_fits(tmp_path: Path) -> None:
    assert find_interpreter(RUNNING, environ=alone(tmp_path)) == Path(sys.executable)


def test_one_on_the_path_is_found(tmp_path: Path, other: tuple[str, Path]) -> None:
    version, python = other
    environ = alone(tmp_path)
    program(tmp_path / f"bin/python{version}", f'#!/bin/sh\nexec {python} "$@"\n')
    found = find_interpreter(version, environ=environ)
    assert version_of(found) == version


@pytest.mark.parametrize("told_by", ["PYENV_ROOT", "pyenv root", "HOME"])
def test_pyenvs_is_found_behind_a_shim_that_fails(
    tmp_path: Path, other: tuple[str, Path], told_by: str
) -> None:
    version, python = other
    root = tmp_path / (".pyenv" if told_by == "HOME" else "elsewhere")
    environ = alone(tmp_path, **({"PYENV_ROOT": str(root)} if told_by == "PYENV_ROOT" else {}))
    if told_by == "pyenv root":
        program(tmp_path / "bin/pyenv", f"#!/bin/sh\n[ $1 = root ] && echo {root}\n")
    program(tmp_path / f"bin/python{version}", SHIM)
    for patch in (2, 9):
        program(root / f"versions/{version}.{patch}/bin/python{version}", SHIM)
    newest = program(root / f"versions/{version}.10/bin/python{version}", f'#!/bin/sh\nexec {python} "$@"\n')
    assert find_interpreter(version, environ=environ) == newest


def test_none_is_told_with_all_places_and_the_way_out(tmp_path: Path) -> None:
    version = "3.10" if RUNNING != "3.10" else "3.12"
    environ = alone(tmp_path)
    shim = program(tmp_path / f"bin/python{version}", SHIM)
    old = program(
        tmp_path / f".pyenv/versions/{version}.1/bin/python{version}", "#!/bin/sh\necho pypy 3.10 final\n"
    )
    told = refusal(version, environ)
    lines = told.message.splitlines()
    assert (
        lines[0]
        == f"No Python {version} was found, and the bundle's bytecode is compiled with one. Looked at:"
    )
    assert lines[1] == f"  the running Python: it is cpython {RUNNING} final"
    assert lines[2].startswith("  uv python find: ")
    assert lines[3:] == [
        f"  pyenv ({old}): it is pypy 3.10 final",
        f"  PATH ({shim}): it ended with 127: pyenv: python3: command not found",
    ]
    assert told.hint == (
        f"Install one (uv python install {version}, or pyenv install {version}), or write bytecode: none in the spec: "
        "then the function compiles its modules itself, at each cold start."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("#!/bin/sh\necho cpython 3.99 candidate\n", "it is cpython 3.99 candidate"),
        ("#!/bin/sh\n", "it is silent"),
        ("#!/bin/sh\nexit 3\n", "it ended with 3: it said nothing"),
        ("#!/nowhere/python\n", "it cannot be run"),
    ],
)
def test_what_does_not_say_that_it_is_one_is_not_taken(tmp_path: Path, text: str, told: str) -> None:
    environ = alone(tmp_path)
    path = program(tmp_path / "bin/python3.99", text)
    assert refusal("3.99", environ).message.endswith(
        f"\n  pyenv ({tmp_path}/.pyenv): nothing there\n  PATH ({path}): {told}"
    )


def test_fetching_is_asked_for_and_its_failure_told(tmp_path: Path) -> None:
    version = "3.10" if RUNNING != "3.10" else "3.12"
    environ = alone(tmp_path, UV_PYTHON_INSTALL_MIRROR=(tmp_path / "mirror").as_uri())
    assert "uv python install 3" not in refusal(version, environ).message
    last = refusal(version, environ, download=True).message.splitlines()[-1]
    assert last.startswith(f"  uv python install {version}: Failed to install cpython-{version}.")
    assert not any((tmp_path / "bin").iterdir())


def test_a_fetched_one_is_used(tmp_path: Path, other: tuple[str, Path]) -> None:
    """uv fetches an archive from a list of its own; what is in this one hands on to another Python of this machine."""
    version, python = other
    patch, machine, system = said(python, "platform.python_version(), platform.machine(), sys.platform")
    if system != "linux":
        pytest.skip("the archive is laid out as for Linux")
    name, library = (
        f"python{version}",
        f"python/lib/python{version}/_sysconfigdata__linux_{machine}-linux-gnu.py",
    )
    program(tmp_path / f"python/bin/{name}", f'#!/bin/sh\nexec {python} "$@"\n')
    program(
        tmp_path / library,
        "# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n",
    )
    with tarfile.open(tmp_path / "python.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "python", "python")
    offer = {
        "name": "cpython",
        "arch": {"family": machine, "variant": None},
        "os": "linux",
        "libc": "gnu",
        **dict(zip(("major", "minor", "patch"), map(int, patch.split(".")), strict=True)),
        "prerelease": "",
        "url": (tmp_path / "python.tar.gz").as_uri(),
        "sha256": None,
        "variant": None,
        "build": "20250101",
    }
    offers = tmp_path / "offers.json"
    offers.write_text(json.dumps({f"cpython-{patch}-linux-{machine}-gnu": offer}))
    environ = alone(tmp_path, UV_PYTHON_DOWNLOADS_JSON_URL=str(offers))
    told: list[str] = []
    found = find_interpreter(version, download=True, tell=told.append, environ=environ)
    assert version_of(found) == version
    assert told == [f"fetching Python {version}"]
    assert list((tmp_path / "managed").glob(f"cpython-*/bin/{name}"))
    assert find_interpreter(version, tell=told.append, environ=environ) == found
    assert len(told) == 1
