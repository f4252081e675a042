"""What missing tags cost: whose a bill's row is, each amount once, currencies apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from lastmile_sls.tags import money
from lastmile_sls.tags.compare import Ways, judge
from lastmile_sls.tags.document import Deployed, Judged, Seen
from lastmile_sls.tags.money import Row
from tests.lastmile_sls.costs.cubes import TABLES
from tests.lastmile_sls.tags.states import TAGS, estimate_of

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
API = "arn:aws:apigateway:eu-west-1::/apis/abc"
GROUP = "/subscriptions/s/resourceGroups/churn-dev"
STORE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/churn"
SERVICE = "projects/acme/locations/l/services/churn"


def judged(arn: str, *lacks: str, type_: str = "aws:x/y:Thing") -> Judged:
    resource = Deployed(type_, arn, arn, arn if arn.startswith("arn:") else "")
    tags = {key: value for key, value in TAGS.items() if key not in lacks}
    return judge(TAGS, [Seen(resource, "there", tags)], Ways("aws", ""))[0]


def row(id_: str, amount: str = "1", missing: str = "owner", currency: str = "USD") -> Row:
    return Row(id_, frozenset(missing.split(", ")), currency, Decimal(amount))


@pytest.mark.parametrize(
    ("own", "billed", "is_its"),
    [
        (ARN.format("lambda", "function:churn"), ARN.format("lambda", "function:churn:live"), True),
        (ARN.format("lambda", "function:churn"), ARN.format("lambda", "function:churn-v2"), False),
        (ARN.format("iam", "role/churn"), ARN.format("iam", "role/fraud"), False),
        (ARN.format("sns", "churn"), ARN.format("sns", "fraud"), False),
        (ARN.format("kms", "key/1"), ARN.format("kms", "key/1"), True),
        (API, f"{API}/stages/$default", True),
        ("arn:aws:s3:::churn-state", "churn-state", True),
        (SERVICE, "//run.googleapis.com/projects/123456/locations/l/services/churn", True),
        (SERVICE, "//run.googleapis.com/projects/acme/locations/l/services/churn/revisions/1", True),
        (SERVICE, "//run.googleapis.com/projects/other/locations/l/services/churn", False),
        (
            "projects/acme/locations/l/repositories/churn",
            "//x.googleapis.com/projects/1/locations/l/repositories/churn",
            True,
        ),
        (STORE, f"{STORE.upper()}/queueServices/default", True),
        (STORE, f"{GROUP}/providers/Microsoft.Web/sites/churn", False),
        (GROUP, f"{GROUP}/providers/Microsoft.Web/sites/churn", True),
    ],
)
def test_whose_a_row_is(own: str, billed: str, is_its: bool) -> None:
    (priced,), _ = money.with_bill([judged(own, "owner")], [row(billed)])
    assert priced.cost == ({"USD": Decimal(1)} if is_its else {})


def test_a_stage_has_its_own_rows_and_an_api_the_rest() -> None:
    stage = f"{API}/stages/$default"
    rows = [row(stage, "2"), row(f"{API}/routes/x", "1")]
    priced, _ = money.with_bill([judged(stage, "owner"), judged(API, "owner")], rows)
    assert [one.cost for one in priced] == [{"USD": Decimal(2)}, {"USD": Decimal(1)}]


def test_a_row_counts_for_each_tag_and_once_in_all() -> None:
    function, topic = ARN.format("lambda", "function:churn"), ARN.format("sns", "churn")
    rows = [
        row(function, "10.10", "owner, model"),
        row(function, "0.05", "model"),
        row(function, "3", "owner", "EUR"),
        row(function, "99", "cost-center"),  # it has that one by now
        row(topic, "0.4"),
    ]
    priced, rest = money.with_bill([judged(function, "owner", "model", "managed-by"), judged(topic)], rows)
    costs = {finding.key: finding.cost for finding in priced[0].findings}
    assert costs == {
        "model": {"USD": Decimal("10.15")},
        "owner": {"EUR": Decimal(3), "USD": Decimal("10.10")},
        "managed-by": {},
    }
    assert priced[0].cost == {"EUR": Decimal(3), "USD": Decimal("10.15")}
    assert rest == {"USD": Decimal("0.4")}
    assert money.by_key(priced) == {key: cost for key, cost in costs.items() if cost}


def test_a_wrong_value_leaves_nothing_unattributed() -> None:
    resource = Deployed("aws:x/y:Thing", "churn", "churn", ARN.format("sns", "churn"))
    wrong = judge(TAGS, [Seen(resource, "there", {**TAGS, "owner": "x"})], Ways("aws", ""))
    priced, rest = money.with_bill(wrong, [row(resource.arn, "5")])
    assert (priced[0].cost, priced[0].findings[0].cost, rest) == ({}, {}, {})


def test_an_estimate_is_by_resource_and_for_tags_that_costs_are_told_by() -> None:
    type_, topic = "aws:x/y:Thing", ARN.format("sns", "churn")
    estimate = estimate_of({topic: "7.3", "its-policy": "0.2", "another": "9", "free": "0"}, type_)
    lacking = judged(topic, "owner", "managed-by")
    bearing = replace(lacking, resource=replace(lacking.resource, bearing=((type_, "its-policy"),)))
    found = [bearing, judged(topic, "managed-by"), judged("arn:other", "owner"), judged("free", "owner")]
    with_policy, telling_nothing, unknown, free = money.with_estimate(found, estimate)
    assert with_policy.cost == {"USD": Decimal("7.5")}
    assert [finding.cost for finding in with_policy.findings] == [with_policy.cost, {}]
    for one in (telling_nothing, unknown, free):
        assert (one.cost, one.findings[0].cost) == ({}, {})


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute(TABLES)
        yield made


def test_what_a_reading_has(connection: duckdb.DuckDBPyConnection) -> None:
    assert money.days(connection, "aws") is None
    assert money.basis_of_bill(None, "aws").told == (
        "the files have no cost of aws, so nothing is known of what missing tags cost"
    )
    for day, cloud in (("2026-10-03", "aws"), ("2026-10-30", "aws"), ("2026-09-01", "gcp")):
        connection.execute("INSERT INTO cube (day, cloud) VALUES (?, ?)", [day, cloud])
    columns = "INSERT INTO untagged (cloud, resource_id, missing, currency, effective) VALUES (?, ?, ?, ?, ?)"
    for cloud, id_ in (("aws", "a"), ("aws", "a"), ("aws", None), ("gcp", "b")):
        connection.execute(columns, [cloud, id_, "model, owner", "USD", "0.000000000000000001"])
    assert money.unattributed(connection, "aws") == [row("a", "0.000000000000000002", "model, owner")]
    basis = money.basis_of_bill(money.days(connection, "aws"), "aws")
    assert (basis.source, basis.first, basis.last) == ("billed", date(2026, 10, 3), date(2026, 10, 30))
    assert basis.told == "billed from 2026-10-03 to 2026-10-30 without the tag, so nobody's"
