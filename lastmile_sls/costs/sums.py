"""One pass over few columns of each file: sums by day, tags, resource and what else is told apart, in DuckDB tables.

Ten million rows have few different accounts, services and tags. So what they say is looked up once for each, and the pass
over all rows groups by 64-bit hashes of them instead of by texts: a sixth of the work. Two texts with the same hash would be
a silent mistake, so texts are checked not to have one; nested tags (a Parquet map) are not, at 1 in 37 million for a million
of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lastmile_sls.costs import clean
from lastmile_sls.costs.clean import quoted, text
from lastmile_sls.costs.columns import COSTS, TAGS, Columns
from lastmile_sls.costs.resources import Owner
from lastmile_sls.costs.scan import Scan
from lastmile_sls.costs.tags import TagSet, tag_set

if TYPE_CHECKING:
    import duckdb

    Connection = duckdb.DuckDBPyConnection

_DIMENSIONS = (
    "billingcurrency",
    "serviceprovidername",
    "providername",
    "hostprovidername",
    "publishername",
    "servicename",
    "servicecategory",
    "chargecategory",
    "billingaccountid",
    "subaccountid",
    "billingperiodstart",
    "billingperiodend",
)
_RESOURCE = ("allocatedresourceid", "resourceid")
"""Of a share (1.3), the resource that it was for."""
_EXPORTED = "x_exporttime"
_AT_ONCE = 10_000
_FIRST_ROWS = 500_000
TABLES = f"""
CREATE TABLE dimensions (
    scan INTEGER, h UBIGINT, part INTEGER, rows BIGINT, currency VARCHAR, provider VARCHAR, host VARCHAR, service VARCHAR,
    service_category VARCHAR, charge VARCHAR, account VARCHAR, sub_account VARCHAR, period DATE, period_end DATE,
    exported VARCHAR);
CREATE TABLE tag_sets (
    scan INTEGER, t UBIGINT, model VARCHAR, environment VARCHAR, owner VARCHAR, cost_center VARCHAR, missing VARCHAR);
CREATE TABLE owned (
    resource_id VARCHAR, model VARCHAR, environment VARCHAR, version VARCHAR);
CREATE TABLE resources (
    scan INTEGER, r UBIGINT, resource_id VARCHAR, resource_name VARCHAR, resource_type VARCHAR);
CREATE TABLE sums (
    scan INTEGER, h UBIGINT, day DATE, t UBIGINT, r UBIGINT, fault UTINYINT,
    {", ".join(f"{name} {clean.MONEY}" for name in COSTS)}, rows BIGINT);
"""


def key_of(columns: Columns, *, exported: bool) -> str:
    """Return the SQL of a row's dimensions in one number; `exported`: with the moment of Google's export."""
    return f"hash({', '.join(['file_index', *_dimensions(columns, exported=exported)])})"


def tags_of(columns: Columns) -> str:
    """Return the SQL of a row's tags in one number."""
    found = _tags(columns)
    return f"hash({', '.join(found)})" if found else "0::UBIGINT"


def resource_of(columns: Columns) -> str:
    """Return the SQL of a row's resource in one number."""
    found = [quoted(columns.names[name]) for name in _RESOURCE if name in columns.names]
    return f"hash({', '.join(found)})" if found else "NULL::UBIGINT"


def collect_dimensions(connection: Connection, number: int, scan: Scan, *, exported: bool) -> None:
    """Fill `dimensions` with what a scan's rows tell apart besides day, tags and resource."""
    columns = scan.columns
    raw = ["file_index", *_dimensions(columns, exported=exported)]
    connection.execute(f"""
        INSERT INTO dimensions SELECT {number}, h, file_index, rows, upper({text(columns, "billingcurrency")}),
            {text(columns, "serviceprovidername", "providername")}, {text(columns, "hostprovidername", "publishername")},
            {text(columns, "servicename")}, {text(columns, "servicecategory")}, {text(columns, "chargecategory")},
            {text(columns, "billingaccountid")}, {text(columns, "subaccountid")},
            {clean.day(columns, "billingperiodstart")}, {clean.day(columns, "billingperiodend")},
            {text(columns, _EXPORTED) if exported else "NULL"}
        FROM (SELECT {key_of(columns, exported=exported)} AS h, {", ".join(raw)}, count(*) AS rows
              FROM {scan.relation} GROUP BY ALL)""")
    _check(connection, "dimensions", "h", number)


