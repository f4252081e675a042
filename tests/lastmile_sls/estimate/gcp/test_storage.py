"""What is stored, as the pages of Cloud Storage, Artifact Registry and Secret Manager count it."""

from __future__ import annotations

from decimal import Decimal

from lastmile_sls.estimate.document import SECONDS, Work
from lastmile_sls.estimate.gcp.storage import bucket, images, secret_version
from lastmile_sls.estimate.month import Month
from tests.lastmile_sls.estimate.gcp.months import BOOK, costs, find, month_of, traffic


def bucket_of(name: str, *work: Work, kb: Decimal = Decimal(1), **load: Decimal) -> dict[str, Decimal]:
    """Return how much a month takes of an example's bucket."""
    size = traffic(1, {}, request_kb=kb, response_kb=kb)
    month = month_of(name, {"predict": list(work)}, size, **load)
    return {one.name: one.quantity for one in bucket(find(list(month.resources), "Bucket"), month)}


def test_the_pages_example_of_storage() -> None:
    """cloud.google.com/storage/pricing-examples, 2026-11-30 in a public copy: us-east1, 50 GB $1.00, 10 000 class A
    operations $0.05, 50 000 class B $0.02, and 1 GB to the internet $0.12: $1.19.
    """
    bill = [
        BOOK.price(meter, "us-east1").cost(Decimal(quantity))
        for meter, quantity in (
            ("gcp.storage.stored", 50),
            ("gcp.storage.writes", 10_000),
            ("gcp.storage.reads", 50_000),
            ("gcp.network.egress", 1),
        )
    ]
    assert bill == [Decimal("1.00"), Decimal("0.05"), Decimal("0.02"), Decimal("0.12")]


def test_what_jobs_leave() -> None:
    """Kept for 30 days, 30 more as a former version, 7 more as deleted: 67 of a month's 30.4."""
    jobs = Work("v1", "job", Decimal(30_000), Decimal(1))
    found = bucket_of("watched", jobs, kb=Decimal(2**20) / 2)
    assert f"{found['Stored']:.3f}" == f"{30_000 * 4 / 3 * 67 / (730 / 24):.3f}"
    assert found["Writes"] == 60_000
    assert found["Reads"] == 90_000


def test_the_routing_document_is_read_while_there_are_requests() -> None:
    """Each five seconds at the most by an instance that works, so never more often than there are requests."""
    few = bucket_of("breast-cancer", Work("v1", "request", Decimal(100), Decimal(100)))
    assert few == {"Stored": 0, "Writes": 0, "Reads": 100}
    many = bucket_of("breast-cancer", Work("v1", "request", Decimal(10**8), Decimal(100)))
    assert many["Reads"] == 10**7 / Decimal(5), "10^7 s of instances, one read in five seconds of each"
    often = bucket_of(
        "breast-cancer",
        Work("v1", "request", Decimal(10**8), Decimal(100)),
        effective_concurrency=Decimal(100),
    )
    assert often["Reads"] == SECONDS / 5, "one instance at least"


def test_images_and_secrets() -> None:
    """$0.10 a GiB (cloud.google.com/artifact-registry/pricing, 2026-10-07); $0.06 a version, 25 000 accesses $0.075
    (cloud.google.com/secret-manager/pricing, 2026-10-07).
    """
    month = month_of("conflicting-versions", {}, traffic(1, {}))
    made = images(find(list(month.resources), "Repository"), month)
    assert costs(made) == {"Images, 0.2 GiB each (assumed)": "0.040000"}, "two functions"
    assert not made[0].usage_based
    keyed = month_of("watched", {}, traffic(1, {}))
    version = secret_version(find(list(keyed.resources), "SecretVersion"), keyed)
    assert costs(version) == {"Version": "0.060000"}
    free = Month(**{**vars(keyed), "free_tier": True})
    assert costs(secret_version(find(list(free.resources), "SecretVersion"), free)) == {"Version": "0.000000"}
    assert BOOK.price("gcp.secrets.accesses", "us-east1").cost(Decimal(25_000)) == Decimal("0.075")
