from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_infra.gcp.recorded import ADDRESS, REGION, provisioned_plan, run_of, uri_of
from tests.lastmile_infra.gcp.test_gcp import TAGS
from tests.lastmile_infra.plans import plan_of, spec_of

DOMAIN: dict[str, Any] = {"domain": "predict.example.com"}
JWT: dict[str, Any] = {"auth": "jwt", "jwt": {"issuer": "https://id.example.com", "audiences": ["churn"]}}
CALLERS = ["serviceAccount:web@acme-models.iam.gserviceaccount.com", "group:analysts@example.com"]
INVOKES = {"name": "churn-dev-predict", "location": REGION, "role": "roles/run.servicesInvoker"}


@pytest.mark.parametrize("endpoint", [{"auth": "key"}, JWT, {"auth": "public"}], ids=["key", "jwt", "public"])
def test_cloud_run_lets_through_what_the_function_checks(tmp_path: Path, endpoint: dict[str, Any]) -> None:
    run = run_of(tmp_path, endpoint=endpoint)
    service = run.inputs("Service", "churn-dev-predict")
    assert (service["ingress"], service["invokerIamDisabled"]) == ("INGRESS_TRAFFIC_ALL", True)
    assert "customAudiences" not in service
    assert not run.all("ServiceIamMember")
    assert run.outputs["url"] == uri_of("churn-dev-predict")
    variables = {variable["name"] for variable in service["template"]["containers"][0]["envs"]}
    assert ("LASTMILE_AUTH" in variables) == (endpoint["auth"] != "public")


def test_iam_is_cloud_runs_to_check(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint={"auth": "iam"}, targets={"gcp": {"callers": CALLERS}})
    service = run.inputs("Service", "churn-dev-predict")
    assert (service["ingress"], service["invokerIamDisabled"]) == ("INGRESS_TRAFFIC_ALL", False)
    assert {r.name: r.inputs for r in run.all("ServiceIamMember")} == {
        f"churn-dev-caller-{caller}": {**INVOKES, "member": caller} for caller in CALLERS
    }
    assert "LASTMILE_AUTH" not in str(service)


def test_a_domain_without_a_zone(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint=DOMAIN)
    assert run.inputs("GlobalAddress") == {"labels": TAGS}
    assert run.inputs("RegionNetworkEndpointGroup") == {
        "networkEndpointType": "SERVERLESS",
        "region": REGION,
        "cloudRun": {"service": "churn-dev-predict"},
    }
    assert run.inputs("BackendService") == {
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "backends": [{"group": "churn-dev-group-id"}],
    }
    assert run.inputs("URLMap") == {"defaultService": "churn-dev-backend-id"}
    assert run.inputs("ManagedSslCertificate") == {"managed": {"domains": ["predict.example.com"]}}
    assert run.inputs("SSLPolicy") == {"profile": "MODERN", "minTlsVersion": "TLS_1_2"}
    assert run.inputs("TargetHttpsProxy") == {
        "urlMap": "churn-dev-routes-id",
        "sslCertificates": ["churn-dev-certificate-id"],
        "sslPolicy": "churn-dev-tls-id",
    }
    assert run.inputs("GlobalForwardingRule") == {
        "target": "churn-dev-proxy-id",
        "ipAddress": "churn-dev-address-id",
        "ipProtocol": "TCP",
        "portRange": "443",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "labels": TAGS,
    }
    assert not run.all("SecurityPolicy")
    assert not run.all("RecordSet")
    assert run.outputs["url"] == "https://predict.example.com"
    assert run.outputs["dns_records"] == [{"name": "predict.example.com", "type": "A", "value": ADDRESS}]


def test_a_domain_with_a_zone(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint=DOMAIN, targets={"gcp": {"dns_zone": "example"}})
    assert run.inputs("RecordSet") == {
        "managedZone": "example",
        "name": "predict.example.com.",
        "type": "A",
        "ttl": 300,
        "rrdatas": [ADDRESS],
    }
    assert "dns_records" not in run.outputs


def test_behind_the_load_balancer_there_is_no_other_way_in(tmp_path: Path) -> None:
    service = run_of(tmp_path, endpoint=DOMAIN).inputs("Service", "churn-dev-predict")
    assert service["ingress"] == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    assert service["defaultUriDisabled"] is True
    assert service["invokerIamDisabled"] is True


def test_iam_behind_the_load_balancer_takes_tokens_for_the_domain(tmp_path: Path) -> None:
    run = run_of(tmp_path, endpoint={**DOMAIN, "auth": "iam"}, targets={"gcp": {"callers": CALLERS[:1]}})
    service = run.inputs("Service", "churn-dev-predict")
    assert service["customAudiences"] == ["https://predict.example.com"]
    assert service["invokerIamDisabled"] is False
    assert run.inputs("ServiceIamMember") == {**INVOKES, "member": CALLERS[0]}


def test_a_rate_limit(tmp_path: Path) -> None:
    limit = {"requests_per_s": 10.0, "burst": 600}
    run = run_of(tmp_path, endpoint={**DOMAIN, "rate_limit": limit})
    anyone = {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}}
    assert run.inputs("SecurityPolicy") == {
        "type": "CLOUD_ARMOR",
        "rules": [
            {
                "priority": 1000,
                "action": "throttle",
                "match": anyone,
                "rateLimitOptions": {
                    "rateLimitThreshold": {"count": 600, "intervalSec": 60},
                    "conformAction": "allow",
                    "exceedAction": "deny(429)",
                    "enforceOnKey": "ALL",
                },
            },
            {"priority": 2147483647, "action": "allow", "match": anyone},
        ],
        "labels": TAGS,
    }
    assert run.inputs("BackendService")["securityPolicy"] == "churn-dev-limit-id"


def test_a_load_balancer_needs_a_domain(tmp_path: Path) -> None:
    plan = plan_of(spec_of(endpoint={"rate_limit": {"requests_per_s": 10.0, "burst": 600}}), "gcp")
    wrong = r"^endpoint\.domain is None, but a load balancer's certificate is for a domain\.$"
    with pytest.raises(ValueError, match=wrong):
        provisioned_plan(plan, tmp_path)
