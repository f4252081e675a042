"""Exports of all three clouds, read: what is summed, to whom, and what is not, with why."""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lastmile_sls.costs.read import Reading, read
from lastmile_sls.errors import LastmileError
from tests.lastmile_sls.costs.exports import (
    AWS_TYPES,
    FUNCTION,
    GOOGLE_TYPES,
    RUN,
    SITE,
    TAGS,
    azure,
    google,
    row,
    write_csv,
    write_parquet,
)


def rows_of(reading: Reading, query: str) -> list[tuple[Any, ...]]:
    return reading.connection.execute(query).fetchall()


def cube(reading: Reading) -> list[tuple[Any, ...]]:
    """Each row of the cube, its day as text and its costs in short."""
    found = rows_of(
        reading,
        "SELECT currency, CAST(day AS VARCHAR), cloud, model, version, attributed_by, effective, rows FROM cube "
        "ORDER BY ALL",
    )
    return [(*line[:6], str(line[6].normalize()), line[7]) for line in found]


def test_one_folder_of_three_clouds(tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "aws.parquet", [row(Tags=TAGS), row(Tags=TAGS), row(Tags={}, ResourceId="i-1")], AWS_TYPES
    )
    write_csv(
        tmp_path / "azure.csv.gz",
        [azure(), azure(Tags=json.dumps(TAGS)[1:-1]), azure(Tags="NULL", ChargePeriodStart="10/04/2026")],
        before=b"\xef\xbb\xbf",
    )
    write_parquet(
        tmp_path / "google.parquet", [google(), google(x_Labels=[], x_ProjectLabels=[])], GOOGLE_TYPES
    )
    with read([str(tmp_path)], {}) as reading:
        assert cube(reading) == [
            ("EUR", "2026-10-03", "azure", "churn", None, "tag", "0.5", 2),
            ("EUR", "2026-10-04", "azure", None, None, None, "0.25", 1),
            ("USD", "2026-10-03", "aws", "churn", None, "tag", "0.5", 2),
            ("USD", "2026-10-03", "aws", None, None, None, "0.25", 1),
            ("USD", "2026-10-03", "gcp", "churn", None, "tag", "0.2", 1),
            ("USD", "2026-10-03", "gcp", None, None, None, "0.2", 1),
        ]
        assert rows_of(
            reading,
            "SELECT service, service_category, charge, environment, owner, cost_center, billed, list, contracted FROM cube "
            "WHERE cloud = 'gcp' AND model = 'churn'",
        ) == [
            (
                "Cloud Run",
                None,
                "Usage",
                "prod",
                "team-a",
                "cc-7",
                Decimal("0.250000001"),
                Decimal("0.5"),
                Decimal("0.25"),
            )
        ]
        assert rows_of(reading, "SELECT cloud, resource_id, missing, rows FROM untagged ORDER BY cloud") == [
            ("aws", "i-1", "model, environment, owner, cost-center", 1),
            ("azure", SITE, "model, environment, owner, cost-center", 1),
            ("gcp", RUN, "model, environment, owner, cost-center", 1),
        ]
        query = (
            "SELECT file, cloud, focus_version, rows, CAST(first_day AS VARCHAR), CAST(last_day AS VARCHAR), counted, note "
            "FROM sources ORDER BY file"
        )
        assert rows_of(reading, query) == [
            (f"{tmp_path}/aws.parquet", "aws", "1.0", 3, "2026-10-03", "2026-10-03", 3, None),
            (f"{tmp_path}/azure.csv.gz", "azure", "1.2", 3, "2026-10-03", "2026-10-04", 3, None),
            (f"{tmp_path}/google.parquet", "gcp", "1.2", 2, "2026-10-03", "2026-10-03", 2, None),
        ]
        assert rows_of(reading, "FROM dirty") == []
        assert reading.warnings == ()
        folder = Path(reading.folder.name)
        assert folder.is_dir()
    assert not folder.exists()