def collect_tags(connection: Connection, number: int, scan: Scan) -> None:
    """Fill `tag_sets` with what each different value of a scan's tags says, each read once.

    Nested tags take as long to read as all the rest, so of those only the first rows are looked at here; what they do not
    have is found when the sums are there (see `collect_sums`).
    """
    found = _tags(scan.columns)
    if not found:
        _insert(connection, number, [0], [TagSet()])
    elif _is_nested(scan.columns):
        _collect_nested(
            connection, number, scan, f"(SELECT {', '.join(found)} FROM {scan.relation} LIMIT {_FIRST_ROWS})"
        )
    else:
        query = f"SELECT {tags_of(scan.columns)}, {', '.join(found)} FROM {scan.relation} GROUP BY ALL"
        _read_tags(connection, number, scan, query)
    _check(connection, "tag_sets", "t", number)


def _collect_nested(connection: Connection, number: int, scan: Scan, relation: str) -> None:
    """Add the sets of a relation that `tag_sets` does not have."""
    values, texts = [], []
    for place, name in enumerate(name for name in TAGS if name in scan.columns.names):
        values.append(f"any_value({quoted(scan.columns.names[name])}) AS v{place}")
        texts.append(f"CAST(to_json(v{place}) AS VARCHAR)" if scan.columns.is_nested(name) else f"v{place}")
    _read_tags(
        connection,
        number,
        scan,
        f"SELECT t, {', '.join(texts)} FROM (SELECT {tags_of(scan.columns)} AS t, {', '.join(values)} FROM {relation} "
        f"WHERE t NOT IN (SELECT t FROM tag_sets WHERE scan = {number}) GROUP BY t)",
    )


def _read_tags(connection: Connection, number: int, scan: Scan, query: str) -> None:
    cursor = connection.cursor()
    cursor.execute(query)
    while rows := cursor.fetchmany(_AT_ONCE):
        _insert(
            connection, number, [row[0] for row in rows], [_tag_set(scan.columns, row[1:]) for row in rows]
        )


def _tag_set(columns: Columns, texts: Sequence[str | None]) -> TagSet:
    """Return what a row's tags say: a share's own (1.3) alone where it has any, not those of what was shared."""
    own = "allocatedtags" in columns.names and texts[0] not in {None, "", "NULL", "{}"}
    return tag_set(texts[:1] if own else texts)


def resources(connection: Connection, scan: Scan) -> Iterator[list[str]]:
    """Yield the different resources of a scan, some thousands at a time."""
    cursor = connection.cursor()
    id_ = text(scan.columns, *_RESOURCE)
    cursor.execute(f"SELECT DISTINCT {id_} AS id FROM {scan.relation} WHERE id IS NOT NULL")
    while rows := cursor.fetchmany(_AT_ONCE):
        yield [row[0] for row in rows]


def insert_owned(connection: Connection, scans: Sequence[Scan], owners: Mapping[str, Owner]) -> None:
    """Fill `owned` with whose resources are, and `resources` with their numbers in each scan."""
    connection.execute(
        "INSERT INTO owned SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [
            list(owners),
            [owner.model for owner in owners.values()],
            [owner.environment for owner in owners.values()],
            [owner.version for owner in owners.values()],
        ],
    )
    for number, scan in enumerate(scans):
        connection.execute(
            f"INSERT INTO resources (scan, r) SELECT DISTINCT {number}, {resource_of(scan.columns)} FROM {scan.relation} "
            f"WHERE {text(scan.columns, *_RESOURCE)} IN (SELECT resource_id FROM owned)"
        )


