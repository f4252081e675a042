from __future__ import annotations

import _imp
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lastmile_runtime import forest, forest_python
from lastmile_runtime.errors import BundleError
from lastmile_sls.compile.forest import Answer, Forest, Leaf, Split, Tree
from lastmile_sls.compile.forest_file import render

HANDLERS = Path(forest.__file__).parents[1]
FOREST = Forest(1, 1, [Tree([Split(0, 0.5, 1, 2), Leaf([1.0]), Leaf([2.0])])], [0.0])
CONTENT = render(FOREST)
OPEN = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
from lastmile_runtime.forest import evaluator, open_forest
print(open_forest(sys.argv[2]).evaluate([0.4, 0.6])[0], evaluator().__name__)
open_forest(sys.argv[2])
print(*sorted(set(sys.modules) - before))
"""


@pytest.fixture(autouse=True)
def unknown_evaluator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forest, "_evaluator", None)


def write(folder: Path, content: bytes = CONTENT) -> str:
    path = folder / "model.forest"
    path.write_bytes(content)
    return str(path)


def opened(path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", OPEN, str(HANDLERS), path]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_in_a_fresh_process_nothing_but_the_native_module_is_needed(tmp_path: Path) -> None:
    run = opened(write(tmp_path))
    answer, loaded = run.stdout.splitlines()
    assert answer == "[1.0, 2.0] _forest"
    assert run.stderr == ""
    assert loaded.split() == [
        "__future__",
        "lastmile_runtime",
        "lastmile_runtime.errors",
        "lastmile_runtime.forest",
    ]


def test_each_supported_processor_has_its_library() -> None:
    for processor, machine in (("x86_64", 62), ("aarch64", 183)):
        library = HANDLERS / "lastmile_runtime" / "native" / processor / "_forest.abi3.so"
        content = library.read_bytes()
        # e_machine of an ELF header, little endian.
        assert content[:4] == b"\x7fELF"
        assert int.from_bytes(content[18:20], "little") == machine
        assert b"GLIBC" not in content, "it runs with any C library, and with musl"


@pytest.mark.parametrize(
    ("platform", "machine", "abiflags"),
    [("linux", "riscv64", ""), ("darwin", "arm64", ""), ("linux", "x86_64", "t")],
)
def test_without_a_library_python_evaluates_and_says_so_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    platform: str,
    machine: str,
    abiflags: str,
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "abiflags", abiflags)
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("", "", "", "", machine)))
    for _ in range(2):
        found: Any = forest.open_forest(write(tmp_path))
        assert isinstance(found, forest_python.Forest)
        assert found.evaluate([0.4, 0.6])[0] == [1.0, 2.0]
    said = capsys.readouterr().err
    assert said.startswith(
        f"lastmile: trees are evaluated in Python, which is slow: there is no native evaluator for {platform}"
    )
    assert said.count("\n") == 1


def test_a_library_that_cannot_be_loaded_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def create(spec: Any) -> Any:
        raise ImportError(f"{spec.origin}: wrong ELF class")

    monkeypatch.setattr(_imp, "create_dynamic", create)
    assert forest.evaluator() is forest_python
    assert "wrong ELF class" in capsys.readouterr().err


def test_a_large_file_is_mapped_and_a_small_one_is_read(tmp_path: Path) -> None:
    path = write(tmp_path)
    large = Forest(1, 1, [], [0.5], answers=[Answer("x" * forest.MAPPED_BYTES, "FP64")])
    small_maps, large_path = Path("/proc/self/maps"), str(tmp_path / "large.forest")
    Path(large_path).write_bytes(render(large))
    kept = [forest.open_forest(path), forest.open_forest(large_path)]
    maps = small_maps.read_text()
    assert large_path in maps
    assert path not in maps
    assert kept[1].evaluate([0.0])[0] == [0.5]


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        BundleError,
        match=r"^model.forest: the forest file cannot be read: it has 5 bytes, but its header takes 128\.$",
    ):
        forest.open_forest(write(tmp_path, b"trees"))
