from __future__ import annotations

from decimal import Decimal as D

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.azure import gateway
from lastmile_sls.estimate.document import Traffic, Work
from lastmile_sls.prices.book import UnpricedError
from tests.lastmile_sls.estimate.azure.months import load, month, plan_of, priced, quantities, resource_of

PLAN = plan_of("web-app")
PROFILE = resource_of("web-app", "Profile")
KIB = D(2**20)


@pytest.mark.parametrize(("request_kb", "response_kb"), [(1, 100), (2, 350)])
def test_microsoft_s_own_examples(request_kb: int, response_kb: int) -> None:
    """Examples 1 and 5: a request counts once, its body on the way to the origin, the answer's on the way to the client
    (learn.microsoft.com/azure/frontdoor/billing, "Example scenarios", 2023-12-28)."""
    traffic = Traffic(D(1), {}, request_kb=D(request_kb), response_kb=D(response_kb))
    in_ = month("web-app", load(PLAN, Work("v1", "request", D(1), D(20))), traffic)
    found = priced(gateway.profile, PROFILE, in_)
    assert quantities(found) == {
        "Base fee": 1,
        "Requests": 1,
        "Data to the function": request_kb / KIB,
        "Data to callers": response_kb / KIB,
    }
    assert found["Base fee"].cost == 35
    assert not found["Base fee"].usage_based


def test_tiers() -> None:
    """What Zone 1's rows say: 0.009 for 10 000 requests, and 0.0081 after 250 million."""
    work = Work("v1", "request", D(260_000_000), D(20))
    found = priced(gateway.profile, PROFILE, month("web-app", load(PLAN, work), Traffic(D(1), {})))
    assert found["Requests"].cost == 25_000 * D("0.009") + 1_000 * D("0.0081")


def test_what_is_not_priced_is_refused_by_name() -> None:
    in_ = month("web-app", load(PLAN))
    premium = resource_of("web-app", "Profile", sku={"name": "Premium_AzureFrontDoor"})
    with pytest.raises(LastmileError) as caught:
        gateway.profile(premium, in_)
    assert str(caught.value) == (
        "sku.name of Profile house-price-dev-front-door is 'Premium_AzureFrontDoor', but only Standard_AzureFrontDoor is "
        "priced.\nUse that tier."
    )
    with pytest.raises(UnpricedError) as unpriced:
        gateway.profile(PROFILE, month("web-app", load(PLAN), region="southeastasia"))
    assert str(unpriced.value) == (
        "there is no price of azure.frontdoor.requests in southeastasia.\n"
        "Read the cloud's own: lastmile prices refresh --target azure --region southeastasia"
    )
