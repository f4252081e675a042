"""FOCUS with the columns that say whose each row is."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from lastmile_sls.costs.parquet import write_parquet
from lastmile_sls.costs.read import read
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.costs import exports
from tests.lastmile_sls.costs.exports import (
    AWS_TYPES,
    FUNCTION,
    GOOGLE_TYPES,
    TAGS,
    azure,
    google,
    row,
    write_csv,
)


def test_what_was_counted_is_written_and_read_again_with_the_same_sums(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.json"
    stack = {
        "deployment": "churn-prod",
        "target": "aws",
        "versions": ["v1"],
        "functions": {"predict": FUNCTION},
    }
    outputs.write_text(json.dumps(stack))
    exports.write_parquet(
        tmp_path / "in/aws.parquet",
        [row(Tags=TAGS), row(Tags={}, BilledCost="1e-7"), row(Tags={}, ResourceId="i-1")],
        AWS_TYPES,
    )
    write_csv(
        tmp_path / "in/azure.csv", [azure(), azure(BilledCost="x"), azure(ChargePeriodStart="10/04/2026")]
    )
    write_csv(tmp_path / "in/azure-again.csv", [azure()])
    exports.write_parquet(tmp_path / "in/google.parquet", [google()], GOOGLE_TYPES)
    out = tmp_path / "out.parquet"
    query = (
        "SELECT currency, day, cloud, model, environment, owner, cost_center, sum(billed), sum(list), sum(rows) FROM cube "
        "GROUP BY ALL ORDER BY ALL"
    )
    with read([str(tmp_path / "in")], {}, outputs=[outputs]) as reading:
        assert write_parquet(reading, out) == 6
        sums = reading.connection.execute(query).fetchall()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(
            "SELECT ProviderName, BilledCost, CAST(ChargePeriodStart AS VARCHAR), Tags, x_Model, x_ModelEnvironment, "
            f"x_ModelVersion, x_ModelOwner, x_ModelCostCenter, x_AttributedBy FROM '{out}' ORDER BY ALL"
        ).fetchall()
        labels = connection.execute(f"SELECT x_Labels FROM '{out}' WHERE x_Labels IS NOT NULL").fetchall()
    third, tags = "2026-10-03 00:00:00", json.dumps(TAGS, separators=(",", ":"))
    mine = ("churn", "prod", "v1", "team-a", "cc-7")
    both = ("churn", "prod", None, "team-a", "cc-7", "tag")
    assert found == [
        ("AWS", Decimal("1e-7"), third, "{}", *mine, "resource"),
        ("AWS", Decimal("0.25"), third, tags, *mine, "tag"),
        ("AWS", Decimal("0.25"), third, "{}", None, None, None, None, None, None),
        ("Google Cloud", Decimal("0.250000001"), "2026-10-03 05:00:00", None, *both),
        ("Microsoft", Decimal("0.25"), third, json.dumps(TAGS), *both),
        ("Microsoft", Decimal("0.25"), "2026-10-04 00:00:00", json.dumps(TAGS), *both),
    ]
    assert json.loads(labels[0][0])[0] == {"Key": "model", "Value": "churn"}
    with read([str(out)], {}, outputs=[outputs]) as again:
        assert again.connection.execute(query).fetchall() == sums
        assert write_parquet(again, out) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.parquet", "outputs.json"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with (
        read([str(write_csv(tmp_path / "a.csv", [row()]))], {}) as reading,
        pytest.raises(LastmileError) as error,
    ):
        write_parquet(reading, tmp_path / "none/out.parquet")
    assert f"{tmp_path}/none/out.parquet could not be written: " in str(error.value)
