"""Bundles that another Python, on another day, builds: the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lastmile_sls.build.prepare import prepare
from lastmile_sls.bundle.dependencies.uv_process import find_uv
from lastmile_sls.bundle.interpreter import find_interpreter
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.build.projects import make_environ, make_folder, needing, write

pytestmark = pytest.mark.conformance
ROOT = Path(__file__).parents[2]
OTHER = "3.13" if sys.version_info[:2] != (3, 13) else "3.12"
BUILD = """
import os
from pathlib import Path
from lastmile_sls.build.prepare import prepare
prepare(Path("lastmile.yaml"), "aws", os.environ)
"""


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of another Python, with lastmile."""
    try:
        found = find_interpreter(OTHER)
    except LastmileError as error:
        pytest.skip(error.message)
    made = tmp_path_factory.mktemp("other") / "venv"
    uv = str(find_uv())
    subprocess.run([uv, "venv", "--quiet", "--python", str(found), str(made)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(made)]
    subprocess.run([*install, "-r", str(ROOT / "requirements/demo.txt")], check=True)
    subprocess.run([*install, "--no-deps", "--editable", str(ROOT)], check=True)
    return made / "bin/python"


def files(folder: Path) -> dict[str, bytes]:
    bundles = folder / ".lastmile/dev-aws/bundles"
    return {
        path.relative_to(bundles).as_posix(): path.read_bytes()
        for path in sorted(bundles.rglob("*"))
        if path.is_file() and not path.parent.name.endswith(".trust")
    }


@pytest.mark.parametrize("kind", ["compiled", "with packages"])
def test_another_python_builds_the_same_bytes(tmp_path: Path, other_python: Path, kind: str) -> None:
    folder, environ = make_folder(tmp_path / "work"), make_environ(tmp_path)
    # Bytecode is compiled by the functions' Python, whichever runs the tool.
    changes = needing("abacus==1.0") if kind == "with packages" else {}
    prepare(write(folder, **changes), "aws", environ)
    other = tmp_path / "other"
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns(".lastmile"))
    variables = {**environ, "LASTMILE_CACHE": str(tmp_path / "cache2"), "UV_CACHE_DIR": str(tmp_path / "uv2")}
    subprocess.run([str(other_python), "-c", BUILD], cwd=other, env=variables, check=True, umask=0o077)
    assert files(other) == files(folder)
    assert len(files(folder)) > 50


@pytest.mark.skipif(not shutil.which("faketime"), reason="needs faketime, of Debian's package of that name")
def test_another_day_gives_the_same_bytes(tmp_path: Path) -> None:
    folder, environ = make_folder(tmp_path / "work"), make_environ(tmp_path)
    prepare(write(folder, **needing("abacus==1.0")), "aws", environ)
    other = tmp_path / "other"
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns(".lastmile"))
    variables = {**os.environ, **environ, "LASTMILE_CACHE": str(tmp_path / "cache2")}
    command = ["faketime", "2031-05-04 03:02:01", sys.executable, "-c", BUILD]
    subprocess.run(command, cwd=other, env=variables, check=True)
    assert files(other) == files(folder)
