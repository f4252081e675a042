"""The bucket, packages and images: by the numbers of AWS's pages."""

from __future__ import annotations

from typing import Any

from lastmile_sls.estimate.aws.storage import bucket, package, repository
from tests.lastmile_infra.plans import two_versions
from tests.lastmile_sls.estimate.aws.months import D, costs, month, quantities
from tests.lastmile_sls.policy.judged import made

BUCKET = made("aws:s3/bucket:Bucket")
DAILY = {"cron": "0 2 * * *", "input": "batch/in", "output": "batch/out", "format": "csv"}
JOBS: dict[str, Any] = {"queue": {}}


def test_the_pages_storage() -> None:
    """aws.amazon.com/s3/faqs: 52 900 GB-months are 51 200 at 0.023 USD and 1 700 at 0.022: 1 215.00 USD."""
    found = bucket(BUCKET, month(0, spec={**JOBS, "schedule": DAILY}, rows=52_900, response_kb=1024 * 1024))
    assert quantities(found)["Storage"] == 52_900
    assert costs(found)["Storage"] == D("1215.00")


def test_348_000_writes_are_1_74() -> None:
    """A row of AWS's own bill (PUT, COPY, POST and LIST at 0.005 USD a thousand): here two for each of 174 000 jobs."""
    found = bucket(BUCKET, month(174_000, spec=JOBS, later_share=1))
    assert quantities(found)["Writes"] == 348_000
    assert costs(found)["Writes"] == D("1.74")


def test_a_job_is_written_twice_read_three_times_and_kept_for_its_days() -> None:
    """Half of 3 145 728 answers come later: each 1 KB and 1 KB, a third larger in base 64, for 30 days and as a
    former version for 30 more."""
    found = bucket(BUCKET, month(3_145_728, spec=JOBS, later_share="0.5"))
    kept = quantities(found)
    assert (kept["Writes"], kept["Reads"]) == (D(3_145_728), D(4_718_592))
    assert kept["Storage"].quantize(D("0.000001")) == (4 * 60 / (D(730) / 24)).quantize(D("0.000001"))
    assert all(one.usage_based for one in found)


def test_rows_are_read_scored_and_written_in_pieces() -> None:
    """A piece is an eighth of the time that the function has, 3.75 s: 375 rows of 10 ms; and each night looks and begins."""
    found = quantities(bucket(BUCKET, month(0, spec={**JOBS, "schedule": DAILY}, rows=375_000)))
    work = 1000 + 2 * D(730) / 24
    assert found["Storage"] == D(375_000) / 1024 / 1024
    assert found["Writes"].quantize(D("0.001")) == (2 * work).quantize(D("0.001"))
    assert found["Reads"].quantize(D("0.001")) == (3 * work).quantize(D("0.001"))


def test_live_routing_is_read_at_each_start_and_whenever_it_is_too_old() -> None:
    """Every 5 s by each of two instances, and by ten that start; never more often than somebody asks."""
    busy = quantities(
        bucket(BUCKET, month(10_000_000, spec=two_versions(), cold_share="0.000001", peak_concurrency=2))
    )
    assert busy == {"Reads": 2 * 2_628_000 // 5 + 10}
    assert quantities(bucket(BUCKET, month(1000, spec=two_versions()))) == {"Reads": 1000}


def test_a_shadow_that_no_message_can_carry_goes_through_the_bucket() -> None:
    versions = [{"id": id_, "artifact": "m.joblib", "framework": "sklearn"} for id_ in ("v1", "v2")]
    traffic = {"champion": "v1", "weights": {"v1": 100}, "shadows": [{"version": "v2", "percent": 100}]}
    spec = {**JOBS, "versions": versions, "traffic": traffic}
    large = quantities(bucket(BUCKET, month(100, spec=spec, request_kb=1024)))
    small = quantities(bucket(BUCKET, month(100, spec=spec, request_kb=1023)))
    assert (large["Writes"], "Writes" in small) == (D(100), False)
    assert large["Reads"] - small["Reads"] == 100


def test_packages_and_images_count_as_large_as_lambda_takes_them() -> None:
    """250 MB at 0.023 USD a GB, 10 GB at 0.10: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
    (zipped,) = package(made("aws:s3/bucketObjectv2:BucketObjectv2"), month(1000))
    (image,) = repository(made("aws:ecr/repository:Repository"), month(1000))
    assert (zipped.name, zipped.cost) == ("Package, at most 250 MB", D(250) / 1024 * D("0.023"))
    assert (image.name, image.cost) == ("Image, at most 10 GB", D(1))
    assert not (zipped.usage_based)
    assert not (image.usage_based)


def test_nobody_calls() -> None:
    assert bucket(BUCKET, month(0, spec=JOBS)) == []
