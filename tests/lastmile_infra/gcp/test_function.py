from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_infra.gcp.recorded import (
    ACCOUNT,
    PROJECT,
    REFERENCE,
    REGION,
    provisioned_plan,
    run_of,
    uri_of,
)
from tests.lastmile_infra.gcp.test_gcp import TAGS
from tests.lastmile_infra.plans import DIGEST, plan_of, spec_of, two_versions
from tests.lastmile_infra.recorded import Run

PAGE = "https://app.example.com"


def container_of(run: Run, function: str = "predict") -> dict[str, Any]:
    (container,) = run.inputs("Service", f"churn-dev-{function}")["template"]["containers"]
    found: dict[str, Any] = container
    return found


def environment_of(run: Run, function: str = "predict") -> dict[str, str]:
    envs = container_of(run, function)["envs"]
    assert [variable["name"] for variable in envs] == sorted(variable["name"] for variable in envs)
    return {variable["name"]: variable.get("value") for variable in envs}


def test_a_service_of_the_image_by_its_digest(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    plan = plan_of(spec_of(), "gcp")["functions"][0]
    variables = {**plan["environment"], "LASTMILE_AUTH": '{"keys": ["sha256:key"]}'}
    assert run.inputs("Service", "churn-dev-predict") == {
        "name": "churn-dev-predict",
        "location": REGION,
        "ingress": "INGRESS_TRAFFIC_ALL",
        "invokerIamDisabled": True,
        "defaultUriDisabled": False,
        "template": {
            "serviceAccount": ACCOUNT,
            "timeout": "30s",
            "maxInstanceRequestConcurrency": 4,
            "scaling": {"minInstanceCount": 0, "maxInstanceCount": plan["max_instances"]},
            "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
            "containers": [
                {
                    "image": REFERENCE,
                    "envs": [{"name": name, "value": value} for name, value in sorted(variables.items())],
                    "ports": {"containerPort": 8080},
                    "resources": {
                        "limits": {"cpu": "1", "memory": "512Mi"},
                        "cpuIdle": True,
                        "startupCpuBoost": True,
                    },
                    "startupProbe": {
                        "tcpSocket": {"port": 8080},
                        "timeoutSeconds": 240,
                        "periodSeconds": 240,
                        "failureThreshold": 1,
                    },
                }
            ],
            "labels": TAGS,
        },
        "traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        "deletionProtection": False,
        "labels": TAGS,
    }


def test_images_go_to_a_repository_of_the_deployments(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    assert run.inputs("Repository") == {
        "repositoryId": "churn-dev",
        "location": REGION,
        "format": "DOCKER",
        "cleanupPolicies": [
            {"id": "keep-recent", "action": "KEEP", "mostRecentVersions": {"keepCount": 10}},
            {
                "id": "delete-old",
                "action": "DELETE",
                "condition": {"tagState": "ANY", "olderThan": "2592000s"},
            },
        ],
        "labels": TAGS,
    }
    assert run.inputs("Image") == {
        "source": str((tmp_path / "bundles/predict.image").resolve()),
        "digest": DIGEST,
        "repository": f"{REGION}-docker.pkg.dev/{PROJECT}/churn-dev/predict",
        "base": "registry.test/python@sha256:" + "cd" * 32,
    }


def test_room(tmp_path: Path) -> None:
    resources = {
        "memory_mb": 8192,
        "timeout_s": 900,
        "concurrency": 80,
        "min_instances": 2,
        "max_instances": 20,
    }
    run = run_of(tmp_path, resources=resources)
    template = run.inputs("Service", "churn-dev-predict")["template"]
    assert template["scaling"] == {"minInstanceCount": 2, "maxInstanceCount": 20}
    assert (template["timeout"], template["maxInstanceRequestConcurrency"]) == ("900s", 80)
    assert container_of(run)["resources"]["limits"] == {"cpu": "2", "memory": "8192Mi"}
    assert environment_of(run)["LASTMILE_CONCURRENCY"] == "80"


def test_too_little_memory_for_the_second_generation(tmp_path: Path) -> None:
    template = run_of(tmp_path, resources={"memory_mb": 256}).inputs("Service", "churn-dev-predict")[
        "template"
    ]
    assert template["executionEnvironment"] == "EXECUTION_ENVIRONMENT_GEN1"


def test_a_gpu_has_its_processor_between_requests(tmp_path: Path) -> None:
    run = run_of(tmp_path, resources={"memory_mb": 16384, "gpu": "nvidia-l4"})
    template = run.inputs("Service", "churn-dev-predict")["template"]
    assert template["nodeSelector"] == {"accelerator": "nvidia-l4"}
    assert template["gpuZonalRedundancyDisabled"] is True
    assert container_of(run)["resources"] == {
        "limits": {"cpu": "4", "memory": "16384Mi", "nvidia.com/gpu": "1"},
        "cpuIdle": False,
        "startupCpuBoost": True,
    }
    assert environment_of(run)["LASTMILE_KEEPS_RUNNING"] == "1"


def test_two_versions_in_one_function(tmp_path: Path) -> None:
    found = environment_of(run_of(tmp_path, **two_versions()))
    assert found["LASTMILE_ROUTING_URL"] == "gs://churn-dev-state-1234567/routing.json"
    assert "LASTMILE_FUNCTIONS" not in found


def test_two_functions(tmp_path: Path) -> None:
    run = run_of(tmp_path, **two_versions(apart=True))
    router, other = environment_of(run), environment_of(run, "predict-v2")
    assert json.loads(router["LASTMILE_FUNCTIONS"]) == {"predict-v2": f"run+{uri_of('churn-dev-predict-v2')}"}
    assert router["LASTMILE_ROUTING_URL"] == "gs://churn-dev-state-1234567/routing.json"
    assert {"LASTMILE_AUTH", "LASTMILE_ROUTING_URL", "LASTMILE_FUNCTIONS"}.isdisjoint(other)
    service = run.inputs("Service", "churn-dev-predict-v2")
    assert (service["ingress"], service["invokerIamDisabled"], service["defaultUriDisabled"]) == (
        "INGRESS_TRAFFIC_ALL",
        False,
        False,
    )


def test_the_runtime_tells_browsers_who_may_call(tmp_path: Path) -> None:
    run = run_of(tmp_path, **two_versions(apart=True), endpoint={"cors": {"allow_origins": [PAGE]}})
    assert json.loads(environment_of(run)["LASTMILE_CORS"]) == {"allow_origins": [PAGE]}
    assert "LASTMILE_CORS" not in environment_of(run, "predict-v2")


def test_the_runtime_checks_tokens(tmp_path: Path) -> None:
    jwt = {"issuer": "https://id.example.com", "audiences": ["churn"]}
    run = run_of(tmp_path, endpoint={"auth": "jwt", "jwt": jwt})
    assert json.loads(environment_of(run)["LASTMILE_AUTH"]) == {"jwt": jwt}
    assert run.inputs("Service", "churn-dev-predict")["invokerIamDisabled"] is True
    assert not run.all("Key")


@pytest.mark.parametrize("package", [None, "zip"])
def test_a_function_without_an_image(tmp_path: Path, package: Any) -> None:
    plan = plan_of(spec_of(), "gcp")
    found = plan["functions"][0]["package"]
    assert found is not None
    plan["functions"][0]["package"] = {**found, "form": package} if package else None
    wrong = r"^the function predict has no image, which Cloud Run needs\.$"
    with pytest.raises(ValueError, match=wrong):
        provisioned_plan(plan, tmp_path)


def test_a_function_without_processors(tmp_path: Path) -> None:
    plan = plan_of(spec_of(), "gcp")
    plan["functions"][0]["cpu"] = None
    with pytest.raises(ValueError, match=r"^the function predict has no cpu, which Cloud Run needs\.$"):
        provisioned_plan(plan, tmp_path)
