"""Google's description of its Cloud Billing Catalog API, against what is asked of it and what the tests let it answer."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.conformance.google_apis import require_known, require_schema
from tests.lastmile_sls.prices.google_skus import TIER_1, TIER_2, Api, every_sku, refresh, served

pytestmark = pytest.mark.conformance
_ANSWER = "ListSkusResponse"


def test_what_is_asked_and_answered_is_as_google_describes_it() -> None:
    api = Api(every_sku(TIER_1, TIER_2), page=3)
    refresh(api, TIER_1, TIER_2)
    for path, parameters in api.asked:
        require_known("GET", f"https://cloudbilling.googleapis.com{path}", parameters, {})
        require_schema("cloudbilling", _ANSWER, api.answer(path, parameters))
    with pytest.raises(AssertionError, match="no method of cloudbilling is GET v2/skus"):
        require_known("GET", "https://cloudbilling.googleapis.com/v2/skus", {}, {})


def test_an_answer_of_another_shape_is_found() -> None:
    path = "/v1/services/152E-C115-5142/skus"
    with served(Api(every_sku(TIER_1))) as api:
        answer = api.answer(path, {})

    def spoilt(**changes: Any) -> dict[str, Any]:
        found = copy.deepcopy(answer)
        found["skus"][0] |= changes
        return found

    bad = {
        "price": 1,
        "description": 1,
        "serviceRegions": TIER_1,
        "geoTaxonomy": {"type": "REGION"},
        "pricingInfo": [{"pricingExpression": {"tieredRates": [{"unitPrice": {"units": "1.5"}}]}}],
    }
    for name, value in bad.items():
        with pytest.raises(AssertionError):
            require_schema("cloudbilling", _ANSWER, spoilt(**{name: value}))
