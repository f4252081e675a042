"""Hatch's build hook: compiles the native evaluator into the runtime before a wheel or an editable install is made."""

from __future__ import annotations

import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "LASTMILE_SKIP_NATIVE"
"""Set where the compiler's wheel cannot be had: trees are evaluated in Python then."""


def _compiler() -> ModuleType:
    spec = spec_from_file_location("native_build", Path(__file__).parent / "native" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


native = _compiler()


class NativeBuildHook(BuildHookInterface):  # type: ignore[type-arg,misc]
    """Builds the libraries unless they are newer than their sources."""

    def dependencies(self) -> list[str]:
        """Return the compiler's requirement, unless nothing is to be compiled: it is a large one."""
        return [native.ZIGLANG] if self._is_wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build. Raises CalledProcessError when the compiler does."""
        del version, build_data
        if self._is_wanted():
            native.build()

    def _is_wanted(self) -> bool:
        return self.target_name == "wheel" and not os.environ.get(SKIP) and not native.is_current()
