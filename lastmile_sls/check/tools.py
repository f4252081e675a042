"""The clouds' own runtime clients, installed once into lastmile's folder for each Python, with the versions pinned here."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lastmile_sls.bundle.bytecode import BytecodeError, compile_packages
from lastmile_sls.bundle.dependencies.uv_process import refusal, run_uv
from lastmile_sls.check.interpreter import Interpreter
from lastmile_sls.errors import LastmileError
from lastmile_sls.files import make_private_folder

_PINS = Path(__file__).parent / "requirements"
_REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class Tool:
    """A cloud's runtime client."""

    name: str
    """Of its package."""
    packages: tuple[str, ...]
    """What of it is imported first, by the folders' names."""
    oldest: tuple[int, int] = (3, 11)
    """The oldest Python that it is made for."""
    why: str = ""
    """What a user of an older Python is told."""

    @property
    def requirements(self) -> str:
        """It and all that it needs, in pip's form, with hashes."""
        return (_PINS / f"{self.name}.txt").read_text()

    @property
    def version(self) -> str:
        """Its pinned version."""
        found = re.search(rf"^{re.escape(self.name)}==(\S+)", self.requirements, flags=re.MULTILINE)
        assert found is not None
        return found[1]


AWSLAMBDARIC = Tool("awslambdaric", ("awslambdaric",))
AZURE_WORKER = Tool(
    "azure-functions-runtime",
    ("grpc", "azure_functions_runtime"),
    oldest=(3, 13),
    why="Azure publishes its worker as a package for Python 3.13 and newer alone.",
)


def install(tool: Tool, interpreter: Interpreter, tools: Path, environ: Mapping[str, str]) -> Path:
    """Return the folder that a tool lies in, installing it there when it is not yet.

    Args:
        tool: What to install.
        interpreter: Which one is to import it.
        tools: The folder of all tools.
        environ: What uv is run with: its settings name the package index.

    Raises LastmileError when there is no uv, it fails (no network, a broken proxy), or the tool is not made for the
    interpreter; then nothing is left half installed.
    """
    if interpreter.version[:2] < tool.oldest:
        oldest = ".".join(map(str, tool.oldest))
        raise LastmileError(
            f"{tool.name} needs Python {oldest}, but the interpreter is Python {interpreter.minor}. {tool.why}",
            f"Check with a Python {oldest} or newer.",
        )
    folder = tools / f"{tool.name}-{tool.version}-python{interpreter.minor}"
    requirements = tool.requirements
    if _has(folder, requirements):
        return folder
    make_private_folder(tools)
    scratch = Path(tempfile.mkdtemp(dir=tools, prefix=f".{folder.name}."))
    try:
        (scratch / _REQUIREMENTS).write_text(requirements)
        _install(tool, interpreter, scratch, folder, environ)
        _put(scratch, folder, requirements)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _has(folder: Path, requirements: str) -> bool:
    """Tell whether a folder has the tool with just these pins."""
    try:
        return (folder / _REQUIREMENTS).read_text() == requirements
    except OSError:
        return False


def _install(
    tool: Tool, interpreter: Interpreter, scratch: Path, folder: Path, environ: Mapping[str, str]
) -> None:
    what = f"{tool.name} {tool.version}"
    target = ["--target", str(scratch), "--python-version", interpreter.minor]
    pins = ["--require-hashes", "--requirement", str(scratch / _REQUIREMENTS)]
    run = run_uv(["pip", "install", *target, *pins], environ)
    if not run.succeeded:
        error = refusal(run, f"installing {what}")
        kept = f"It is needed once, and kept in {folder}."
        raise LastmileError(f"{what} could not be installed. {error.message}", f"{error.hint} {kept}".strip())
    try:
        compile_packages(scratch, str(interpreter.path))
    except BytecodeError as failure:
        raise LastmileError(f"{what} could not be compiled: {failure}") from failure


def _put(scratch: Path, folder: Path, requirements: str) -> None:
    """Put what was installed into its place; another check may have done so meanwhile."""
    if folder.exists() and not _has(folder, requirements):
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".old."))
        folder.rename(old / folder.name)
        shutil.rmtree(old, ignore_errors=True)
    try:
        scratch.rename(folder)
    except OSError:
        if not _has(folder, requirements):
            raise
