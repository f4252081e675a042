"""What the native module owes to Python: memory, threads, errors, and an interface that is CPython's."""

from __future__ import annotations

import gc
import math
import mmap
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lastmile_sls.compile.forest import Forest, Leaf, Split, Tree
from lastmile_sls.compile.forest_file import render
from tests.native.evaluators import EVALUATORS, native, outcome

ROOT = Path(__file__).parents[2]
TREE = Tree([Split(0, 0.5, 1, 2), Leaf([1.0]), Split(1, 0.5, 3, 4), Leaf([2.0]), Leaf([3.0])])
CONTENT = render(Forest(2, 1, [TREE] * 10, [0.0], transform="binary_sigmoid"))


def resident_kb() -> int:
    (line,) = [row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmRSS")]
    return int(line.split()[1])


def test_it_tells_what_it_is() -> None:
    for module in EVALUATORS.values():
        loaded = module.load(CONTENT)
        assert (loaded.features, loaded.outputs, loaded.columns) == (2, 1, 2)
        assert loaded.metadata == b'{"answers":[]}'
    with pytest.raises(TypeError, match="cannot create"):
        type(native().load(CONTENT))()


@pytest.mark.parametrize("module", EVALUATORS.values(), ids=EVALUATORS)
@pytest.mark.parametrize("file", [7, "text", None])
def test_only_a_buffer_is_a_file(module: Any, file: Any) -> None:
    assert outcome(module.load, file)[0] == "TypeError"


def test_the_file_stays_as_long_as_the_forest_and_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with path.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    loaded = native().load(content)
    with pytest.raises(BufferError):
        content.close()
    assert loaded.evaluate([0.7, 0.7])[0] == [30.0]
    del loaded
    content.close()


@pytest.mark.parametrize("content", [CONTENT, CONTENT[:-1]], ids=["accepted", "refused"])
def test_a_buffer_is_let_go_of(content: bytes) -> None:
    buffer = np.frombuffer(content, np.uint8).copy()
    buffer.flags.writeable = False
    seen = weakref.ref(buffer)
    found = outcome(native().load, buffer)
    del buffer
    gc.collect()
    assert (seen() is None) == (found[0] != "returned")
    del found
    gc.collect()
    assert seen() is None


def test_a_file_that_can_change_is_copied_and_let_go_of() -> None:
    content = bytearray(CONTENT)
    loaded = native().load(content)
    content[:] = b"\xff" * 10_000
    assert loaded.evaluate([0.0, 0.0])[0] == [10.0]


def test_a_file_at_any_address_is_read() -> None:
    for shift in range(1, 9):
        moved = bytes(shift) + CONTENT
        assert native().load(memoryview(moved)[shift:]).evaluate([0.7, 0.0])[0] == [20.0]


def test_nothing_leaks() -> None:
    """Over 100 000 calls of each kind, well-formed or not, memory stays within 1 MB and reference counts as they were."""
    module, row, rows = native(), [0.1, 0.9], np.zeros((3, 2))
    loaded = module.load(CONTENT)
    flawed: list[Any] = [0.1, "x"]
    calls = (
        (module.load, CONTENT),
        (module.load, CONTENT[:200]),
        (loaded.evaluate, row),
        (loaded.evaluate, rows),
        (loaded.evaluate, [row, row]),
        (loaded.evaluate, flawed),
        (loaded.evaluate, [row, flawed]),
        (loaded.evaluate, b"xx"),
    )
    counted: tuple[Any, ...] = (loaded, row, rows, flawed, CONTENT, type(loaded), str, module)

    def run(times: int) -> None:
        for call, argument in calls:
            for _ in range(times):
                outcome(call, argument)

    run(2_000)
    before, counts = resident_kb(), [sys.getrefcount(thing) for thing in counted]
    run(100_000)
    assert [sys.getrefcount(thing) for thing in counted] == counts
    assert resident_kb() - before < 1024


def test_threads_share_a_forest() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2))
    loaded = native().load(CONTENT)
    expected = loaded.evaluate(rows)
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(100):
            if loaded.evaluate(rows) != expected or loaded.evaluate(rows[:3].tolist())[0] != expected[0][:3]:
                wrong.append(1)  # noqa: PERF401

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_other_threads_go_on_during_a_large_batch() -> None:
    loaded = native().load(render(Forest(2, 1, [TREE] * 4000, [0.0])))
    rows = np.random.default_rng(0).normal(size=(4000, 2))
    turns, done = [0], threading.Event()

    def turn() -> None:
        while not done.is_set():
            turns[0] += 1
            time.sleep(0)

    other = threading.Thread(target=turn)
    interval = sys.getswitchinterval()
    # Python takes the lock from no thread for a minute: only one that gives it up lets another run.
    sys.setswitchinterval(60)
    try:
        other.start()
        meanwhile = 0
        for _ in range(10):  # the machine may be too busy to run the other thread at once
            before = turns[0]
            loaded.evaluate(rows)
            meanwhile += turns[0] - before
    finally:
        done.set()
        sys.setswitchinterval(interval)
        other.join()
    assert meanwhile > 0