def test_rows_that_cannot_be_counted_are_shown(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv",
        [
            row(),
            row(BilledCost="NULL"),
            row(EffectiveCost="12,5"),
            row(EffectiveCost=""),
            row(ListCost="n/a"),
            row(ListCost=""),
            row(BillingCurrency="NULL"),
            row(BillingCurrency="euros"),
            row(ChargePeriodStart="soon"),
            row(ChargePeriodStart="2026-09-30T23:00:00Z"),
            row(
                ChargeCategory="Credit", BilledCost="-1", EffectiveCost="-1", ListCost="0", ContractedCost="0"
            ),
            row(ChargeClass="Correction", BilledCost="-0.25", EffectiveCost="-0.25"),
            row(BillingCurrency="usd"),
        ],
    )
    with read([str(path)], {}) as reading:
        assert rows_of(reading, "SELECT reason, rows, counted FROM dirty ORDER BY reason") == [
            ("BilledCost is empty", 1, False),
            ("BillingCurrency is not a currency's three letters", 2, False),
            ("ChargePeriodStart is no date", 1, False),
            ("EffectiveCost is empty", 1, False),
            ("EffectiveCost is not a number", 1, False),
            ("ListCost is not a number", 1, False),
            ("the charge period starts outside its billing period", 1, True),
        ]
        (example,) = rows_of(
            reading, "SELECT example FROM dirty WHERE reason = 'EffectiveCost is not a number'"
        )[0]
        assert json.loads(example)["EffectiveCost"] == "12,5"
        assert all(line[0] for line in rows_of(reading, "SELECT example FROM dirty"))
        query = "SELECT charge, sum(billed), sum(effective), sum(list), sum(rows) FROM cube GROUP BY charge ORDER BY charge"
        assert rows_of(reading, query) == [
            ("Credit", Decimal(-1), Decimal(-1), Decimal(0), 1),
            ("Usage", Decimal("0.75"), Decimal("0.75"), Decimal(2), 5),
        ]
        assert rows_of(reading, "SELECT rows, counted FROM sources") == [(13, 6)]


def test_an_export_delivered_twice_counts_once(tmp_path: Path) -> None:
    """The later delivery of a day counts; a day that one alone has counts from that one."""
    days = [row(ChargePeriodStart=f"2026-10-0{day}T00:00:00Z") for day in (1, 2, 3, 4)]
    old = write_csv(tmp_path / "old.csv", days[:3])
    new = write_csv(tmp_path / "new.csv", [{**day, "EffectiveCost": "0.75"} for day in days[1:]])
    other = write_csv(
        tmp_path / "other.csv", [row(SubAccountId="999", ChargePeriodStart="2026-10-02T00:00:00Z")]
    )
    os.utime(old, (1_790_000_000, 1_790_000_000))
    os.utime(new, (1_790_009_000, 1_790_009_000))
    with read([str(new), str(old), str(other), str(tmp_path)], {}) as reading:
        query = "SELECT CAST(day AS VARCHAR), sum(effective), sum(rows) FROM cube GROUP BY day ORDER BY day"
        assert rows_of(reading, query) == [
            ("2026-10-01", Decimal("0.25"), 1),
            ("2026-10-02", Decimal(1), 2),
            ("2026-10-03", Decimal("0.75"), 1),
            ("2026-10-04", Decimal("0.75"), 1),
        ]
        (warning,) = reading.warnings
        assert warning == (
            f"{old} and {new} both have costs of 2026-10-02 to 2026-10-03: those of {new} count, which was delivered later, "
            "and 2 rows of the other do not"
        )
        query = "SELECT file, rows, counted, note FROM sources WHERE rows <> counted"
        note = "a later delivery has the same days: 2 rows are not counted"
        assert rows_of(reading, query) == [(str(old), 3, 1, note)]


def test_exports_of_different_things_are_told(tmp_path: Path) -> None:
    old = write_csv(tmp_path / "group-a.csv", [row(), row(ServiceName="Amazon SQS"), row(Tags=None)])
    new = write_csv(tmp_path / "group-b.csv", [row()])
    os.utime(old, (1_790_000_000, 1_790_000_000))
    with read([str(old), str(new)], {}) as reading:
        (warning,) = reading.warnings
        assert warning.endswith(
            f"and 3 rows of the other do not. 2 pairs of model and service are in {old} alone: if these are exports of "
            "different things, read each by itself"
        )


def test_google_only_ever_adds_rows(tmp_path: Path) -> None:
    """What was exported later is added; the same rows in a later delivery of all of them are not."""
    first = [google(), google(ResourceId=f"{RUN}-b")]
    later = [google(EffectiveCost="-0.1", ChargeClass="Correction", x_ExportTime="2026-10-09 00:00:00+00")]
    first = [{**line, "ChargeClass": None} for line in first]
    all_ = write_parquet(tmp_path / "all-000000000000.parquet", [*first, *later], GOOGLE_TYPES)
    part = write_parquet(tmp_path / "part-000000000000.parquet", first, GOOGLE_TYPES)
    more = write_parquet(tmp_path / "more-000000000000.parquet", later, GOOGLE_TYPES)
    for named in ([part, more], [part, all_, more]):
        with read([str(path) for path in named], {}) as reading:
            assert rows_of(reading, "SELECT sum(effective), sum(rows) FROM cube") == [(Decimal("0.3"), 3)]


