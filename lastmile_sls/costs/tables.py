"""The tables that a report is made of, from the sums: what is attributed to whom, counted once, and what is not clean.

Stated rules:

- A row is a model's by its tags (`attributed_by` is `tag`); without a model's tag by its resource, where a deployment's
  outputs have that (`resource`). Owner and cost centre of the latter are those of the model's tagged rows, where all agree.
- Of two deliveries that have rows of the same cloud, account, sub-account, billing period and day, the later one's count. A
  day that one of them alone has counts from that one. Google's export only ever adds rows, each with the moment of its
  export, so there the moment is told apart too: a later delivery of the same rows replaces them, one of newer rows adds
  to them.
- Currencies are never added to each other.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from lastmile_sls.costs.clean import MONEY, is_currency
from lastmile_sls.costs.columns import COSTS
from lastmile_sls.costs.deliveries import Sorted
from lastmile_sls.costs.dirty import make_dirty
from lastmile_sls.costs.scan import Opened

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

CUBE = (
    "currency VARCHAR, day DATE, cloud VARCHAR, service VARCHAR, service_category VARCHAR, charge VARCHAR, model VARCHAR, "
    "environment VARCHAR, version VARCHAR, owner VARCHAR, cost_center VARCHAR, attributed_by VARCHAR, "
    f"effective {MONEY}, billed {MONEY}, list {MONEY}, contracted {MONEY}, rows BIGINT"
)
"""`list` and `contracted` are NULL where no row has any."""
UNTAGGED = (
    "currency VARCHAR, cloud VARCHAR, service VARCHAR, resource_id VARCHAR, resource_name VARCHAR, resource_type VARCHAR, "
    f"missing VARCHAR, effective {MONEY}, rows BIGINT, model VARCHAR"
)
"""`missing`: the keys, as `model, owner`; `model`: whose the resource is by a deployment's outputs."""
SOURCES = (
    "file VARCHAR, cloud VARCHAR, focus_version VARCHAR, rows BIGINT, first_day DATE, last_day DATE, counted BIGINT, "
    "delivery VARCHAR, delivered TIMESTAMP WITH TIME ZONE, note VARCHAR"
)
"""`counted`: the rows that are in the cube; `note`: why others are not."""
_SUMS = f"""sum(effectivecost)::{MONEY}, sum(billedcost)::{MONEY}, sum(listcost)::{MONEY}, sum(contractedcost)::{MONEY}"""


def make(connection: Connection, sorted_: Sorted, opened: Opened, *, exported: bool) -> tuple[str, ...]:
    """Make the tables and return what a person should be told."""
    _make_files(connection, sorted_, opened)
    _make_facts(connection)
    overlaps = _drop_overlaps(connection, exported=exported)
    connection.execute(f"CREATE TABLE cube ({CUBE})")
    connection.execute(
        "INSERT INTO cube SELECT currency, day, cloud, service, service_category, charge, model, environment, version, "
        f"owner, cost_center, attributed_by, {_SUMS}, sum(rows) FROM facts WHERE counted GROUP BY ALL"
    )
    connection.execute(f"CREATE TABLE untagged ({UNTAGGED})")
    connection.execute(
        "INSERT INTO untagged SELECT currency, cloud, service, resource_id, any_value(resource_name), "
        f"any_value(resource_type), missing, sum(effectivecost)::{MONEY}, sum(rows), any_value(owned_model) FROM facts "
        "WHERE counted AND missing <> '' AND charge IN ('Usage', 'Purchase') "
        "GROUP BY currency, cloud, service, resource_id, missing"
    )
    make_dirty(connection, opened)
    _make_sources(connection, sorted_, opened)
    return (*sorted_.warnings, *overlaps, *_currency_changes(connection))