class Odd:
    """Says that it is a number, and shortens the list that it is in meanwhile."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def __float__(self) -> float:
        self.rows.clear()
        return 1.0


def test_a_list_that_changes_meanwhile_is_an_error() -> None:
    rows: list[Any] = [0.5] * 8
    rows[2] = Odd(rows)
    with pytest.raises(IndexError):
        native().load(CONTENT).evaluate(rows)
    nested: list[Any] = [[0.5, 0.5], [0.5, 0.5]]
    nested[0][0] = Odd(nested)
    with pytest.raises(IndexError):
        native().load(CONTENT).evaluate(nested)


UNFIT = [
    ([0.1, "x"], "TypeError", "row 0, feature 1 is a <class 'str'>, but must be a number"),
    ([[0.1, 0.2], [None, 1]], "TypeError", "row 1, feature 0 is a <class 'NoneType'>, but must be a number"),
    ([0.1, 10**400], "ValueError", "row 0, feature 1 is infinite or too large for the model"),
    (
        [0.1, 0.2, 0.3],
        "ValueError",
        "rows holds 3 values, which is no multiple of the 2 that the model takes",
    ),
    ([[0.1, 0.2], [0.1]], "ValueError", "row 1 has 1 values, but the model takes 2"),
    ([[0.1, 0.2], 0.1], "TypeError", "row 1 is a <class 'float'>, but must be a list as the rows before it"),
    (7, "TypeError", "rows must be a list or a buffer, but is a <class 'int'>"),
    (
        b"1234567812345678",
        "TypeError",
        "rows holds items of the format B, but must hold float64, float32, int64 or int32",
    ),
    (
        np.zeros((2, 2), ">f8"),
        "TypeError",
        "rows holds items of the format >d, but must hold float64, float32, int64 or int32",
    ),
    (np.zeros((1, 1, 2)), "ValueError", "rows has 3 dimensions, but must have 1 or 2"),
    (np.array(1.0), "ValueError", "rows has 0 dimensions, but must have 1 or 2"),
    (np.zeros((2, 3)), "ValueError", "row 0 has 3 values, but the model takes 2"),
    (np.zeros(3), "ValueError", "rows holds 3 values, which is no multiple of the 2 that the model takes"),
]


@pytest.mark.parametrize("module", EVALUATORS.values(), ids=EVALUATORS)
@pytest.mark.parametrize(("rows", "kind", "message"), UNFIT, ids=[message for _, _, message in UNFIT])
def test_unfit_rows_are_named(module: Any, rows: Any, kind: str, message: str) -> None:
    assert outcome(module.load(CONTENT).evaluate, rows) == (kind, message)


@pytest.mark.parametrize("module", EVALUATORS.values(), ids=EVALUATORS)
def test_a_strided_buffer_is_refused(module: Any) -> None:
    assert outcome(module.load(CONTENT).evaluate, np.zeros((4, 4))[:, ::2])[0] == "ValueError"


@pytest.mark.parametrize("module", EVALUATORS.values(), ids=EVALUATORS)
@pytest.mark.parametrize(
    ("accepts", "value", "message"),
    [
        ("finite", math.nan, "row 1, feature 0 is NaN, but the model takes finite numbers only"),
        ("finite", math.inf, "row 1, feature 0 is infinite or too large for the model"),
        ("not_infinite", -1e39, "row 1, feature 0 is infinite or too large for the model"),
        ("not_infinite", math.nan, None),
        ("all", math.inf, None),
    ],
)
def test_what_the_model_does_not_accept_is_named(
    module: Any, accepts: Any, value: float, message: str | None
) -> None:
    loaded = module.load(render(Forest(2, 1, [TREE], [0.0], cast="float32", accepts=accepts)))
    kind, found = outcome(loaded.evaluate, [[0.0, 0.0], [value, 0.0]])
    assert (kind, found) == ("ValueError", message) if message else kind == "returned"


def test_the_declared_interface_is_cpythons(tmp_path: Path) -> None:
    """Beside CPython's own header every declaration must say the same; where there is none, there is nothing to compare."""
    include = Path(sysconfig.get_path("include"))
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None or not (include / "Python.h").exists():
        pytest.skip("needs a C compiler and Python.h")
    declared = (ROOT / "native" / "stable_abi.h").read_text()
    names = (
        "Py_buffer",
        "PyMethodDef",
        "PyGetSetDef",
        "PyType_Slot",
        "PyType_Spec",
        "PyModuleDef_Slot",
        "PyModuleDef",
    )
    constants = (
        "METH_O",
        "Py_mod_exec",
        "Py_tp_dealloc",
        "Py_tp_doc",
        "Py_tp_methods",
        "Py_tp_getset",
        "PyBUF_SIMPLE",
    )
    flags = (
        "PyBUF_FORMAT",
        "PyBUF_C_CONTIGUOUS",
        "Py_TPFLAGS_IMMUTABLETYPE",
        "Py_TPFLAGS_DISALLOW_INSTANTIATION",
    )
    (tmp_path / "ours.c").write_text(
        f'#include "{ROOT}/native/stable_abi.h"\n' + _sizes("ours", names, constants, flags)
    )
    (tmp_path / "theirs.c").write_text(
        "#define Py_LIMITED_API 0x030B0000\n#include <Python.h>\n"
        # Functions and objects are declared a second time, which C allows when both say the same.
        f"{declared}\n" + _sizes("theirs", names, constants, flags)
    )
    (tmp_path / "main.c").write_text(
        "extern unsigned long ours[], theirs[]; extern unsigned count;\n"
        "int main(void) { for (unsigned i = 0; i < count; i++) if (ours[i] != theirs[i]) return 1 + i; return 0; }\n"
    )
    command = [
        compiler,
        f"-I{include}",
        "-o",
        "main",
        "main.c",
        "ours.c",
        "theirs.c",
        "-Wl,--unresolved-symbols=ignore-all",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert subprocess.run(["./main"], cwd=tmp_path, check=False).returncode == 0


def _sizes(name: str, types: tuple[str, ...], *constants: tuple[str, ...]) -> str:
    values = [f"sizeof({kind})" for kind in (*types, "PyObject")]
    values += ["offsetof(PyObject, ob_type)", "offsetof(Py_buffer, shape)", "offsetof(Py_buffer, format)"]
    values += ["offsetof(PyModuleDef, m_free)", "offsetof(PyType_Spec, slots)"]
    values += [constant for group in constants for constant in group]
    count = f"\nunsigned count = {len(values)};" if name == "ours" else ""
    return f"#include <stddef.h>\nunsigned long {name}[] = {{{', '.join(values)}}};{count}\n"