def test_currencies_are_kept_apart_and_a_change_is_told(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", [row(), row(BillingCurrency="EUR", ChargePeriodStart="2026-10-20T00:00:00Z")]
    )
    with read([str(path)], {}) as reading:
        assert rows_of(reading, "SELECT currency, sum(effective) FROM cube GROUP BY 1 ORDER BY 1") == [
            ("EUR", Decimal("0.25")),
            ("USD", Decimal("0.25")),
        ]
        assert reading.warnings == (
            "account 123456789012 is billed in EUR and USD in 2026-10: they are kept apart",
        )


def test_resources_without_tags_are_known_by_outputs(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.json"
    functions = {"predict": FUNCTION, "predict-v2": f"{FUNCTION}-v2"}
    stack = {"deployment": "churn-prod", "target": "aws", "versions": ["v1", "v2"], "functions": functions}
    outputs.write_text(json.dumps({**stack, "region": "eu-west-1", "account": "123456789012"}))
    path = write_csv(
        tmp_path / "a.csv",
        [
            row(),
            row(Tags=None, ResourceId=f"{FUNCTION}:live"),
            row(ResourceId=f"{FUNCTION}-v2"),
            row(Tags='{"model": "fraud"}', ResourceId=f"{FUNCTION}-v2"),
            row(Tags=None, ResourceId="i-1"),
        ],
    )
    with read([str(path)], {}, outputs=[outputs]) as reading:
        query = "SELECT model, environment, version, owner, cost_center, attributed_by, rows FROM cube ORDER BY ALL"
        assert rows_of(reading, query) == [
            ("churn", "prod", "v2", "team-a", "cc-7", "tag", 1),
            ("churn", "prod", None, "team-a", "cc-7", "resource", 1),
            ("churn", "prod", None, "team-a", "cc-7", "tag", 1),
            ("fraud", None, None, None, None, "tag", 1),
            (None, None, None, None, None, None, 1),
        ]
        assert rows_of(reading, "SELECT resource_id, missing, model FROM untagged ORDER BY 1") == [
            (f"{FUNCTION}-v2", "environment, owner, cost-center", "churn"),
            (f"{FUNCTION}:live", "model, environment, owner, cost-center", "churn"),
            ("i-1", "model, environment, owner, cost-center", None),
        ]
    outputs.write_text("{}")
    with pytest.raises(LastmileError) as error:
        read([str(path)], {}, outputs=[outputs])
    assert str(error.value) == (
        f"{outputs} holds no deployment's outputs: deployment is missing.\nWrite it with: pulumi stack output --json"
    )


def test_versions_1_3_and_1_4_and_shares_of_a_cost(tmp_path: Path) -> None:
    names = {"ServiceProviderName": "Databricks", "HostProviderName": "Amazon Web Services"}
    share = {"AllocatedTags": '{"model": "fraud"}', "AllocatedResourceId": "pod-1", "AllocatedMethodId": "m"}
    third = [{**row(), **names, **share}, {**row(), **names, **dict.fromkeys(share)}]
    fourth = [
        {key: value for key, value in line.items() if key not in {"ProviderName", "PublisherName"}}
        | {
            "InvoiceDetailId": "1",
            "SubAccountId": "2",
            "ServiceProviderName": "Snowflake",
            "HostProviderName": "",
        }
        for line in third[:1]
    ]
    write_csv(tmp_path / "third.csv", third)
    write_csv(tmp_path / "fourth.csv", fourth)
    (tmp_path / "commitments.csv").write_text("ContractCommitmentId\n1\n")
    with read([str(tmp_path)], {}) as reading:
        assert rows_of(reading, "SELECT cloud, model, rows FROM cube ORDER BY ALL") == [
            ("Snowflake", "fraud", 1),
            ("aws", "churn", 1),
            ("aws", "fraud", 1),
        ]
        assert rows_of(reading, "SELECT resource_id FROM untagged") == [("pod-1",), ("pod-1",)]
        query = "SELECT focus_version, rows, note FROM sources ORDER BY file"
        assert rows_of(reading, query) == [
            (None, 0, "FOCUS's dataset of contract commitments: it has no charges"),
            ("1.4", 1, None),
            ("1.3", 2, None),
        ]


def test_sums_are_exact_to_the_last_digit(tmp_path: Path) -> None:
    """Random doubles as AWS writes them, texts and decimals, against Python's Decimal of the shortest text."""
    draw = random.Random(7)
    doubles = [
        draw.choice([round(draw.random(), 10), draw.random() / 3, -draw.random() * 1e-5]) for _ in range(3000)
    ]
    tags = [json.dumps({**TAGS, "model": f"m{number}"}) for number in range(40)]
    lines = [
        row(BilledCost=repr(x), EffectiveCost=repr(x * 0.7), Tags=tags[draw.randrange(40)]) for x in doubles
    ]
    expected: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in lines:
        both = expected[json.loads(line["Tags"])["model"]]
        both[0] += Decimal(line["BilledCost"])
        both[1] += Decimal(line["EffectiveCost"])
    files = [
        write_csv(tmp_path / "a.csv.gz", lines),
        write_parquet(
            tmp_path / "b.parquet", [{**li, "Tags": json.loads(li["Tags"])} for li in lines], AWS_TYPES
        ),
        write_parquet(tmp_path / "c.parquet", lines, {"costs": "DECIMAL(38, 24)"}),
    ]
    scale = Decimal(1).scaleb(-24)
    for path in files:
        with read([str(path)], {}) as reading:
            found = rows_of(reading, "SELECT model, sum(billed), sum(effective) FROM cube GROUP BY model")
            assert {model: (billed, effective) for model, billed, effective in found} == {
                model: (both[0].quantize(scale), both[1].quantize(scale)) for model, both in expected.items()
            }


def test_a_thousand_untagged_resources_and_tags_first_seen_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lastmile_sls.costs.sums._FIRST_ROWS", 10)
    lines = [row(Tags={}, ResourceId=f"i-{number}") for number in range(1000)]
    late = [row(Tags={**TAGS, "model": f"late-{number}"}) for number in range(5)]
    write_parquet(tmp_path / "a.parquet", [*lines, *late], AWS_TYPES)
    with read([str(tmp_path / "a.parquet")], {}) as reading:
        assert rows_of(reading, "SELECT count(*), sum(rows), count(DISTINCT resource_id) FROM untagged") == [
            (1000, 1000, 1000)
        ]
        assert rows_of(reading, "SELECT count(DISTINCT model) FROM cube WHERE owner = 'team-a'") == [(5,)]


def test_names_that_look_like_patterns_and_files_without_rows(tmp_path: Path) -> None:
    folder = tmp_path / "it's [all] of *"
    write_csv(folder / "a?.csv", [row()])
    write_csv(folder / "ab.csv", [row(SubAccountId="2")])
    plain = write_parquet(tmp_path / "b.parquet", [row(SubAccountId="3", Tags=TAGS)], AWS_TYPES)
    plain.rename(folder / "b[1].parquet")
    (folder / "none.csv").write_text(",".join(row()) + "\n")
    with read([str(folder)], {}) as reading:
        assert rows_of(reading, "SELECT sum(rows) FROM cube") == [(3,)]
        assert rows_of(reading, "SELECT cloud, rows, counted FROM sources WHERE rows = 0") == [(None, 0, 0)]
    with read([str(folder / "none.csv")], {}) as reading:
        assert rows_of(reading, "SELECT count(*) FROM cube") == [(0,)]


def test_nothing_is_downloaded_and_bad_names_are_refused(tmp_path: Path) -> None:
    with read([str(write_csv(tmp_path / "a.csv", [row()]))], {}) as reading:
        query = "SELECT name FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions' AND value = 'false' ORDER BY 1"
        assert rows_of(reading, query) == [("autoinstall_known_extensions",), ("autoload_known_extensions",)]
    for named, told in (
        ([], "no files were named.\nName FOCUS exports, or try: lastmile costs --example"),
        (
            ["ftp://x/a.csv"],
            "ftp://x/a.csv begins with ftp://, but costs are read from s3://, gs:// and az://, and from ",
        ),
        ([f"{tmp_path}/none"], f"there is no {tmp_path}/none.\n"),
    ):
        with pytest.raises(LastmileError) as error:
            read(named, {})
        assert told in str(error.value)
