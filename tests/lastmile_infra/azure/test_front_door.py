from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_infra.azure.recorded import GROUP, SUBSCRIPTION, Run, provisioned, provisioned_plan
from tests.lastmile_infra.plans import plan_of, spec_of

PROFILE = "churn-dev-front-door-1234567"
ID = f"{GROUP}/Microsoft.Cdn/profiles/{PROFILE}"
ENDPOINT = "churn-dev-1234567-x.z01.azurefd.net"
LIMIT = {"requests_per_s": 10.0, "burst": 600}


def run_of(folder: Path, azure: dict[str, Any] | None = None, **endpoint: Any) -> Run:
    return provisioned(spec_of(endpoint=endpoint, targets={"azure": azure or {}}), folder)


def test_nothing_is_in_front_by_default(tmp_path: Path) -> None:
    assert not [r.name for r in provisioned(spec_of(), tmp_path).resources if ":cdn:" in r.type]


def test_a_rate_limit(tmp_path: Path) -> None:
    run = run_of(tmp_path, rate_limit=LIMIT)
    policy = run.inputs("Policy")
    assert policy.pop("policySettings") == {
        "enabledState": "Enabled",
        "mode": "Prevention",
        "customBlockResponseStatusCode": 429,
    }
    assert policy == {
        "sku": {"name": "Standard_AzureFrontDoor"},
        "customRules": {
            "rules": [
                {
                    "name": "rateLimit",
                    "priority": 100,
                    "enabledState": "Enabled",
                    "ruleType": "RateLimitRule",
                    "rateLimitThreshold": 600,
                    "rateLimitDurationInMinutes": 1,
                    "groupBy": [{"variableName": "None"}],
                    "matchConditions": [
                        {
                            "matchVariable": "SocketAddr",
                            "operator": "IPMatch",
                            "matchValue": ["0.0.0.0/0", "::/0"],
                        }
                    ],
                    "action": "Block",
                }
            ]
        },
    }
    waf = f"{GROUP}/Microsoft.Network/frontDoorWebApplicationFirewallPolicies/churndev-1234567"
    association = {"domains": [{"id": f"{ID}/afdEndpoints/churn-dev-1234567"}], "patternsToMatch": ["/*"]}
    assert run.inputs("SecurityPolicy") == {
        "profileName": PROFILE,
        "parameters": {
            "type": "WebApplicationFirewall",
            "wafPolicy": {"id": waf},
            "associations": [association],
        },
    }
    assert run.outputs["url"] == f"https://{ENDPOINT}"
    assert not run.all("AFDCustomDomain")
    route = run.inputs("Route")
    assert route["linkToDefaultDomain"] == "Enabled"
    assert route["customDomains"] == []


def test_five_minutes(tmp_path: Path) -> None:
    run = run_of(tmp_path, rate_limit={"requests_per_s": 2.0, "burst": 600})
    (rule,) = run.inputs("Policy")["customRules"]["rules"]
    assert rule["rateLimitThreshold"] == 600
    assert rule["rateLimitDurationInMinutes"] == 5


def test_a_domain_whose_records_the_user_makes(tmp_path: Path) -> None:
    run = run_of(tmp_path, domain="predict.example.com")
    assert run.inputs("Profile") == {
        "sku": {"name": "Standard_AzureFrontDoor"},
        "originResponseTimeoutSeconds": 30,
    }
    for type_ in ("Profile", "AFDEndpoint"):
        assert run.one(type_).inputs["location"] == "Global"
    assert run.inputs("AFDEndpoint") == {"profileName": PROFILE, "enabledState": "Enabled"}
    assert run.inputs("AFDCustomDomain") == {
        "profileName": PROFILE,
        "hostName": "predict.example.com",
        "tlsSettings": {"certificateType": "ManagedCertificate", "minimumTlsVersion": "TLS12"},
    }
    assert not run.all("RecordSet")
    assert not run.all("Policy")
    assert run.outputs["url"] == "https://predict.example.com"
    assert run.outputs["dns_records"] == [
        {"name": "_dnsauth.predict.example.com", "type": "TXT", "value": "token"},
        {"name": "predict.example.com", "type": "CNAME", "value": ENDPOINT},
    ]


