"""An estimate to JSON and back."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from lastmile_sls.errors import LastmileError
from lastmile_sls.estimate.as_json import changes_to_json, from_json, text, to_json
from lastmile_sls.estimate.diff import diff
from tests.lastmile_sls.estimate.priced import estimated, traffic


def test_numbers_are_decimal_text() -> None:
    told = [text(Decimal(value)) for value in ("0", "1E+6", "2.50", "0.00001333340", "1e15", "100")]
    assert told == ["0", "1000000", "2.5", "0.0000133334", "1000000000000000", "100"]
    assert text(Decimal(1) / 3) == "0.333333333333"


def test_it_comes_back_as_it_was() -> None:
    month = traffic(row_ms={"v1": Decimal("0.5")}, effective_concurrency=Decimal(2), measured="given")
    before = {"": estimated(month), "idle": estimated(traffic(requests=Decimal(0)))}
    document = json.loads(json.dumps(to_json(before)))
    assert document["format"] == "lastmile.estimate/1"
    first, idle = document["estimates"]
    assert (first["shape"], first["monthly"], first["baseline"], first["usage"], first["per_1000"]) == (
        *("", "13.5", "2", "11.5", "0.0135"),
    )
    assert (idle["monthly"], idle["per_1000"]) == ("2", None)
    assert first["versions"][0] == {
        "version": "v1",
        "share": "0.9",
        "requests": "900000",
        "own": "8.590909090909",
        "shared": "2.7",
        "monthly": "11.290909090909",
        "per_1000": "0.012545454545",
    }
    after = from_json(document)
    assert after["idle"] == before["idle"]
    assert to_json(after) == document
    assert after[""].traffic == month
    assert changes_to_json(diff(after[""], before[""]))["resources"] == []


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "its format is None, but must be 'lastmile.estimate/1'."),
        ({"format": "lastmile.estimate/9"}, "its format is 'lastmile.estimate/9'"),
        ({"format": "lastmile.estimate/1"}, "it is no estimate (KeyError: 'estimates')."),
        (
            {"format": "lastmile.estimate/1", "estimates": [{"shape": ""}]},
            "it is no estimate (KeyError: 'prices').",
        ),
    ],
)
def test_what_is_no_estimate_is_refused(document: object, told: str) -> None:
    with pytest.raises(LastmileError) as caught:
        from_json(document)
    assert told in caught.value.message
