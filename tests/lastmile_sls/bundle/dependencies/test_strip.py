"""What is removed from installed packages, and what stays because somebody may need it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from lastmile_sls.bundle.dependencies.strip import strip
from tests.lastmile_sls.bundle.dependencies.libraries import CODE, SYMBOLS, TEXTS, build
from tests.lastmile_sls.bundle.dependencies.wheels import elf_head


def stripped(folder: Path, files: Mapping[str, str | bytes]) -> tuple[set[str], dict[str, int]]:
    """Return which of some files are left, and how many bytes were removed for which reason."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    before = sum(len(path.read_bytes()) for path in folder.rglob("*") if path.is_file())
    found = strip(folder)
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert found.total_bytes == before - sum(len(path.read_bytes()) for path in left)
    return {path.relative_to(folder).as_posix() for path in left}, dict(found.bytes_by_reason)


def test_what_no_function_needs_goes(tmp_path: Path) -> None:
    files = {
        "a/__init__.py": "from a import b\n",
        "a/b.py": "",
        "a/data.csv": "1,2\n",
        "a/tests/__init__.py": "",
        "a/tests/test_b.py": "from a.tests import data\n",
        "a/tests/data/rows.csv": "12345",
        "a/sub/test/x.py": "1",
        "a/docs/index.rst": "12",
        "share/man/man1/a.1": "123",
        "share/a/data.txt": "kept",
        "a/b.pyi": "1234",
        "a/py.typed": "",
        "a/__pycache__/b.cpython-313.pyc": "12345",
        "a/fast.pyx": "1",
        "a/include/a.h": "1",
        "a/lib/liba.a": "1",
        "tests/test_all.py": "1",
    }
    left, reasons = stripped(tmp_path, files)
    assert left == {"a/__init__.py", "a/b.py", "a/data.csv", "share/a/data.txt"}
    tests = len(files["a/tests/test_b.py"]) + 5 + 1 + 1
    assert reasons == {
        "bytecode": 5,
        "documentation": 5,
        "sources": 3,
        "stubs": 4,
        "symbols": 0,
        "tests": tests,
    }
    assert not (tmp_path / "tests").exists()
    assert not (tmp_path / "a/include").exists()


def test_metadata_and_licences_stay(tmp_path: Path) -> None:
    files = {
        "a-1.dist-info/METADATA": "",
        "a-1.dist-info/licenses/docs/LICENSE.pyi": "",
        "a/LICENSE.txt": "",
        "a/docs/COPYING": "",
        "a/tests/data/NOTICE": "",
        "a/ThirdPartyNotices.txt": "",
        "a/licence.c": "",
    }
    assert stripped(tmp_path, files)[0] == set(files)


IMPORTS = {
    "absolute": "import a.sub.tests\n",
    "absolute, further down": "def f():\n    import a.sub.tests.data as data\n",
    "from": "from a.sub.tests import data\n",
    "from its package": "from a.sub import tests\n",
    "from a module of it": "from a.sub.tests.data import rows\n",
    "in brackets": "from a.sub import (\n    other,\n    tests,\n)\n",
    "by name": "import importlib\nimportlib.import_module('a.sub.tests.data')\n",
    "by a path": "from pathlib import Path\nrows = Path(__file__).parent / 'tests'\n",
    "relative": "from .tests import data\n",
    "relative, from its package": "from . import tests\n",
    "relative, from above": "from ..sub.tests import data\n",
    "relative by name": "import importlib\nimportlib.import_module('.tests', __package__)\n",
    "of a newer Python": "from a.sub import tests\nx = ?\n",
}


@pytest.mark.parametrize("code", IMPORTS.values(), ids=IMPORTS.keys())
def test_tests_that_a_package_imports_stay(tmp_path: Path, code: str) -> None:
    files = {
        "a/__init__.py": "",
        "a/sub/__init__.py": "",
        "a/sub/b.py": code,
        "a/sub/tests/__init__.py": "",
        "a/sub/tests/data.py": "rows = 1",
        "other/tests/__init__.py": "",
    }
    assert stripped(tmp_path, files)[0] == set(files) - {"other/tests/__init__.py"}


@pytest.mark.parametrize(
    "code", ["from .testing import x\n", "tests = 1\n", "'''Run the tests.'''\n", "# import a.sub.tests\n"]
)
def test_words_that_name_no_folder_keep_none(tmp_path: Path, code: str) -> None:
    files = {"a/sub/b.py": code, "a/sub/testing.py": "x = 1", "a/sub/tests/x.py": ""}
    assert stripped(tmp_path, files)[0] == {"a/sub/b.py", "a/sub/testing.py"}


def test_what_tests_import_stays_if_they_do(tmp_path: Path) -> None:
    files = {
        "a/b.py": "from a.tests import one\n",
        "a/tests/one.py": "from c.tests import two\n",
        "c/tests/two.py": "",
        "d/tests/three.py": "from e.tests import four\n",
        "e/tests/four.py": "",
    }
    assert stripped(tmp_path, files)[0] == {"a/b.py", "a/tests/one.py", "c/tests/two.py"}


def test_a_package_called_docs_stays_where_it_is_code(tmp_path: Path) -> None:
    files = {
        "boto/session.py": "from boto.docs import service\n",
        "boto/docs/service.py": "",
        "boto/docs/x.txt": "",
    }
    assert stripped(tmp_path, files)[0] == set(files)


def test_a_stub_that_its_module_reads_stays(tmp_path: Path) -> None:
    lazy = "import lazy_loader\n__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)\n"
    files = {"a/__init__.py": lazy, "a/__init__.pyi": "", "a/b.py": "", "a/b.pyi": ""}
    assert stripped(tmp_path, files)[0] == {"a/__init__.py", "a/__init__.pyi", "a/b.py"}


def test_symbols_are_taken_out_of_binaries(tmp_path: Path) -> None:
    library = build([CODE, SYMBOLS, TEXTS])
    left, reasons = stripped(
        tmp_path, {"a/lib.so": library, "a/lib.so.1": library, "a/x.so": elf_head("arm64")}
    )
    assert left == {"a/lib.so", "a/lib.so.1", "a/x.so"}
    assert reasons == {"symbols": 2 * (len(library) - (tmp_path / "a/lib.so").stat().st_size)}
    assert reasons["symbols"] > 30_000


LIBRARY = "onnxruntime/capi/libonnxruntime.so.1.32.0"


def test_the_library_that_onnxruntime_has_for_c_goes(tmp_path: Path) -> None:
    files = {
        LIBRARY: elf_head("x86_64"),
        "onnxruntime/capi/state.so": elf_head("x86_64") + b"providers_shared.so",
    }
    left, reasons = stripped(tmp_path, files)
    assert left == {"onnxruntime/capi/state.so"}
    assert reasons == {"libraries that nothing loads": 64, "symbols": 0}


@pytest.mark.parametrize("who", ["genai/genai.so", "genai/load.py"])
def test_it_stays_where_somebody_names_it(tmp_path: Path, who: str) -> None:
    content = elf_head("x86_64") + b"libonnxruntime.so.1\0" if who.endswith(".so") else "'libonnxruntime.so'"
    files = {LIBRARY: elf_head("x86_64"), who: content}
    assert stripped(tmp_path, files)[0] == set(files)


def test_once_stripped_nothing_is_left_to_strip(tmp_path: Path) -> None:
    stripped(tmp_path, {"a/lib.so": build([CODE, SYMBOLS, TEXTS]), "a/tests/b.py": "", "a/b.pyi": ""})
    assert strip(tmp_path).total_bytes == 0
