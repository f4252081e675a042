"""The made-up month: the same each time, of the models in examples/, and read as real bills are."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from lastmile_sls.costs.example.fleet import FLEET
from lastmile_sls.costs.example.month import charges
from lastmile_sls.costs.example.write import Example, write
from lastmile_sls.costs.read import read
from lastmile_sls.costs.report.amounts import Amounts, exactly
from lastmile_sls.costs.report.document import Asked, CurrencyReport, Report
from lastmile_sls.costs.report.make import make
from lastmile_sls.costs.usage import read_usage
from lastmile_sls.errors import LastmileError
from lastmile_sls.spec.load import load
from lastmile_sls.spec.tags import tag_set

EXAMPLES = Path(__file__).parents[4] / "examples"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return write(tmp_path_factory.mktemp("bills"))


@pytest.fixture(scope="module")
def report(example: Example) -> Iterator[Report]:
    with read([str(path) for path in example.bills], {}, outputs=example.outputs) as reading:
        assert reading.warnings == ()
        yield make(reading.connection, Asked(), read_usage([example.usage]))


def _usd(report: Report) -> CurrencyReport:
    return report.currencies[0]


def test_the_fleet_is_the_examples() -> None:
    specs = [load(path) for path in sorted(EXAMPLES.glob("*/lastmile.yaml"))]
    tags = {spec.name: tag_set(spec) for spec in specs}
    assert {member.model for member in FLEET} == set(tags)
    for member in FLEET:
        assert dict(member.tags) == {**tags[member.model], "environment": member.environment}
        (spec,) = (spec for spec in specs if spec.name == member.model)
        assert {version.id for version in member.versions} == {version.id for version in spec.versions}


def test_it_is_the_same_each_time_and_says_that_it_is_made_up(example: Example, tmp_path: Path) -> None:
    other = write(tmp_path)
    for one, two in zip((*example.bills, example.usage), (*other.bills, other.usage), strict=True):
        files = sorted(path for path in one.rglob("*") if path.is_file()) if one.is_dir() else [one]
        for path in files:
            twin = two / path.relative_to(one) if one.is_dir() else two
            assert path.suffix == ".parquet" or path.read_bytes() == twin.read_bytes(), path
    (bill,) = example.bills[0].rglob("*.csv.gz")
    head, first, *_ = gzip.decompress(bill.read_bytes()).decode().splitlines()
    assert head.endswith(",x_Synthetic")
    assert first.endswith(",true")
    assert "every number is made up" in (example.usage.parent / "README.md").read_text()


def test_the_reader_counts_every_row(report: Report) -> None:
    assert [
        (source.cloud, source.focus_version, source.rows == source.counted) for source in report.sources
    ] == [
        *(("aws", "1.2", True), ("azure", "1.2", True), ("gcp", "1.1", True)),
    ]
    assert report.dirty == ()
    with exactly():
        for found in report.currencies:
            meant = [c for c in charges() if c.currency == found.currency and c.charge == "Usage"]
            assert found.usage.effective == sum((c.effective for c in meant), Decimal(0))
            assert found.usage.billed == sum((c.billed for c in meant), Decimal(0))
            assert found.usage.listed == sum((c.listed for c in meant), Decimal(0))


def test_both_currencies_and_all_kinds_of_charges_are_there(report: Report) -> None:
    assert [found.currency for found in report.currencies] == ["USD", "EUR"]
    told = {charge.category for found in report.currencies for charge in found.charges}
    assert told == {"Tax", "Purchase", "Credit", "Adjustment"}
    usd = _usd(report)
    assert 0 < usd.untagged_share < Decimal("0.3")
    assert usd.usage.effective > usd.usage.billed


def test_the_public_model_stands_out_on_its_busy_day(report: Report) -> None:
    found = _usd(report).anomalies
    assert {(anomaly.day.day, anomaly.model) for anomaly in found} == {(14, "daylight")}
    assert report.currencies[1].anomalies == ()


def test_outputs_tell_whose_a_bucket_without_tags_is_and_which_version_a_function_serves(
    report: Report,
) -> None:
    usd = _usd(report)
    storage = next(service for service in usd.untagged if service.service == "Amazon Simple Storage Service")
    assert [(resource.name, resource.model) for resource in storage.resources] == [
        *(("acme-notebooks", None), ("breast-cancer-dev-123456789012", "breast-cancer")),
    ]
    delivery = next(model for model in usd.models if model.model == "delivery-time")
    v1, v2 = delivery.versions
    assert (v1.version, v1.tagged.effective, v2.version) == ("v1", Decimal(0), "v2")
    assert v2.tagged.effective > 0
    assert v1.split.effective > 0
    assert all(
        model.counted and model.counted.per_1000 for found in report.currencies for model in found.models
    )


def test_encoded_tags_are_read_back(report: Report) -> None:
    house = next(model for model in report.currencies[1].models if model.name == "house-price (prod)")
    assert (house.owners, house.cost_centers) == (("valuation-team",), ("sales-0815",))
    assert house.own != Amounts()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bills").write_text("in the way")
    with pytest.raises(LastmileError, match=f"the example cannot be written to {tmp_path}: "):
        write(tmp_path)
