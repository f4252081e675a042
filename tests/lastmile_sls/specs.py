"""Specs for tests, in memory."""

from __future__ import annotations

from typing import Any

from lastmile_sls.spec.model import Spec


def make_spec(**changes: Any) -> Spec:
    document: dict[str, Any] = {
        "name": "churn",
        "owner": "Ann@Example.com",
        "cost_center": "cc-1",
        "versions": [
            {"id": "v1", "artifact": "one.py", "framework": "python", "entry": "Model"},
            {"id": "v2", "artifact": "two.py", "framework": "python", "entry": "Model"},
        ],
        "traffic": {"champion": "v1", "weights": {"v1": 87.5, "v2": 12.5}},
    }
    return Spec.model_validate({**document, **changes})
