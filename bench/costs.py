"""How long FOCUS exports take to read: `python bench/costs.py [--rows 1000000 3000000 10000000] [--rounds 1]`.

Makes Parquet files with all 57 columns of FOCUS 1.2, 1000 tag sets, 13 services, a month of hours and 5000 resources, in
two shapes: `aws` (costs as doubles, tags as a map) and `azure` (costs as decimals, tags as JSON). Costs have 10 digits
after the point, as bills have; of effective costs every seventh, and all contracted ones, have as many as a double takes.
One row in 50 has no tags. A model is in one of 20 accounts and uses all services each day: 400 000 sums of tagged rows.

Every entry runs in a fresh process, with a warm page cache. Ours reads, cleans, attributes and sums all four costs exactly;
beside it DuckDB, polars and pandas sum the same columns by currency, day, service and raw tags, in doubles where the file
has them, so what they do is less. Each of ours is compared with DuckDB's exact sum of the raw file: another one is an error.
Wall time grows with other load on the machine, seconds of processor time less. Needs duckdb; peers that are not installed
are left out. Linux. Writes up to 3 GB below --folder (default: the system's temporary folder).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("BillingCurrency", "ServiceName", "Tags")
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
GOAL_ROWS = 10_000_000
GOALS = {"seconds": 10.0, "peak MiB": 1024.0}
"""For ours at 10 million rows of either shape, on two cores with nothing else to do."""

# Each reads argv: the file; and sets `sums`, the four costs' totals as text.
OURS = """
from lastmile_sls.costs.read import read
with read([file], {}) as reading:
    row = reading.connection.execute(
        "SELECT sum(billed), sum(effective), sum(list), sum(contracted) FROM cube").fetchone()
    sums = [str(x) for x in row]
"""
DUCKDB = f"""
import duckdb
connection = duckdb.connect()
connection.execute("SET threads = 2; SET enable_progress_bar = false")
row = connection.execute(
    "SELECT {", ".join(f"sum({c})" for c in COSTS)} FROM (SELECT {", ".join(KEYS)}, CAST(ChargePeriodStart AS DATE), "
    "{", ".join(f"sum({c}) AS {c}" for c in COSTS)} " f"FROM '{{file}}' GROUP BY ALL)").fetchone()
sums = [str(x) for x in row]
"""
POLARS = f"""
import os
os.environ["POLARS_MAX_THREADS"] = "2"
import polars as pl
tags = pl.col("Tags").cast(pl.String) if "azure" in file else pl.col("Tags").hash()
frame = pl.scan_parquet(file).group_by(
    "BillingCurrency", "ServiceName", tags.alias("t"), pl.col("ChargePeriodStart").dt.date()
).agg(pl.col({list(COSTS)}).sum()).collect(engine="streaming")
sums = [str(frame[name].sum()) for name in {list(COSTS)}]
"""
PANDAS = f"""
import pandas
frame = pandas.read_parquet(file, columns={[*KEYS, "ChargePeriodStart", *COSTS]})
frame["ChargePeriodStart"] = frame["ChargePeriodStart"].dt.floor("D")
frame["Tags"] = frame["Tags"].astype(str)
found = frame.groupby({[*KEYS, "ChargePeriodStart"]}, dropna=False)[{list(COSTS)}].sum()
sums = [str(found[name].sum()) for name in {list(COSTS)}]
"""
ENTRIES = {"ours": OURS, "duckdb, raw": DUCKDB, "polars, raw": POLARS, "pandas, raw": PANDAS}
CHILD = """
import json, resource, sys, time
file = sys.argv[1]
started = time.perf_counter()
{entry}
took = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_SELF)
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("\\n" + json.dumps([took, used.ru_utime + used.ru_stime, int(peak) / 1024, sums]))
"""
FOCUS = [
    "AvailabilityZone",
    "BillingAccountName",
    "BillingAccountType",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedUnit",
    "InvoiceId",
    "PricingCategory",
    "PricingCurrency",
    "PricingUnit",
    "RegionId",
    "RegionName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountName",
    "SubAccountType",
]
"""Columns that are not read, of text."""
NUMBERS = [
    "CommitmentDiscountQuantity",
    "ConsumedQuantity",
    "ContractedUnitPrice",
    "ListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
]
"""Columns that are not read, of numbers."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--shapes", nargs="+", default=["aws", "azure"], choices=["aws", "azure"])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--entries", nargs="+", default=list(ENTRIES), choices=list(ENTRIES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for shape in options.shapes:
            for rows in options.rows:
                file = Path(folder) / f"{shape}-{rows}.parquet"
                make(file, rows, shape)
                found += measure(file, rows, shape, options.entries, options.rounds)
                file.unlink()
    print(json.dumps(found) if options.json else table(found))
    return 0 if all(line["exact"] is not False for line in found) else 1


