"""How Google's Cloud Billing Catalog API is asked, by whom, and what is said when it does not answer."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lastmile_sls.errors import LastmileError
from lastmile_sls.prices import gcp
from lastmile_sls.prices.gcp_meters import METERS
from tests.lastmile_sls.prices.google_skus import (
    KEY,
    TIER_1,
    TODAY,
    Api,
    Refusal,
    every_sku,
    rate,
    refresh,
    refused,
    served,
    sku,
)

CPU = "gcp.run.cpu.request"
AGAIN = "Try again in a few minutes: lastmile prices refresh --target gcp"
LOG_IN = (
    "Set GOOGLE_API_KEY to an API key of a project in which the Cloud Billing API is on, or log in: "
    "gcloud auth application-default login"
)


def test_whoever_may_not_ask_is_told_what_to_do() -> None:
    """In Google's own words, but for the key."""
    wrong: Refusal = (400, f"API key not valid: {KEY}. Please pass a valid API key.", {})
    assert refused(Api([], refusals=[wrong])) == (
        "Google does not tell its prices to whoever asks here: HTTP 400, API key not valid: ***. "
        f"Please pass a valid API key.\n{LOG_IN}"
    )
    off: Refusal = (403, "Cloud Billing API has not been used in project 1 before or it is disabled.", {})
    assert "HTTP 403, Cloud Billing API has not been used in project 1" in refused(Api([], refusals=[off]))


def test_asked_too_often_it_waits_as_long_as_it_is_told_and_gives_up_in_the_end() -> None:
    quota = "Quota exceeded for quota metric 'Requests'"
    busy: list[Refusal] = [
        (429, quota, {"retry-after": "7"}),
        (429, quota, {}),
        (503, "", {"retry-after": "900"}),
    ]
    document, _, paused = refresh(Api(every_sku(TIER_1), refusals=busy))
    assert set(document["meters"]) == set(METERS)
    assert paused == [7.0, 4.0, 60.0]
    assert refused(Api([], refusals=[(429, quota, {})] * 5)) == (
        f"Google's list of prices was asked too often: HTTP 429, {quota}.\n"
        "Wait a minute, or ask with a key of another project."
    )
    assert re.fullmatch(
        rf"Google's list of prices answered HTTP 502 \(127\.0\.0\.1:\d+\)\.\n{AGAIN}",
        refused(Api([], refusals=[(502, "", {})] * 5)),
    )


def test_bad_answers_are_refused() -> None:
    for body in (b"<html>", b"[]", b'{"skus": 1}', b""):
        assert refused(Api([], body=body)) == f"Google's list of prices is no list of prices.\n{AGAIN}"
    euro = [sku(CPU, "Services CPU (Request-based billing)", [TIER_1], rate(0, 0, 24_000, "EUR"))]
    assert refused(Api(euro)) == f"Google's list of prices is in EUR, but USD was asked for.\n{AGAIN}"
    odd = [sku(CPU, "Services CPU (Request-based billing)", [TIER_1], rate(0, 0, -24_000))]
    assert refused(Api(odd)) == f"Google's list of prices says -24000, which is no number.\n{AGAIN}"
    assert refused(Api(every_sku(TIER_1), has_no_end=True)) == (
        f"Google's list of prices has no end after 100 pages.\n{AGAIN}"
    )
    api = Api([], refusals=[(302, "", {"location": "/elsewhere"})])
    assert refused(api).startswith("Google's list of prices answered HTTP 302 (127.0.0.1:")
    assert len(api.asked) == 1, "a key goes nowhere else"
    with pytest.raises(LastmileError) as caught:
        gcp.refresh([TIER_1], {"GOOGLE_API_KEY": KEY}, TODAY, print, address="http://127.0.0.1:1")
    assert str(caught.value) == (
        f"Google's list of prices cannot be read (127.0.0.1:1): [Errno 111] Connection refused.\n{AGAIN}"
    )


def test_without_a_key_whoever_is_logged_in_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service account's token, of a server of its own; nobody's is a message that says how to log in."""
    file = tmp_path / "account.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(LastmileError) as caught:
        gcp.refresh([TIER_1], {"GOOGLE_API_KEY": " "}, TODAY, print)
    assert str(caught.value) == (f"nobody is logged in to Google Cloud: File {file} was not found.\n{LOG_IN}")
    with monkeypatch.context() as missing:
        missing.setitem(sys.modules, "google.auth", None)
        with pytest.raises(LastmileError) as caught:
            gcp.refresh([TIER_1], {}, TODAY, print)
    assert str(caught.value) == (
        "Google's list of prices needs an API key, or google-auth to log in; GOOGLE_API_KEY is not set.\n"
        f"{LOG_IN}. google-auth comes with: pip install 'lastmile-sls[gcp]'"
    )
    secret = rsa.generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "acme-models",
        "private_key_id": "1",
        "private_key": secret.decode(),
        "client_email": "prices@acme-models.iam.gserviceaccount.com",
    }
    with served(Api(every_sku(TIER_1))) as api:
        file.write_text(json.dumps({**account, "token_uri": f"{api.address}/token"}))
        document = gcp.refresh([TIER_1], {}, TODAY, print, address=api.address)
    assert set(document["meters"]) == set(METERS)
    assert api.asked[0] == ("/token", {})
    assert {headers["authorization"] for headers in api.headers} == {f"Bearer {KEY}"}
