from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "native" / "build.py"


@pytest.fixture(scope="module")
def build() -> Any:
    spec = spec_from_file_location("native_build", BUILD)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_libraries_are_built_when_one_is_missing_or_older_than_a_source(build: Any, tmp_path: Path) -> None:
    paths = list(build.libraries(tmp_path).values())
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "x86_64/_forest.abi3.so",
        "aarch64/_forest.abi3.so",
    ]
    assert not build.is_current(tmp_path)
    for path in paths:
        path.parent.mkdir()
        path.touch()
    assert build.is_current(tmp_path)
    os.utime(paths[1], (0, 0))
    assert not build.is_current(tmp_path)


def test_a_failed_build_says_why_and_leaves_what_was_there(
    build: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    (tmp_path / "ziglang").mkdir()
    (tmp_path / "ziglang" / "__main__.py").write_text(
        "import sys; open(sys.argv[sys.argv.index('-o') + 1], 'w').close(); sys.exit('no such flag')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    library = tmp_path / "out" / "_forest.abi3.so"
    library.parent.mkdir()
    library.write_text("the old one")
    with pytest.raises(subprocess.CalledProcessError):
        build.compile_c("x86_64", [ROOT / "native" / "read.c"], library)
    assert [(path.name, path.read_text()) for path in library.parent.iterdir()] == [
        ("_forest.abi3.so", "the old one")
    ]


def test_the_compilers_requirement_is_one_pin(build: Any) -> None:
    run = subprocess.run(
        [sys.executable, str(BUILD), "--requirement"], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == build.ZIGLANG
    assert re.fullmatch(r"ziglang==\d+\.\d+\.\d+", build.ZIGLANG)


@pytest.mark.parametrize("arguments", [["--fuzzer"], ["--driver", "x86_64"]])
def test_a_program_needs_a_place(arguments: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, str(BUILD), *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "--driver and --fuzzer need --output" in run.stderr


def test_wheels_ship_the_libraries_that_git_ignores(build: Any) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (pattern,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["artifacts"]
    assert pattern in (ROOT / ".gitignore").read_text().splitlines()
    assert set(ROOT.glob(pattern)) >= set(build.libraries().values())
    assert "custom" in project["tool"]["hatch"]["build"]["hooks"]


def test_the_sources_ask_for_no_headers_but_their_own_and_the_compilers() -> None:
    """The library's sources; programs for tests may use C's library."""
    included = {
        name
        for source in (*(ROOT / "native").glob("*.[ch]"),)
        if source.name != "driver.c"
        for name in re.findall(r'^#include [<"](.+)[>"]', source.read_text(), flags=re.MULTILINE)
    }
    assert included == {"forest.h", "stable_abi.h", "stddef.h", "stdint.h"}
