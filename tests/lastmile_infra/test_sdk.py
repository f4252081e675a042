"""A target's module comes with its SDK, and what is missing is told with the way to it."""

from __future__ import annotations

import sys

import pulumi
import pytest

from lastmile_infra.sdk import module_for


def test_it_is_the_targets_module() -> None:
    assert module_for("lastmile_infra", "local", ["local"]).__name__ == "lastmile_infra.local"


def test_another_target_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^target is 'ibm', but it must be one of \['aws', 'gcp'\]\.$"):
        module_for("lastmile_infra", "ibm", ("aws", "gcp"))


def test_a_missing_sdk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("lastmile_infra.bootstrap.aws")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pulumi_aws", None)
    with pytest.raises(pulumi.RunError) as caught:
        module_for("lastmile_infra.bootstrap", "aws", ("aws",))
    assert str(caught.value) == "pulumi_aws is not installed. Install it: pip install 'lastmile-sls[aws]'"
