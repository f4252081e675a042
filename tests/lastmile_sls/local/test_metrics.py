from __future__ import annotations

import json
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from lastmile_sls.local.exposition import render
from lastmile_sls.local.metrics import FunctionState, Metrics, State
from lastmile_sls.local.queue import Counts
from tests.lastmile_runtime.bundles import DOUBLER
from tests.lastmile_sls.local.conftest import KEY, World, get, wait_until
from tests.lastmile_sls.local.later import Later, doubled

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
NOTHING = State({}, {})


def line(**facts: Any) -> str:
    return json.dumps({"time": "2026-01-01T00:00:00.000Z", "level": "info", "function": "predict", **facts})


def answered(**facts: Any) -> str:
    return line(**{"path": "/v2", "status": 200, "duration_ms": 4.0, **facts})


def counted(*lines: str) -> Metrics:
    metrics = Metrics()
    metrics.know("predict", ["v1", "v2"])
    for each in lines:
        metrics.observe("predict", each)
    return metrics


def samples(document: str) -> dict[str, float]:
    """Return the samples that are not 0, as Prometheus' own parser reads them, by name and label values."""
    found = {}
    for family in text_string_to_metric_families(document):
        assert family.documentation
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()) if value)
            key = f"{sample.name}{{{labels}}}"
            assert key not in found
            found[key] = sample.value
    return {key: value for key, value in found.items() if value}


def of(metrics: Metrics, prefix: str, state: State = NOTHING) -> dict[str, float]:
    content_type, document = render(metrics, state, "")
    assert content_type.startswith("text/plain; version=")
    return {key: value for key, value in samples(document.decode()).items() if key.startswith(prefix)}


def test_invocations_are_counted_by_what_they_were() -> None:
    metrics = counted(
        answered(version="v1", **{"faas.coldstart": True}),
        answered(version="v1", **{"faas.coldstart": False}),
        answered(version="v1", **{"faas.coldstart": False}),
        answered(),
        answered(status=500),
        answered(status=204, job_status=500, version="v2", **{"faas.trigger": "pubsub"}),
    )
    http = "faas_name=predict,faas_trigger=http,http_response_status_code"
    assert of(metrics, "faas_invocations_total") == {
        f"faas_invocations_total{{faas_coldstart=true,{http}=200,model_version=v1}}": 1,
        f"faas_invocations_total{{faas_coldstart=false,{http}=200,model_version=v1}}": 2,
        f"faas_invocations_total{{faas_coldstart=false,{http}=200}}": 1,
        f"faas_invocations_total{{faas_coldstart=false,{http}=500}}": 1,
        "faas_invocations_total{faas_coldstart=false,faas_name=predict,faas_trigger=pubsub,"
        "http_response_status_code=500,model_version=v2}": 1,
    }
    assert of(metrics, "faas_coldstarts_total") == {"faas_coldstarts_total{faas_name=predict}": 1}
    assert of(metrics, "faas_errors_total") == {
        "faas_errors_total{faas_name=predict,faas_trigger=http}": 1,
        "faas_errors_total{faas_name=predict,faas_trigger=pubsub}": 1,
    }


def test_durations_fall_into_buckets_in_seconds() -> None:
    metrics = counted(
        answered(version="v1", duration_ms=1.0, predict_ms=0.5, load_ms=30.0),
        answered(version="v1", duration_ms=80, predict_ms=70),
        answered(version="v1", duration_ms=20_000),
        answered(version="v1", duration_ms="long"),
        answered(version="v1", duration_ms=-1),
    )
    found = of(metrics, "faas_invoke_duration_seconds")
    labels = "faas_name=predict,faas_trigger=http"
    bucket = {
        bound: found.get(f"faas_invoke_duration_seconds_bucket{{{labels},le={bound},model_version=v1}}")
        for bound in ("0.001", "0.075", "0.1", "10.0", "+Inf")
    }
    assert bucket == {"0.001": 1, "0.075": 1, "0.1": 2, "10.0": 2, "+Inf": 3}
    assert found[f"faas_invoke_duration_seconds_count{{{labels},model_version=v1}}"] == 3
    assert found[f"faas_invoke_duration_seconds_sum{{{labels},model_version=v1}}"] == pytest.approx(20.081)
    version = "{faas_name=predict,model_version=v1}"
    assert of(metrics, "lastmile_predict_duration_seconds_count") == {
        f"lastmile_predict_duration_seconds_count{version}": 2
    }
    assert of(metrics, "lastmile_load_duration_seconds_sum") == {
        f"lastmile_load_duration_seconds_sum{version}": 0.03
    }