def _make_files(connection: Connection, sorted_: Sorted, opened: Opened) -> None:
    places = {
        file.name: (place, delivery)
        for place, delivery in enumerate(sorted(sorted_.deliveries, key=lambda delivery: delivery.delivered))
        for file in delivery.files
    }
    connection.execute(
        "CREATE TABLE files (scan INTEGER, part INTEGER, file VARCHAR, version VARCHAR, place INTEGER, delivery VARCHAR, "
        "delivered TIMESTAMP WITH TIME ZONE)"
    )
    for number, scan in enumerate(opened.scans):
        for at, table in enumerate(scan.tables):
            place, delivery = places[table.file.name]
            connection.execute(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    number,
                    at,
                    table.file.name,
                    table.columns.version,
                    place,
                    delivery.name,
                    delivery.delivered,
                ],
            )


def _make_facts(connection: Connection) -> None:
    """Make the sums of clean rows with what they say, and whose they are."""
    connection.execute(f"""
        CREATE TABLE people AS SELECT model, environment,
            CASE WHEN count(DISTINCT owner) = 1 THEN any_value(owner) END AS owner,
            CASE WHEN count(DISTINCT cost_center) = 1 THEN any_value(cost_center) END AS cost_center
        FROM tag_sets WHERE model IS NOT NULL GROUP BY model, environment;
        CREATE TABLE facts AS SELECT s.scan, s.h, s.t, s.r, d.part, f.place, d.currency, s.day, {_cloud()} AS cloud,
            d.service, d.service_category, d.charge, d.account, d.sub_account, d.period, d.period_end, d.exported,
            coalesce(t.model IS NULL OR t.model = o.model, false) AS mine, coalesce(t.model, o.model) AS model,
            coalesce(t.environment, CASE WHEN mine THEN o.environment END) AS environment,
            CASE WHEN mine THEN o.version END AS version,
            coalesce(t.owner, CASE WHEN mine THEN p.owner END) AS owner,
            coalesce(t.cost_center, CASE WHEN mine THEN p.cost_center END) AS cost_center,
            CASE WHEN t.model IS NOT NULL THEN 'tag' WHEN o.model IS NOT NULL THEN 'resource' END AS attributed_by,
            o.model AS owned_model, t.missing,
            r.resource_id, r.resource_name, r.resource_type, {", ".join(f"s.{name}" for name in COSTS)}, s.rows,
            true AS counted
        FROM sums s
            JOIN dimensions d ON s.scan = d.scan AND s.h = d.h
            JOIN files f ON f.scan = d.scan AND f.part = d.part
            JOIN tag_sets t ON s.scan = t.scan AND s.t = t.t
            LEFT JOIN resources r ON s.scan = r.scan AND s.r = r.r
            LEFT JOIN owned o ON r.resource_id = o.resource_id
            LEFT JOIN people p ON p.model = o.model AND p.environment = o.environment
        WHERE s.fault = 0 AND s.day IS NOT NULL AND {is_currency("d.currency")}""")


def _drop_overlaps(connection: Connection, *, exported: bool) -> list[str]:
    """Mark what a later delivery has too as not counted, and tell of it."""
    deliveries = connection.execute("SELECT count(DISTINCT place) FROM files").fetchone()
    if deliveries is None or deliveries[0] < 2:
        return []
    unit = ["cloud", "account", "sub_account", "period", "day", *(["exported"] if exported else [])]
    same = " AND ".join(f"facts.{name} IS NOT DISTINCT FROM u.{name}" for name in unit)
    connection.execute(f"""
        CREATE TABLE units AS SELECT {", ".join(unit)}, max(place) AS place FROM facts GROUP BY ALL;
        CREATE TABLE replaced AS SELECT facts.place AS old, u.place AS new, service, model, min(facts.day) AS first,
            max(facts.day) AS last, sum(facts.rows) AS rows
        FROM facts JOIN units u ON {same} WHERE facts.place < u.place GROUP BY ALL;
        UPDATE facts SET counted = false FROM units u WHERE {same} AND facts.place < u.place""")
    told = connection.execute("""
        WITH names AS (SELECT DISTINCT place, delivery FROM files),
            pairs AS (SELECT DISTINCT place, service, model FROM facts)
        SELECT old.delivery, new.delivery, min(r.first), max(r.last), sum(r.rows), count(*) FILTER (NOT EXISTS (
            SELECT 1 FROM pairs p WHERE p.place = r.new AND p.service IS NOT DISTINCT FROM r.service
                AND p.model IS NOT DISTINCT FROM r.model))
        FROM replaced r JOIN names old ON r.old = old.place JOIN names new ON r.new = new.place
        GROUP BY ALL ORDER BY 1, 2""").fetchall()
    return [_overlap(*line) for line in told]


