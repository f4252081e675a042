"""A plan is decided once, and its bytes tell everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_sls.plan.document import read, render
from lastmile_sls.plan.make import make_plan, routing
from tests.lastmile_sls.specs import make_spec

DIGEST = "sha256:" + "ab" * 32


def test_golden_plan() -> None:
    spec = make_spec(
        traffic={
            "champion": "v1",
            "weights": {"v1": 87.5, "v2": 12.5},
            "sticky": {"header": "X-User"},
            "shadows": [{"version": "v2", "percent": 50.5}],
            "rules": [{"input": "plan", "values": ["trial", 1], "version": "v2"}],
        },
        queue={},
        endpoint={
            "cors": {"allow_origins": ["https://a.example"]},
            "rate_limit": {"requests_per_s": 5, "burst": 9},
        },
        tags={"team": "Growth"},
        targets={"local": {"port": 9000, "idle_timeout_s": 60}},
    )
    assert json.loads(render(make_plan(spec, "local", DIGEST))) == {
        "format": "lastmile.plan/1",
        "project": "churn",
        "stack": "dev-local",
        "deployment": "churn-dev",
        "target": "local",
        "tags": {
            "model": "churn",
            "environment": "dev",
            "owner": "_41nn_40_45xample_2ecom",
            "cost-center": "cc-1",
            "managed-by": "lastmile",
            "team": "_47rowth",
        },
        "functions": [
            {
                "name": "predict",
                "versions": ["v1", "v2"],
                "why": "all versions have the same dependencies",
                "bundle": {"path": "bundles/predict", "digest": DIGEST},
                "memory_mb": 512,
                "timeout_s": 30,
                "idle_timeout_s": 60,
                "concurrency": 4,
                "min_instances": 0,
                "max_instances": 4,
                "routing": {
                    "champion": "v1",
                    "weights": {"v1": 10_000, "v2": 0},
                    "shadows": [],
                    "sticky": None,
                    "rules": [],
                    "salt": "churn-dev",
                    "max_age_s": 5.0,
                    "challenger_timeout_s": 1.0,
                },
                "routing_document": "routing.json",
                "bucket": "state",
                "queue": "jobs",
            }
        ],
        "bucket": "state",
        "queue": {
            "name": "jobs",
            "max_attempts": 5,
            "visibility_timeout_s": 180,
            "retention_s": 345600,
        },
        "routing": {
            "bucket": "state",
            "path": "routing.json",
            "content": {
                "champion": "v1",
                "weights": {"v1": 8750, "v2": 1250},
                "shadows": [{"version": "v2", "percent": 5050}],
                "sticky": {"header": "X-User"},
                "rules": [{"input": "plan", "in": ["trial", 1], "version": "v2"}],
                "salt": "churn-dev",
                "max_age_s": 5.0,
                "challenger_timeout_s": 1.0,
            },
        },
        "endpoint": {
            "name": "endpoint",
            "function": "predict",
            "auth": "key",
            "jwt": None,
            "port": 9000,
            "cors": {"allow_origins": ["https://a.example"]},
            "rate_limit": {"requests_per_s": 5.0, "burst": 9},
        },
        "keys": ["key"],
    }


def test_the_same_spec_gives_the_same_bytes() -> None:
    assert render(make_plan(make_spec(), "local", DIGEST)) == render(make_plan(make_spec(), "local", DIGEST))


def test_a_public_endpoint_has_no_key() -> None:
    plan = make_plan(make_spec(endpoint={"auth": "public"}), "local", DIGEST)
    assert (plan["endpoint"]["auth"], plan["keys"]) == ("public", [])


def test_one_version_needs_no_traffic_section() -> None:
    spec = make_spec(
        versions=[{"id": "only", "artifact": "one.py", "framework": "python", "entry": "M"}], traffic={}
    )
    assert routing(spec)["weights"] == {"only": 10_000}


def test_one_version_has_nothing_to_route_and_needs_no_bucket() -> None:
    spec = make_spec(
        versions=[{"id": "only", "artifact": "one.py", "framework": "python", "entry": "M"}], traffic={}
    )
    plan = make_plan(spec, "local", DIGEST)
    assert (plan["bucket"], plan["routing"], plan["queue"]) == (None, None, None)
    (function,) = plan["functions"]
    assert (function["routing_document"], function["bucket"], function["queue"]) == (None, None, None)
    assert function["why"] == "there is one version"


def test_two_keys_are_valid_while_one_is_replaced() -> None:
    plan = make_plan(make_spec(endpoint={"keys": ["key", "key-2027"]}), "local", DIGEST)
    assert plan["keys"] == ["key", "key-2027"]


def test_tokens_need_no_key() -> None:
    jwt = {"issuer": "https://id.example/", "audiences": ["churn"]}
    plan = make_plan(make_spec(endpoint={"auth": "jwt", "jwt": jwt}), "local", DIGEST)
    assert (plan["endpoint"]["auth"], plan["endpoint"]["jwt"], plan["keys"]) == ("jwt", jwt, [])


@given(st.integers(0, 10_000))
def test_hundredths_of_a_percent_are_exact(hundredths: int) -> None:
    weights = {"v1": (10_000 - hundredths) / 100, "v2": hundredths / 100}
    found = routing(make_spec(traffic={"champion": "v1", "weights": weights}))["weights"]
    assert found == {"v1": 10_000 - hundredths, "v2": hundredths}


def test_a_plan_is_read_back(tmp_path: Path) -> None:
    plan = make_plan(make_spec(), "local", DIGEST)
    (tmp_path / "plan.json").write_text(render(plan))
    assert read(tmp_path / "plan.json") == plan


def test_a_plan_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"format": "lastmile.plan/9"}')
    with pytest.raises(
        ValueError, match=r"has the format 'lastmile.plan/9', but this version reads 'lastmile.plan/1'\."
    ):
        read(tmp_path / "plan.json")
