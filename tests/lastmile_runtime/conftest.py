from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture
def path() -> Iterator[str]:
    """Where a Unix socket can be."""
    # Unix sockets' paths are limited to about 100 bytes, which pytest's folders exceed.
    with tempfile.TemporaryDirectory() as folder:
        yield f"{folder}/h"


@pytest.fixture
def clean_imports() -> Iterator[None]:
    """A process has one bundle; a test has its own."""
    modules, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - modules:
        if (getattr(sys.modules[name], "__file__", None) or "").find("/bundle/app/") >= 0:
            del sys.modules[name]
    sys.path[:] = path
