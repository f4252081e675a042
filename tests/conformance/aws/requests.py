"""From a resource's inputs, as Pulumi sends them, to the request that AWS's own API takes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lastmile_sls.engine.properties import ARCHIVE_SIGNATURE, ASSET_SIGNATURE, signature


class NotCarriedError(Exception):
    """An input that nothing here carries out: it would have been dropped."""


class Inputs:
    """A resource's inputs, each to be taken once: what is left over at the end was dropped, and is refused."""

    def __init__(self, what: str, values: Mapping[str, Any], folder: Path) -> None:
        self.what = what
        self.folder = folder
        self._left = {key: value for key, value in values.items() if value is not None and key[:2] != "__"}

    def take(self, name: str, default: Any = None) -> Any:
        """Return an input, which counts as carried out."""
        return self._left.pop(name, default)

    def ignore(self, *names: str) -> None:
        """Take inputs that say how a resource is removed, or when it is uploaded: nothing is made of them."""
        for name in names:
            self._left.pop(name, None)

    def need(self, name: str) -> Any:
        """Return an input that must be there. Raises NotCarriedError."""
        if name not in self._left:
            raise NotCarriedError(f"{self.what} has no {name}.")
        return self._left.pop(name)

    def rest(self, names: Mapping[str, str], keep: Iterable[str] = ()) -> dict[str, Any]:
        """Return all that is left as the API names it.

        Args:
            names: The API's names of what it does not call the same, for the top level and for what is nested.
            keep: The API's names of maps whose keys are the user's own.
        """
        found = renamed(self._left, names, frozenset(keep))
        self._left = {}
        assert isinstance(found, dict)
        return found

    def finish(self) -> None:
        """Raise NotCarriedError when an input is left."""
        if self._left:
            raise NotCarriedError(f"{self.what}: nothing carries out {', '.join(sorted(self._left))}.")


def renamed(value: Any, names: Mapping[str, str], keep: frozenset[str]) -> Any:
    """Return a value with its keys as an API names them: in Pascal case, unless `names` says otherwise."""
    if isinstance(value, list):
        return [renamed(item, names, keep) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, item in value.items():
        if item is not None:
            name = names.get(key, key[:1].upper() + key[1:])
            found[name] = item if name in keep else renamed(item, names, keep)
    return found


def lowered(value: Any, names: Mapping[str, str]) -> Any:
    """Return a document of the API with Pulumi's names; `names` is as for `renamed`."""
    if isinstance(value, list):
        return [lowered(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    ours = {theirs: name for name, theirs in names.items()}
    return {ours.get(key, key[0].lower() + key[1:]): lowered(item, names) for key, item in value.items()}


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return tags as most services take them."""
    return [{key: name, value: tags[name]} for name in sorted(tags)]


def content(what: str, file: Any, folder: Path) -> bytes:
    """Return the bytes of an asset, or of an archive as a zip. Raises NotCarriedError for what is neither."""
    kind = signature(file)
    if kind not in (ASSET_SIGNATURE, ARCHIVE_SIGNATURE):
        raise NotCarriedError(f"{what} is {file!r}, but must be a file.")
    if "text" in file:
        return str(file["text"]).encode()
    if "path" in file:
        path = folder / file["path"]
        if path.is_file():
            whole: bytes = path.read_bytes()
            return whole
        inside = {str(file.relative_to(path)): file for file in path.rglob("*") if file.is_file()}
        return _zipped({name: file.read_bytes() for name, file in inside.items()})
    return _zipped({name: content(f"{what}/{name}", part, folder) for name, part in file["assets"].items()})


def _zipped(files: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in sorted(files):
            archive.writestr(name, files[name])
    return written.getvalue()
