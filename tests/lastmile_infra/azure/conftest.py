"""What many of Azure's tests look at: the program of a spec that has everything beside the endpoint."""

from __future__ import annotations

import pytest

from tests.lastmile_infra.azure.recorded import WATCHED, Run, provisioned
from tests.lastmile_infra.plans import spec_of


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return provisioned(spec_of(**WATCHED), tmp_path_factory.mktemp("watched"))
