from __future__ import annotations

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts
from lastmile_sls.spec.draft import draft
from lastmile_sls.spec.model import Spec

FACTS = ModelFacts(
    "sklearn",
    requirements=("scikit-learn==1.9.1",),
    inputs=(ColumnFacts("age", "FP64", minimum=1, maximum=2),),
    outputs=(ColumnFacts("predict", "INT64"),),
)


def make(name: str) -> Spec:
    return draft(
        FACTS, name=name, owner="o", cost_center="c", artifact="m.joblib", sample=None, trusted=False
    )


def test_a_draft_holds_what_was_found() -> None:
    assert make("churn").model_dump(exclude_defaults=True) == {
        "name": "churn",
        "owner": "o",
        "cost_center": "c",
        "versions": (
            {
                "id": "v1",
                "artifact": "m.joblib",
                "framework": "sklearn",
                "requirements": ("scikit-learn==1.9.1",),
            },
        ),
        "traffic": {"champion": "v1"},
        "contract": {
            "inputs": ({"name": "age", "datatype": "FP64", "minimum": 1.0, "maximum": 2.0},),
            "outputs": ({"name": "predict", "datatype": "INT64"},),
        },
    }


def test_an_illegal_name_is_refused() -> None:
    with pytest.raises(LastmileError) as caught:
        make("Churn!")
    assert caught.value.message == (
        "no spec can be written for m.joblib: name is 'Churn!', but must have lower-case letters, digits and "
        "single dashes only, and begin with a letter."
    )
    assert caught.value.hint == "Give other values: --name, --owner."
