"""Writes the policy pack for the Pulumi CLI: a folder that needs nothing of lastmile's but what is in it."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from lastmile_sls.errors import LastmileError
from lastmile_sls.policy.parameters import POLICY_FILE, load

_SOURCE = "lastmile_policy"
_FILES = ("PulumiPolicy.yaml", "__main__.py", "requirements.txt", "README.md")
_RULES = ("__init__.py", "errors.py", "policy")
"""Of this package: what the pack imports."""
_DEFAULTS = """\
# What `lastmile policy rules` demands, with its defaults. `lastmile policy schema` prints what this file may hold.
"""


def write_pack(folder: Path, parameters: Path | None) -> list[Path]:
    """Write the pack into a folder, and return what must be set up before it runs: nothing when that was done before.

    Args:
        folder: Made when missing. A pack that is there is written anew, but for its virtual environment and, without
            `parameters`, its file of parameters.
        parameters: The file of parameters to put into it. Default: all defaults.

    Raises LastmileError when the folder holds something else, or cannot be written, or the parameters are wrong.
    """
    if parameters is not None:
        load(parameters)
    if folder.exists() and (not folder.is_dir() or _is_another(folder)):
        raise LastmileError(
            f"{folder} is there already, and is no policy pack.", "Name another folder with --to."
        )
    try:
        _write(folder, _source(), parameters)
    except OSError as error:
        raise LastmileError(f"{folder} could not be written: {error.strerror or error}.") from error
    return [] if (folder / "venv").exists() else [folder / "venv"]


def _is_another(folder: Path) -> bool:
    return any(folder.iterdir()) and not (folder / "PulumiPolicy.yaml").exists()


def _source() -> Path:
    spec = find_spec(_SOURCE)
    if spec is None or spec.origin is None:
        raise LastmileError(f"{_SOURCE} is not installed.", "Install lastmile-sls anew.")
    return Path(spec.origin).parent


def _write(folder: Path, source: Path, parameters: Path | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(source / name, folder / name)
    rules = folder / "lastmile_sls"
    shutil.rmtree(rules, ignore_errors=True)
    rules.mkdir()
    for name in _RULES:
        path = Path(__file__).with_name(name)
        if path.is_dir():
            shutil.copytree(path, rules / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(path, rules / name)
    if parameters is not None and parameters.resolve() != (folder / POLICY_FILE).resolve():
        shutil.copyfile(parameters, folder / POLICY_FILE)
    elif not (folder / POLICY_FILE).exists():
        (folder / POLICY_FILE).write_text(_DEFAULTS, encoding="utf-8")