def collect_sums(connection: Connection, number: int, scan: Scan, *, exported: bool, owned: bool) -> None:
    """Fill `sums` in one pass over a scan's rows.

    Resources are told apart only where a tag is missing, and with `owned` where a deployment's outputs have them.
    """
    columns = scan.columns
    told = f"t NOT IN (SELECT t FROM tag_sets WHERE scan = {number} AND missing = '')"
    if owned:
        told += f" OR r IN (SELECT r FROM resources WHERE scan = {number})"
    costs = ", ".join(f"{clean.money(columns, name)} AS {name}" for name in COSTS)
    empties = ", ".join(f"{clean.empty(columns, name)} AS no_{name}" for name in COSTS)
    connection.execute(f"""
        INSERT INTO sums SELECT {number}, h, day, t, told_r, fault, {", ".join(f"sum({name})" for name in COSTS)}, count(*)
        FROM (SELECT *, CASE WHEN {told} THEN r END AS told_r, {clean.fault()} AS fault
              FROM (SELECT {key_of(columns, exported=exported)} AS h, {clean.day(columns, "chargeperiodstart")} AS day,
                      {tags_of(columns)} AS t, {resource_of(columns)} AS r, {costs}, {empties}
                    FROM {scan.relation}))
        GROUP BY h, day, t, told_r, fault""")
    unknown = f"SELECT t FROM sums WHERE scan = {number} AND t NOT IN (SELECT t FROM tag_sets WHERE scan = {number})"
    if connection.execute(f"{unknown} LIMIT 1").fetchone():
        _collect_nested(connection, number, scan, scan.relation)
    _collect_resources(connection, number, scan)


def _collect_resources(connection: Connection, number: int, scan: Scan) -> None:
    """Fill `resources` with what those are that a scan's sums tell apart."""
    columns = scan.columns
    id_, kind = text(columns, *_RESOURCE), text(columns, "resourcetype")
    name = text(columns, "allocatedresourcename", "resourcename")
    connection.execute(f"""
        DELETE FROM resources WHERE scan = {number};
        INSERT INTO resources SELECT {number}, r, id, any_value(name), any_value(kind)
        FROM (SELECT {resource_of(columns)} AS r, {id_} AS id, {name} AS name, {kind} AS kind FROM {scan.relation}
              WHERE r IN (SELECT r FROM sums WHERE scan = {number}))
        GROUP BY r, id""")
    _check(connection, "resources", "r", number)


def _dimensions(columns: Columns, *, exported: bool) -> list[str]:
    names = (*_DIMENSIONS, _EXPORTED) if exported else _DIMENSIONS
    return [quoted(columns.names[name]) for name in names if name in columns.names]


def _is_nested(columns: Columns) -> bool:
    return any(columns.is_nested(name) for name in TAGS if name in columns.names)


def _tags(columns: Columns) -> list[str]:
    return [quoted(columns.names[name]) for name in TAGS if name in columns.names]


def _insert(connection: Connection, number: int, keys: Sequence[int], sets: Sequence[TagSet]) -> None:
    connection.execute(
        "INSERT INTO tag_sets SELECT ?, unnest(?::UBIGINT[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [
            number,
            list(keys),
            [found.model for found in sets],
            [found.environment for found in sets],
            [found.owner for found in sets],
            [found.cost_center for found in sets],
            [", ".join(found.missing) for found in sets],
        ],
    )


def _check(connection: Connection, table: str, key: str, number: int) -> None:
    """Raise RuntimeError when two different values have one hash."""
    row = connection.execute(
        f"SELECT count(*), count(DISTINCT {key}) FROM {table} WHERE scan = {number}"
    ).fetchone()
    if row is None or row[0] != row[1]:
        raise RuntimeError(f"two values of {table} have one hash; costs would be added to the wrong one")
