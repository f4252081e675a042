"""The interpreter's import profile: its tree, where each import was, what costs most."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lastmile_sls.check.phases import Phase
from lastmile_sls.check.process import Line
from lastmile_sls.check.profile import Cost, Origins, Profile, costliest, parse, top_levels

PHASES = (Phase("interpreter", 0.0, 10.0), Phase("model", 10.0, 30.0), Phase("answer", 40.0, 10.0))
# b is part of a, c and d of b: a line is written when its import is done.
TEXT = """\
import time: self [us] | cumulative | imported package
import time:      1000 |       1000 | encodings
a line of the function's own
import time:      2000 |       2000 |     a.c
import time:      1000 |       1000 |     json
import time:      3000 |       6000 |   a.b
import time:      4000 |      10000 | a
"""
ENDS_MS = [0, 6, 0, 14, 16, 20, 24]


def lines(text: str = TEXT) -> list[Line]:
    return [Line(100.0 + ms / 1000, line) for ms, line in zip(ENDS_MS, text.splitlines(), strict=True)]


def profile() -> Profile:
    origins = Origins(frozenset({"encodings", "json"}), packages=frozenset({"a"}))
    return Profile(50.0, PHASES, parse(lines(), 100.0, PHASES), origins)


def test_the_tree_and_where_its_imports_were() -> None:
    found = [
        (one.module, one.parent, one.self_us, one.cumulative_us, round(one.start_ms, 6), one.phase)
        for one in profile().walk()
    ]
    assert found == [
        ("encodings", None, 1000, 1000, 5.0, "interpreter"),
        ("a", None, 4000, 10_000, 14.0, "model"),
        ("a.b", "a", 3000, 6000, 14.0, "model"),
        ("a.c", "a.b", 2000, 2000, 14.0, "model"),
        ("json", "a.b", 1000, 1000, 16.0, "model"),
    ]


def test_imports_do_not_lie_over_each_other_whatever_the_clock_saw() -> None:
    late = [Line(100.2, line.text) for line in lines()]  # all of them were read at once
    (first, second) = parse(late, 100.0, PHASES)
    assert first.start_ms + first.cumulative_us / 1000 <= second.start_ms
    assert second.start_ms + second.cumulative_us / 1000 <= 50.0
    parts = second.children[0].children
    assert parts[0].start_ms + parts[0].cumulative_us / 1000 <= parts[1].start_ms


def test_what_was_not_done_by_the_end_leaves_its_parts() -> None:
    found = parse(lines()[:-1], 100.0, PHASES)
    assert [one.module for one in found] == ["encodings", "a.b"]


def test_what_costs_most_is_a_packages_own() -> None:
    assert costliest(profile(), 2) == [
        Cost("a", "package", 9.0, 3, None),
        Cost("encodings", "python", 1.0, 1, None),
    ]
    assert costliest(profile(), 9)[2] == Cost("json", "python", 1.0, 1, "a.b")


def test_as_json() -> None:
    document = json.loads(json.dumps(profile().to_json()))
    assert document["format"] == "lastmile.import-profile/1"
    assert document["phases"][1] == {"name": "model", "start_ms": 10.0, "ms": 30.0}
    assert document["imports"][3] == {
        "module": "a.c",
        "self_us": 2000,
        "cumulative_us": 2000,
        "parent": "a.b",
        "origin": "package",
        "phase": "model",
        "start_ms": 14.0,
    }


@pytest.mark.parametrize(
    ("module", "origin"),
    [
        ("lastmile_runtime.http", "runtime"),
        ("json.decoder", "python"),
        ("_frozen_importlib_external", "python"),
        ("awslambdaric.bootstrap", "client"),
        ("numpy._core", "package"),
        ("features", "own"),
        ("typing_extensions", "package"),
    ],
)
def test_origins(module: str, origin: str) -> None:
    client = frozenset({"awslambdaric", "typing_extensions"})
    packages = frozenset({"numpy", "typing_extensions"})
    assert Origins(frozenset({"json"}), client, packages).of(module) == origin


def test_names_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "six.py").touch()
    (tmp_path / "_cffi.cpython-311-x86_64-linux-gnu.so").touch()
    assert top_levels(tmp_path) == {"numpy", "six", "_cffi"}
    assert top_levels(None) == top_levels(tmp_path / "none") == frozenset()


def test_this_interpreters_own_lines_are_read() -> None:
    code = [sys.executable, "-X", "importtime", "-c", "import xml.dom.minidom"]
    done = subprocess.run(code, capture_output=True, text=True, check=True)
    found = parse([Line(0.0, line) for line in done.stderr.splitlines()], 0.0, ())
    tree = {one.module: one for root in found for one in root.walk()}
    assert tree["xml.dom.minidom"].parent is None
    assert {part.module for part in tree["xml.dom.minidom"].children} >= {"xml.dom", "xml.dom.minicompat"}
    assert (
        len(tree) == len([line for line in done.stderr.splitlines() if line.startswith("import time:")]) - 1
    )