def make(file: Path, rows: int, shape: str) -> None:
    """Write a month of rows."""
    import duckdb

    cost = {"aws": "DOUBLE", "azure": "DECIMAL(38, 18)"}[shape]
    pairs = {
        "model": "'model-' || k",
        "environment": "'prod'",
        "owner": "'team-' || (k % 37)",
        "cost-center": "'cc-' || (k % 11)",
        "managed-by": "'lastmile'",
    }
    if shape == "aws":
        tags = f"MAP({list(pairs)}, [{', '.join(pairs.values())}])"
    else:
        parts = " || ',' || ".join(f"'\"{key}\": \"' || {value} || '\"'" for key, value in pairs.items())
        tags = f"'{{' || {parts} || '}}'"
    texts = ", ".join(f"'{name} ' || (i % {7 + place}) AS {name}" for place, name in enumerate(FOCUS))
    numbers = ", ".join(
        f"(hash(i + {place}) % 1000000) / 1e3 AS {name}" for place, name in enumerate(NUMBERS)
    )
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2; SET memory_limit = '2GB'; SET preserve_insertion_order = false")
        connection.execute(f"""
            COPY (SELECT CAST(b AS {cost}) AS BilledCost,
                    CAST(CASE WHEN i % 7 = 0 THEN b * 0.7234567 ELSE b END AS {cost}) AS EffectiveCost,
                    CAST(round(b * 1.25, 10) AS {cost}) AS ListCost, CAST(b * 0.9512345 AS {cost}) AS ContractedCost,
                    '123456789012' AS BillingAccountId, 'USD' AS BillingCurrency,
                    TIMESTAMP '2026-10-01' AS BillingPeriodStart, TIMESTAMP '2026-11-01' AS BillingPeriodEnd,
                    CASE WHEN i % 97 = 0 THEN 'Credit' ELSE 'Usage' END AS ChargeCategory,
                    TIMESTAMP '2026-10-01' + to_hours(CAST(i % 744 AS INTEGER)) AS ChargePeriodStart,
                    TIMESTAMP '2026-10-01' + to_hours(CAST(i % 744 + 1 AS INTEGER)) AS ChargePeriodEnd,
                    'AWS' AS ProviderName, 'AWS' AS PublisherName, 'AWS' AS InvoiceIssuerName,
                    'Service ' || (i % 13) AS ServiceName, 'Compute' AS ServiceCategory,
                    'arn:aws:lambda:eu-west-1:123456789012:function:f' || (i % 5000) AS ResourceId,
                    'f' || (i % 5000) AS ResourceName, 'Function' AS ResourceType,
                    (123456789012 + k % 20)::VARCHAR AS SubAccountId,
                    CASE WHEN i % 50 = 0 THEN NULL ELSE {tags} END AS Tags, {texts}, {numbers}
                  FROM (SELECT i, hash(i * 7) % 1000 AS k, (hash(i) % 1000000007) / 1e10 AS b FROM range({rows}) t(i)))
            TO '{file}' (FORMAT parquet, COMPRESSION snappy)""")


def measure(file: Path, rows: int, shape: str, entries: list[str], rounds: int) -> list[dict[str, Any]]:
    """Return what every entry took for a file."""
    raw, found = exact(file), []
    sampled: dict[str, list[list[Any]]] = {name: [] for name in entries}
    for _ in range(rounds):
        for name, samples in sampled.items():
            if sample := run(ENTRIES[name], file):
                samples.append(sample)
    for name, samples in sampled.items():
        line: dict[str, Any] = {"shape": shape, "rows": rows, "entry": name, "MB": file.stat().st_size >> 20}
        if samples:
            line |= {
                "seconds": statistics.median(sample[0] for sample in samples),
                "processor s": statistics.median(sample[1] for sample in samples),
                "peak MiB": max(sample[2] for sample in samples),
            }
        is_exact = len(samples) == rounds and all(sample[3] == raw for sample in samples)
        line["exact"] = is_exact if name == "ours" else None
        found.append(line)
    return found


def exact(file: Path) -> list[str]:
    """Return DuckDB's sums of the raw file, each cost by its shortest text."""
    import duckdb

    sums = ", ".join(f"sum(CAST(CAST({name} AS VARCHAR) AS DECIMAL(38, 24)))" for name in COSTS)
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {sums} FROM '{file}'").fetchone()
    assert row
    return [str(value) for value in row]


def run(entry: str, file: Path) -> list[Any] | None:
    """Return an entry's sample in a process of its own; None where it cannot run."""
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'handlers'}"}
    command = [sys.executable, "-c", CHILD.replace("{entry}", entry), str(file)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return None
    sample: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return sample


def verdicts(found: list[dict[str, Any]]) -> list[str]:
    """Return for each file of 10 million rows whether ours meets the goals."""
    return [
        f"{line['shape']}, {goal}: {line[goal]:.1f}, at most {limit:g}: "
        + ("met" if line[goal] <= limit else "**missed**")
        for line in found
        if line["entry"] == "ours" and line["rows"] == GOAL_ROWS and "seconds" in line
        for goal, limit in GOALS.items()
    ]


def table(found: list[dict[str, Any]]) -> str:
    """Return the lines as Markdown, with each entry's ratio to ours by processor time, then the verdicts."""
    lines = [
        "| shape | rows | MB | | seconds | processor s | to ours by processor time | peak MiB | decimal-exact |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    ours = {
        (line["shape"], line["rows"]): line for line in found if line["entry"] == "ours" and "seconds" in line
    }
    for line in found:
        head = f"| {line['shape']} | {line['rows']:,} | {line['MB']} | {line['entry']} |"
        if "seconds" not in line:
            lines.append(f"{head} not installed, or failed | | | | |")
            continue
        mine = ours.get((line["shape"], line["rows"]))
        ratio = f"{line['processor s'] / mine['processor s']:.2f}x" if mine else ""
        told = {True: "yes", False: "**no**", None: ""}[line["exact"]]
        lines.append(
            f"{head} {line['seconds']:.1f} | {line['processor s']:.1f} | {ratio} | {line['peak MiB']:.0f} | {told} |"
        )
    return "\n".join([*lines, "", *verdicts(found)])


if __name__ == "__main__":
    sys.exit(main())