def test_shadows_and_challengers_are_counted() -> None:
    shadow = {"event": "shadow", "version": "v2", "answered_by": "v1"}
    metrics = counted(
        line(**shadow, agree=True, largest_difference=0.0),
        line(**shadow, agree=True, largest_difference="Infinity"),
        line(**shadow, agree=False, largest_difference=2.0),
        line(**shadow, error="the shadow failed"),
        answered(version="v1", route="rule=weight; bucket=0; failed=v2"),
    )
    labels = "answered_by=v1,faas_name=predict,model_version=v2,result"
    assert of(metrics, "lastmile_shadow") == {
        f"lastmile_shadow_comparisons_total{{{labels}=agree}}": 2,
        f"lastmile_shadow_comparisons_total{{{labels}=differ}}": 1,
        f"lastmile_shadow_comparisons_total{{{labels}=error}}": 1,
    }
    assert of(metrics, "lastmile_challenger") == {
        "lastmile_challenger_failures_total{faas_name=predict,model_version=v2}": 1
    }


def test_no_label_takes_a_value_that_somebody_invents() -> None:
    metrics = counted(
        *(answered(version=f"v{n}", status=n, **{"faas.trigger": f"t{n}"}) for n in range(3, 90))
    )
    assert of(metrics, "faas_invocations_total") == {
        "faas_invocations_total{faas_coldstart=false,faas_name=predict,faas_trigger=other,"
        "http_response_status_code=other,model_version=other}": 87
    }


@pytest.mark.parametrize(
    "said",
    [
        "loading",
        "{",
        "[]",
        '{"time": ',
        '{"time": 1}',
        '{"time": ' + "[" * 100_000,
        answered(function="another"),
        answered(status="200"),
        line(event="instance ended"),
    ],
)
def test_what_is_no_event_of_ours_counts_for_nothing(said: str) -> None:
    assert of(counted(said), "") == {}


def test_what_runs_and_what_waits_is_shown() -> None:
    state = State(
        {"predict": FunctionState({"running": 2, "ending": 1}, 3, 2.0**20, 4)},
        {"jobs": (Counts(5, 6, 7), 8.5)},
    )
    metrics = Metrics()
    metrics.refused(401)
    metrics.refused(401)
    assert of(metrics, "lastmile", state) == {
        "lastmile_gateway_refusals_total{http_response_status_code=401}": 2,
        "lastmile_instances{faas_name=predict,state=running}": 2,
        "lastmile_instances{faas_name=predict,state=ending}": 1,
        "lastmile_requests_in_flight{faas_name=predict}": 3,
        "lastmile_memory_bytes{faas_name=predict}": 1_048_576,
        "lastmile_instance_restarts_total{faas_name=predict}": 4,
        "lastmile_queue_messages{queue=jobs,state=waiting}": 5,
        "lastmile_queue_messages{queue=jobs,state=leased}": 6,
        "lastmile_queue_messages{queue=jobs,state=dead}": 7,
        "lastmile_queue_oldest_age_seconds{queue=jobs}": 8.5,
    }


def test_a_client_that_accepts_openmetrics_gets_it() -> None:
    content_type, document = render(counted(answered(version="v1")), NOTHING, OPENMETRICS)
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
    names = {family.name for family in parse_openmetrics(document.decode())}  # type: ignore[no-untyped-call] # theirs
    assert {"faas_invocations", "faas_invoke_duration_seconds"} <= names


def test_the_endpoint_shows_them_to_whoever_may_call(world: World) -> None:
    later = Later(world).serve()
    assert doubled(later.ask(1)) == 2
    assert doubled(later.wait_for(later.accept(2))) == 4
    assert get(later.url, "/metrics", key="wrong").status_code == 401

    def shown() -> dict[str, float]:
        answer = later.request("GET", "/metrics")
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
        return samples(answer.text)

    labels = "faas_name=predict,faas_trigger={},http_response_status_code=200,model_version=v1"
    wait_until(lambda: f"faas_invocations_total{{faas_coldstart=false,{labels.format('pubsub')}}}" in shown())
    found = shown()
    assert found[f"faas_invocations_total{{faas_coldstart=true,{labels.format('http')}}}"] == 1
    assert found["faas_coldstarts_total{faas_name=predict}"] == 1
    assert found["lastmile_instances{faas_name=predict,state=running}"] == 1
    assert found["lastmile_gateway_refusals_total{http_response_status_code=401}"] == 1
    assert found["lastmile_memory_bytes{faas_name=predict}"] > 2**20
    # It is the gateway's own answer: nothing of it reached the function, and it takes nothing from the rate limit.
    assert "/metrics" not in (world.place().logs / "predict.log").read_text()
    assert get(later.url, "/metrics", key=KEY, method="HEAD").content == b""


def test_counts_outlive_the_processes_and_a_reload(world: World) -> None:
    later = Later(world, DOUBLER).serve()
    later.ask(1)
    later.function(memoryMb=300)
    later.ask(1)
    key = "faas_coldstarts_total{faas_name=predict}"
    wait_until(lambda: samples(later.request("GET", "/metrics").text).get(key) == 2)
