"""The comparison for programs: amounts are text, and nothing is left out."""

from __future__ import annotations

import json

from lastmile_sls.compare.as_json import document_of
from lastmile_sls.compare.compare import compare
from tests.lastmile_sls.compare import priced


def test_the_document() -> None:
    spec = priced.spec()
    offers = priced.offers(spec, [512, 600])
    found = json.loads(json.dumps(document_of(compare(offers, priced.question(spec, priced.shape()), ()))))
    assert (found["format"], found["deployment"], found["currency"], found["requests"]) == (
        "lastmile.comparison/1",
        "churn-dev",
        "USD",
        "1000000",
    )
    assert found["recommended"] == {"target": "gcp", "memory_mb": 512}
    assert found["cheapest"][0] == {
        "target": "azure",
        "from_requests": 1000,
        "to_requests": 133333,
        "why": "while nobody calls it costs nothing, gcp 1.00\u00a0USD (most of it: gcp's Rest)",
    }
    assert found["crossings"][0] == {
        "requests": 133334,
        "monthly": "1.533336",
        "cheaper_below": "azure",
        "cheaper_from": "gcp",
        "changes_the_cheapest": True,
    }
    azure = found["targets"][2]
    assert (azure["target"], azure["fits"], azure["why_not"]) == ("azure", True, None)
    assert azure["sizes"][0] == {
        "memory_mb": 512,
        "processors": "0.25",
        "is_the_specs": True,
        "is_the_best_here": True,
        "duration_ms": "100",
        "baseline": "0",
        "usage": "11.5",
        "monthly": "11.5",
        "per_1000": "0.0115",
        "region": "somewhere",
        "why_not": None,
    }
    assert azure["sizes"][1]["why_not"] == "azure has no 600 MB; the nearest is 512 MB."
    assert azure["sizes"][1]["monthly"] is None
    assert found["curves"][0]["points"][0] == {"requests": 1000, "monthly": "4.0015", "memory_mb": 512}
    assert found["first_answers"]["versions"]["v2"]["why_not"] == "its model does not say what it takes"
    assert len(found["notes"]) == 4
