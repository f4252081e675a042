"""On an arm64 processor, emulated, forests have the bits that they have on x86-64 and in Python."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from lastmile_sls.compile.forest import Forest
from lastmile_sls.compile.forest_file import render
from tests.native.evaluators import bits, native, outcome
from tests.native.forests import cases
from tests.native.test_exponential import ARGUMENTS

pytestmark = pytest.mark.conformance

BUILD = Path(__file__).parents[2] / "native" / "build.py"
UV = Path(sys.executable).parent / "uv"
EMULATORS = ("qemu-aarch64", "qemu-aarch64-static")
Case = tuple[Forest, list[list[float]]]


def driver(folder: Path, processor: str) -> str:
    requirement = subprocess.run(
        [sys.executable, str(BUILD), "--requirement"], capture_output=True, text=True, check=True
    )
    output = folder / f"driver-{processor}"
    run = [
        str(UV),
        "run",
        "--quiet",
        "--no-project",
        "--python",
        sys.executable,
        "--with",
        requirement.stdout.strip(),
    ]
    subprocess.run([*run, str(BUILD), "--driver", processor, "--output", str(output)], check=True)
    return str(output)


def corpus() -> list[Case]:
    """Forests of every kind, the same each time, and the exponential's arguments."""
    found: list[Case] = []

    @seed(0)
    @settings(
        max_examples=400,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    for transform in ("exp", "sigmoid", "isolation", "softmax"):
        outputs = 4 if transform == "softmax" else 1
        found += [
            (Forest(1, outputs, [], ARGUMENTS[start : start + outputs], transform=transform), [[0.0]])
            for start in range(0, 400, outputs)
        ]
    return found


def expected(content: bytes, rows: list[list[float]]) -> list[str]:
    kind, found = outcome(native().load(content).evaluate, rows)
    if kind != "returned":
        return [f"refused {found}"]
    lines = []
    for name, numbers in zip(("margins", "values"), found, strict=True):
        words = [bytes.fromhex(word)[::-1].hex() for word in bits(numbers)]
        lines.append(" ".join([name, *words]))
    return lines


@pytest.mark.skipif(
    not any(map(shutil.which, EMULATORS)), reason="needs qemu-user, which runs arm64 programs"
)
@pytest.mark.skipif(not UV.exists(), reason="needs uv in the virtual environment, as make puts it there")
def test_the_bits_are_the_same_on_arm64(tmp_path: Path) -> None:
    emulator = next(path for path in map(shutil.which, EMULATORS) if path)
    paths: list[str] = []
    lines: list[str] = []
    for index, (forest, rows) in enumerate(corpus()):
        content = render(forest)
        file, numbers = tmp_path / f"{index}.forest", tmp_path / f"{index}.rows"
        file.write_bytes(content)
        numbers.write_bytes(b"".join(struct.pack(f"<{len(row)}d", *row) for row in rows))
        paths += [str(file), str(numbers)]
        lines += expected(content, rows)
    for command in ([driver(tmp_path, "x86_64")], [emulator, driver(tmp_path, "aarch64")]):
        found = subprocess.run(
            [*command, *paths], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        assert found == lines
    assert len(lines) > 1000
