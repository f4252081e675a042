"""A plan is decided once, and its bytes tell everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lastmile_runtime.cors import EXPOSED
from lastmile_sls.plan.cloud import Built
from lastmile_sls.plan.document import Plan, read, render
from lastmile_sls.plan.grouping import group_versions
from lastmile_sls.plan.make import make_plan, routing
from lastmile_sls.spec.model import Spec
from tests.lastmile_sls.specs import make_spec

DIGEST = "sha256:" + "ab" * 32
OTHER_DIGEST = "sha256:" + "cd" * 32
PINNED = [
    {"id": "v1", "artifact": "one.py", "framework": "python", "entry": "M", "requirements": ["a==1"]},
    {"id": "v2", "artifact": "two.py", "framework": "python", "entry": "M", "requirements": ["a==2"]},
    {"id": "v3", "artifact": "two.py", "framework": "python", "entry": "M"},
    {"id": "v4", "artifact": "two.py", "framework": "python", "entry": "M", "requirements": ["a==2.0"]},
]


def plan_of(spec: Spec) -> Plan:
    groups = group_versions(spec, {})
    digests = {group.function: DIGEST if group.function == "predict" else OTHER_DIGEST for group in groups}
    return make_plan(spec, "local", groups, {name: Built(digest) for name, digest in digests.items()})


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
    assert json.loads(render(plan_of(spec))) == {
        "format": "lastmile.plan/3",
        "project": "churn",
        "stack": "dev-local",
        "deployment": "churn-dev",
        "target": "local",
        "place": None,
        "identity": "churn-dev",
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
                "resource": "churn-dev-predict",
                "versions": ["v1", "v2"],
                "calls": {},
                "why": "the dependencies of all versions agree",
                "bundle": {"path": "bundles/predict", "digest": DIGEST},
                "package": None,
                "python": None,
                "processor": None,
                "entry": None,
                "environment": {},
                "secrets": {},
                "cpu": None,
                "generation": None,
                "gpu": None,
                "snapshot": False,
                "memory_mb": 512,
                "timeout_s": 30,
                "idle_timeout_s": 60,
                "concurrency": 4,
                "min_instances": 0,
                "max_instances": 4,
                "log_retention_days": None,
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
                "jobs": "results",
                "callback": None,
                "batch": None,
            }
        ],
        "storage": {
            "name": "state",
            "adopted": None,
            "expire_days": {"results/": 30, "capture/": 90},
            "old_versions_days": 30,
            "incomplete_uploads_days": 7,
        },
        "queue": {
            "name": "jobs",
            "resource": "jobs",
            "dead_letters": "jobs",
            "max_attempts": 5,
            "visibility_timeout_s": 180,
            "retention_s": 345600,
            "dead_letters_s": 1209600,
            "workers": None,
        },
        "schedule": None,
        "operations": None,
        "budget": None,
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
            "gateway": "local",
            "auth": "key",
            "auth_at": "gateway",
            "jwt": None,
            "callers": [],
            "timeout_s": 30,
            "domain": None,
            "port": 9000,
            "cors": {
                "allow_origins": ["https://a.example"],
                "allow_methods": ["GET", "POST"],
                "expose_headers": list(EXPOSED),
            },
            "rate_limit": {"requests_per_s": 5.0, "burst": 9, "count": None, "window_s": None},
        },
        "keys": ["key"],
    }


def test_the_same_spec_gives_the_same_bytes() -> None:
    assert render(plan_of(make_spec())) == render(plan_of(make_spec()))


def test_a_public_endpoint_has_no_key() -> None:
    plan = plan_of(make_spec(endpoint={"auth": "public"}))
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
    plan = plan_of(spec)
    assert (plan["storage"], plan["routing"], plan["queue"]) == (None, None, None)
    (function,) = plan["functions"]
    assert (function["routing_document"], function["bucket"], function["queue"]) == (None, None, None)
    assert function["why"] == "there is one version"


def test_one_version_has_a_live_document_where_its_budget_acts_through_it() -> None:
    budget = {"monthly_limit": 5, "notify": ["a@example.com"], "actions": {"stop_shadows_percent": 80}}
    versions = [{"id": "only", "artifact": "one.py", "framework": "python", "entry": "M"}]
    one = plan_of(make_spec(versions=versions, traffic={}, budget=budget))
    assert one["routing"] is not None
    assert one["routing"]["content"]["weights"] == {"only": 10_000}
    assert one["storage"] is not None
    (function,) = one["functions"]
    assert (function["routing_document"], function["bucket"]) == ("routing.json", "state")


def test_versions_that_conflict_have_functions_of_their_own_behind_the_routers() -> None:
    spec = make_spec(
        versions=PINNED,
        traffic={"champion": "v1", "weights": {"v1": 50, "v2": 50}, "shadows": [{"version": "v4"}]},
        queue={},
    )
    plan = plan_of(spec)
    router, other = plan["functions"]
    assert plan["endpoint"]["function"] == router["name"] == "predict"
    assert (router["versions"], router["calls"]) == (["v1", "v3"], {"v2": "predict-v2", "v4": "predict-v2"})
    assert router["bundle"] == {"path": "bundles/predict", "digest": DIGEST}
    assert router["routing"]["weights"] == {"v1": 10_000, "v2": 0, "v3": 0, "v4": 0}
    assert (router["routing_document"], router["bucket"], router["queue"]) == (
        "routing.json",
        "state",
        "jobs",
    )
    assert router["why"] == "v1 needs a==1, v2 needs a==2"

    assert (other["name"], other["versions"], other["calls"]) == ("predict-v2", ["v2", "v4"], {})
    assert other["bundle"] == {"path": "bundles/predict-v2", "digest": OTHER_DIGEST}
    assert (other["routing"]["champion"], other["routing"]["weights"]) == ("v2", {"v2": 10_000, "v4": 0})
    assert (other["routing"]["shadows"], other["routing"]["rules"], other["routing"]["sticky"]) == (
        [],
        [],
        None,
    )
    assert (other["routing_document"], other["bucket"], other["queue"]) == (None, None, None)
    assert other["why"] == "v2 needs a==2, v1 needs a==1"
    rooms = [
        [f[key] for key in ("memory_mb", "timeout_s", "concurrency", "max_instances")]
        for f in (router, other)
    ]
    assert rooms[0] == rooms[1]


def test_the_champions_group_is_the_routers_function() -> None:
    plan = plan_of(make_spec(versions=PINNED, traffic={"champion": "v4"}))
    assert [(f["name"], f["versions"], f["calls"]) for f in plan["functions"]] == [
        ("predict", ["v2", "v3", "v4"], {"v1": "predict-v1"}),
        ("predict-v1", ["v1"], {}),
    ]


def test_two_keys_are_valid_while_one_is_replaced() -> None:
    plan = plan_of(make_spec(endpoint={"keys": ["key", "key-2027"]}))
    assert plan["keys"] == ["key", "key-2027"]


def test_tokens_need_no_key() -> None:
    jwt = {"issuer": "https://id.example/", "audiences": ["churn"]}
    plan = plan_of(make_spec(endpoint={"auth": "jwt", "jwt": jwt}))
    assert (plan["endpoint"]["auth"], plan["endpoint"]["jwt"], plan["keys"]) == ("jwt", jwt, [])


@given(st.integers(0, 10_000))
def test_hundredths_of_a_percent_are_exact(hundredths: int) -> None:
    weights = {"v1": (10_000 - hundredths) / 100, "v2": hundredths / 100}
    found = routing(make_spec(traffic={"champion": "v1", "weights": weights}))["weights"]
    assert found == {"v1": 10_000 - hundredths, "v2": hundredths}


def test_a_plan_is_read_back(tmp_path: Path) -> None:
    plan = plan_of(make_spec())
    (tmp_path / "plan.json").write_text(render(plan))
    assert read(tmp_path / "plan.json") == plan


def test_a_plan_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"format": "lastmile.plan/9"}')
    with pytest.raises(
        ValueError, match=r"has the format 'lastmile.plan/9', but this version reads 'lastmile.plan/3'\."
    ):
        read(tmp_path / "plan.json")
