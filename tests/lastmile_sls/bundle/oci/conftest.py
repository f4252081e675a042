"""A registry that all tests of the session share; each has repositories of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lastmile_sls.bundle.oci.registries import RegistryProcess, registry


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryProcess]:
    with registry(tmp_path_factory.mktemp("registry")) as process:
        yield process