def test_the_way_to_the_app(tmp_path: Path) -> None:
    run = run_of(tmp_path, domain="predict.example.com")
    assert run.inputs("AFDOriginGroup") == {
        "profileName": PROFILE,
        "loadBalancingSettings": {
            "sampleSize": 4,
            "successfulSamplesRequired": 3,
            "additionalLatencyInMilliseconds": 50,
        },
        "sessionAffinityState": "Disabled",
    }
    host = "churn-dev-predict-1234567.azurewebsites.net"
    assert run.inputs("AFDOrigin") == {
        "profileName": PROFILE,
        "originGroupName": "churn-dev-origins-1234567",
        "hostName": host,
        "originHostHeader": host,
        "httpPort": 80,
        "httpsPort": 443,
        "priority": 1,
        "weight": 1000,
        "enabledState": "Enabled",
        "enforceCertificateNameCheck": True,
    }
    assert run.inputs("Route") == {
        "profileName": PROFILE,
        "endpointName": "churn-dev-1234567",
        "originGroup": {"id": f"{ID}/originGroups/churn-dev-origins-1234567"},
        "customDomains": [{"id": f"{ID}/customDomains/predict-example-com-1234567"}],
        "linkToDefaultDomain": "Disabled",
        "patternsToMatch": ["/*"],
        "supportedProtocols": ["Https"],
        "httpsRedirect": "Disabled",
        "forwardingProtocol": "HttpsOnly",
        "enabledState": "Enabled",
    }
    assert "churn-dev-origin" in run.one("Route").waits_for


def test_a_limit_on_a_domain_holds_there(tmp_path: Path) -> None:
    run = run_of(tmp_path, domain="predict.example.com", rate_limit=LIMIT)
    (association,) = run.inputs("SecurityPolicy")["parameters"]["associations"]
    assert association["domains"] == [{"id": f"{ID}/customDomains/predict-example-com-1234567"}]


def test_a_domain_in_a_zone(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"dns_zone": "dns/example.com"}, domain="predict.example.com")
    zone = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.com"
    )
    assert run.inputs("AFDCustomDomain")["azureDnsZone"] == {"id": zone}
    assert {r.inputs["resourceGroupName"] for r in run.all("RecordSet")} == {"dns"}
    assert run.inputs("RecordSet", "churn-dev-dns-proof") == {
        "zoneName": "example.com",
        "recordType": "TXT",
        "relativeRecordSetName": "_dnsauth.predict",
        "txtRecords": [{"value": ["token"]}],
        "ttl": 3600,
    }
    assert run.inputs("RecordSet", "churn-dev-dns") == {
        "zoneName": "example.com",
        "recordType": "CNAME",
        "relativeRecordSetName": "predict",
        "cnameRecord": {"cname": ENDPOINT},
        "ttl": 3600,
    }
    assert "dns_records" not in run.outputs


def test_a_zones_own_name(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"dns_zone": "dns/example.com"}, domain="example.com")
    assert run.inputs("RecordSet", "churn-dev-dns-proof")["relativeRecordSetName"] == "_dnsauth"
    assert run.inputs("RecordSet", "churn-dev-dns") == {
        "zoneName": "example.com",
        "recordType": "A",
        "relativeRecordSetName": "@",
        "targetResource": {"id": f"{ID}/afdEndpoints/churn-dev-1234567"},
        "ttl": 3600,
    }


def test_a_gateway_that_azure_does_not_have(tmp_path: Path) -> None:
    plan = plan_of(spec_of(), "azure")
    plan["endpoint"]["gateway"] = "http_api"
    text = r"^the plan's gateway is 'http_api', but Azure has 'direct' and 'front_door'\.$"
    with pytest.raises(ValueError, match=text):
        provisioned_plan(plan, tmp_path)