def _overlap(old: str, new: str, first: date, last: date, rows: int, alone: int) -> str:
    told = (
        f"{old} and {new} both have costs of {first} to {last}: those of {new} count, which was delivered later, and "
        f"{rows} rows of the other do not"
    )
    if not alone:
        return told
    return (
        f"{told}. {alone} pairs of model and service are in {old} alone: if these are exports of different things, "
        "read each by itself"
    )


def _make_sources(connection: Connection, sorted_: Sorted, opened: Opened) -> None:
    connection.execute(f"CREATE TABLE sources ({SOURCES})")
    connection.execute(f"""
        INSERT INTO sources SELECT f.file, d.cloud, f.version, coalesce(d.rows, 0), x.first, x.last, coalesce(x.counted, 0),
            f.delivery, f.delivered, CASE WHEN x.replaced > 0 THEN
                'a later delivery has the same days: ' || x.replaced || ' rows are not counted' END
        FROM files f
        LEFT JOIN (SELECT scan, part, string_agg(DISTINCT {_cloud()}, ', ' ORDER BY {_cloud()}) AS cloud, sum(rows) AS rows
                   FROM dimensions d GROUP BY ALL) d ON f.scan = d.scan AND f.part = d.part
        LEFT JOIN (SELECT scan, part, min(day) AS first, max(day) AS last, sum(rows) FILTER (counted) AS counted,
                   sum(rows) FILTER (NOT counted) AS replaced FROM facts GROUP BY ALL) x
            ON f.scan = x.scan AND f.part = x.part
        ORDER BY f.scan, f.part""")
    left = [
        (file.name, "its delivery's manifest does not have it: an earlier one left it")
        for file in sorted_.stale
    ]
    left += [(file.name, f"FOCUS's dataset of {what}: it has no charges") for file, what in opened.aside]
    for name, note in left:
        connection.execute(
            "INSERT INTO sources (file, rows, counted, note) VALUES (?, 0, 0, ?)", [name, note]
        )


def _currency_changes(connection: Connection) -> list[str]:
    """Tell of accounts that a billing period bills in more than one currency."""
    found = connection.execute("""
        SELECT account, strftime(period, '%Y-%m'), string_agg(DISTINCT currency, ' and ' ORDER BY currency) FROM facts
        WHERE counted AND account IS NOT NULL AND period IS NOT NULL GROUP BY account, period
        HAVING count(DISTINCT currency) > 1 ORDER BY 1, 2""").fetchall()
    return [
        f"account {account} is billed in {both} in {month}: they are kept apart"
        for account, month, both in found
    ]


def _cloud() -> str:
    """Return the SQL of the cloud that a row of `d`, the dimensions, is of: by who provides the service, or hosts it."""

    def named(column: str) -> str:
        return (
            f"CASE WHEN regexp_matches(lower({column}), '^(aws|amazon)') THEN 'aws' "
            f"WHEN regexp_matches(lower({column}), '^google') THEN 'gcp' "
            f"WHEN regexp_matches(lower({column}), '^(microsoft|azure)') THEN 'azure' END"
        )

    return f"coalesce({named('d.provider')}, {named('d.host')}, d.provider)"
