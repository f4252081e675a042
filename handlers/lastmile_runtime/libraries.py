"""Imports third-party packages from the bundle, each file only when it is the one that was deployed.

Code is checked when it is imported: a model's library has thousands of files, of which a start reads some hundreds. What a
package reads by itself is checked when it is first imported, and what extension modules link, which lies in folders that are
named after the distributions and not after what is imported, when the first of them is loaded.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from importlib.machinery import ExtensionFileLoader, FileFinder, SourceFileLoader, SourcelessFileLoader
    from typing import Any

    from lastmile_runtime.manifest import Bundle
else:  # the same classes: they are there before any module is imported, and importlib would cost 1 ms
    _external = sys.modules["_frozen_importlib_external"]
    ExtensionFileLoader, FileFinder = _external.ExtensionFileLoader, _external.FileFinder
    SourceFileLoader, SourcelessFileLoader = _external.SourceFileLoader, _external.SourcelessFileLoader

_CODE = (".py", ".pyc")
_METADATA, _LINKED = ".dist-info", ".libs"


def import_from(bundle: Bundle, folder: str) -> None:
    """Have packages come from a folder of the bundle, before the platform's own.

    Args:
        bundle: The bundle.
        folder: Relative to it.

    Raises BundleError for a file of the packages' metadata that is not the one that was deployed; importing does for others.
    """
    libraries = _Libraries(bundle, folder)
    for name in libraries.metadata:
        bundle.verify(name)
    place = libraries.place
    for known in [path for path in sys.path_importer_cache if libraries.has(path)]:
        del sys.path_importer_cache[known]
    sys.path_hooks.insert(0, libraries.finder)
    # After the bundle itself, where that comes first.
    position = 1 if sys.path and sys.path[0] == bundle.folder else 0
    sys.path[:] = [*sys.path[:position], place, *(path for path in sys.path[position:] if path != place)]


class _Libraries:
    """The files of a bundle's packages."""

    def __init__(self, bundle: Bundle, folder: str) -> None:
        self.place = f"{bundle.folder}/{folder}"
        self.metadata: list[str] = []
        self._bundle = bundle
        self._linked: list[str] = []
        """What is checked when the first extension module is loaded."""
        self._unchecked: dict[str, list[str]] = {}
        """By top-level name, what is checked when it is first imported."""
        suffixes = tuple(suffix for suffix in _extension_suffixes() if suffix != ".so")
        begin = f"{folder}/"
        for name in bundle.manifest.files:
            if not name.startswith(begin) or name.endswith((*_CODE, *suffixes)):
                continue
            top = name[len(begin) :].partition("/")[0]
            if top.endswith(_METADATA):
                self.metadata.append(name)
            elif top.endswith(_LINKED):
                self._linked.append(name)
            else:
                self._unchecked.setdefault(top, []).append(name)

    def has(self, path: str) -> bool:
        """Tell whether a path lies in the folder."""
        return path == self.place or path.startswith(f"{self.place}/")

    def finder(self, path: str) -> Any:
        """Return what finds modules in a folder. Raises ImportError, as path hooks do, for one that is not of these."""
        if not self.has(path):
            raise ImportError(path=path)
        found = _Finder(
            path, (_Extension, _extension_suffixes()), (_Source, [".py"]), (_Sourceless, [".pyc"])
        )
        found.libraries = self
        return found

    def check_package(self, top: str) -> None:
        """Check what a package reads by itself, once. Raises BundleError, again each time it is imported."""
        for name in self._unchecked.get(top, ()):
            self._bundle.verify(name)
        self._unchecked.pop(top, None)

    def check_linked(self) -> None:
        """Check what extension modules link, once. Raises BundleError, again each time one is loaded."""
        for name in self._linked:
            self._bundle.verify(name)
        self._linked = []

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises OSError when there is none, and BundleError when it was not deployed."""
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib would cost 10 ms of each cold start
            content = file.read()
        self._bundle.check_content(path[len(self._bundle.folder) + 1 :], content)
        return content


class _Finder(FileFinder):
    libraries: _Libraries

    def find_spec(self, fullname: str, target: Any = None) -> Any:
        spec = super().find_spec(fullname, target)
        if spec is not None:
            if "." not in fullname:
                self.libraries.check_package(fullname)
            if isinstance(spec.loader, _Checked):
                spec.loader.libraries = self.libraries
        return spec


class _Checked:
    libraries: _Libraries

    def get_data(self, path: str) -> bytes:
        return self.libraries.read(path)


class _Source(_Checked, SourceFileLoader):  # type: ignore[misc]
    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing into the bundle."""


class _Sourceless(_Checked, SourcelessFileLoader):
    pass


class _Extension(_Checked, ExtensionFileLoader):
    def create_module(self, spec: Any) -> Any:
        self.libraries.read(self.path)
        self.libraries.check_linked()
        return super().create_module(spec)


def _extension_suffixes() -> list[str]:
    import _imp

    return list(_imp.extension_suffixes())
