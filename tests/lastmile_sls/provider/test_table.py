"""Both families stand in one table."""

from __future__ import annotations

from pathlib import Path

from lastmile_sls.delivery.patience import Patience
from lastmile_sls.provider.table import resource_types


def test_every_type_is_found_by_its_token() -> None:
    types = resource_types("embedded", Path("/nowhere"), {}, Patience())
    local = ("Key", "Function", "Route", "Bucket", "Document", "Queue", "Schedule")
    index = ("Key", "Release", "Document", "Image", "Package")
    assert list(types) == [
        *(f"lastmile:local:{name}" for name in local),
        *(f"lastmile:index:{name}" for name in index),
    ]
    assert all(kind.schema.token == token for token, kind in types.items())
