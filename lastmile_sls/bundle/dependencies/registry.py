"""Which package registry is asked: what uv itself is configured with, else what pip is.

uv reads its own variables and files and none of pip's. Many machines have a mirror configured for pip alone; without
this, uv would ask the public registry there.
"""

from __future__ import annotations

import configparser
import os
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_UV_VARIABLES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_CONFIG_FILE",
)
_UV_KEYS = {"index", "index-url", "extra-index-url", "find-links", "no-index"}
_PIP_KEYS = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert")
_TRUE = ("1", "true", "yes", "on", "y", "t")


@dataclass(frozen=True)
class Registry:
    """How uv is told where packages are."""

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables to add to the environment; they may hold credentials."""
    options: tuple[str, ...] = ()
    """Arguments to add."""


def find_registry(environ: Mapping[str, str], folder: Path) -> Registry:
    """Return what to tell uv: nothing where uv is configured itself, else the same that pip is configured with.

    `UV_NO_INDEX`, which uv does not know, is understood as its option `--no-index`.

    Args:
        environ: The environment's variables.
        folder: Where the command runs: uv looks for configuration there and in its parents.
    """
    if any(environ.get(name) for name in _UV_VARIABLES):
        return Registry(options=("--no-index",) if _is_true(environ.get("UV_NO_INDEX")) else ())
    found = {} if _uv_files_have_one(environ, folder) else _pip_settings(environ)
    indexes = {
        "UV_DEFAULT_INDEX": found.get("index-url", ""),
        "UV_INDEX": " ".join(found.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(filter(_is_there, found.get("find-links", "").split())),
        "UV_INSECURE_HOST": " ".join(found.get("trusted-host", "").split()),
        "SSL_CERT_FILE": found.get("cert", ""),
    }
    added = {name: value for name, value in indexes.items() if value and not environ.get(name)}
    return Registry(added, ("--no-index",) if _is_true(found.get("no-index")) else ())


def _uv_files_have_one(environ: Mapping[str, str], folder: Path) -> bool:
    """Tell whether a file that uv reads names a registry (https://docs.astral.sh/uv/concepts/configuration-files/)."""
    if _is_true(environ.get("UV_NO_CONFIG")):
        return False
    project = [place / name for place in (folder, *folder.parents) for name in ("uv.toml", "pyproject.toml")]
    system = [Path(place) / "uv/uv.toml" for place in _configuration_folders(environ)]
    user = _configuration_home(environ) / "uv/uv.toml"
    return any(_names_one(path) for path in (*project, user, *system, Path("/etc/uv/uv.toml")))


def _names_one(path: Path) -> bool:
    try:
        content: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there; or broken, which uv says itself
        return False
    for name in ("tool", "uv") if path.name == "pyproject.toml" else ():
        content = content.get(name) if isinstance(content, dict) else None
    tables = (content, content.get("pip")) if isinstance(content, dict) else ()
    return any(_UV_KEYS & table.keys() for table in tables if isinstance(table, dict))


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings, variables before files (https://pip.pypa.io/en/stable/topics/configuration/)."""
    found: dict[str, str] = {}
    for path in _pip_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    variables = {key: environ.get(f"PIP_{key.upper().replace('-', '_')}", "") for key in _PIP_KEYS}
    return found | {key: value for key, value in variables.items() if value}


def _pip_files(environ: Mapping[str, str]) -> Iterable[Path]:
    """Return the files that pip reads, those that count least first."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    home = Path(environ.get("HOME") or Path.home())
    user = (
        home / "Library/Application Support/pip/pip.conf"
        if sys.platform == "darwin"
        else _configuration_home(environ) / "pip/pip.conf"
    )
    system = [Path(place) / "pip/pip.conf" for place in _configuration_folders(environ)]
    own = [*system, Path("/etc/pip.conf"), home / ".pip/pip.conf", user, Path(sys.prefix) / "pip.conf"]
    return [*own, Path(named)] if named else own


def _configuration_home(environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME") or Path.home())
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config")


def _configuration_folders(environ: Mapping[str, str]) -> list[str]:
    return (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)


def _is_there(place: str) -> bool:
    """Tell whether a place of find-links can be read; pip passes over a folder that is not there, uv does not."""
    return "://" in place or Path(place).expanduser().is_dir()


def _is_true(value: str | None) -> bool:
    return (value or "").strip().lower() in _TRUE
