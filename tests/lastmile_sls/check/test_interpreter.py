"""Interpreters: what they are, and one that has the standard library alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lastmile_sls.check.interpreter import isolate, probe
from lastmile_sls.errors import LastmileError

ASKS = """
import importlib.util, json, sys, sysconfig
names = ("json", "sqlite3", "ctypes", "numpy", "pip", "pytest")
print(json.dumps([[bool(importlib.util.find_spec(name)) for name in names], sys.prefix, list(sys.version_info[:3])]))
"""


def test_what_this_one_is() -> None:
    found = probe(Path(sys.executable))
    assert found.version == sys.version_info[:3]
    assert found.minor == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert found.cache_tag == sys.implementation.cache_tag
    assert {"json", "sys", "_socket"} <= found.standard_library
    assert "numpy" not in found.standard_library
    assert (found.packages / "pytest").is_dir()
    assert found.path.resolve() == Path(sys.executable).resolve()


@pytest.mark.parametrize("flags", [["-I"], ["-I", "-S"], []])
def test_an_isolated_one_has_the_standard_library_alone(flags: list[str], tmp_path: Path) -> None:
    python = isolate(probe(Path(sys.executable)), tmp_path / "home")
    done = subprocess.run(
        [python, *flags, "-c", ASKS], env={}, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    found, prefix, version = json.loads(done.stdout)
    assert found == [True, True, True, False, False, False]
    assert prefix == str(tmp_path / "home")
    assert version == list(sys.version_info[:3])


def test_what_is_no_interpreter(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'no such thing' >&2\nexit 7\n")
    script.chmod(0o755)
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexit 7\n")
    silent.chmod(0o755)
    old = tmp_path / "old"
    facts = {"version": [3, 9, 1], "cache_tag": "", "base": ""}
    old.write_text(f"#!/bin/sh\necho '{json.dumps(facts)}'\n")
    old.chmod(0o755)
    for path, message in (
        (tmp_path / "none", f"{tmp_path}/none cannot be run: No such file or directory."),
        (script, f"{script} is no Python interpreter that functions run on: no such thing."),
        (silent, f"{silent} is no Python interpreter that functions run on: it ended with 7."),
        (old, f"{old} is Python 3.9.1, but functions run on 3.11 or newer."),
    ):
        with pytest.raises(LastmileError) as caught:
            probe(path)
        assert caught.value.message == message
    assert os.access(script, os.X_OK)
