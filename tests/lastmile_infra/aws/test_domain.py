from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lastmile_infra.aws.recorded import provisioned
from tests.lastmile_infra.plans import spec_of
from tests.lastmile_infra.recorded import Run

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/abc"
GATEWAY = "d-abc.execute-api.eu-west-1.amazonaws.com"


def run_of(folder: Path, **aws: Any) -> Run:
    return provisioned(spec_of(endpoint={"domain": "predict.example.com"}, targets={"aws": aws}), folder)


def domain(run: Run) -> Any:
    told = run.inputs("DomainName")
    told.pop("tags")
    return told


def test_with_a_zone_everything_is_made(tmp_path: Path) -> None:
    run = run_of(tmp_path, hosted_zone="Z0123456789")
    certificate = run.inputs("Certificate")
    certificate.pop("tags")
    assert certificate == {"domainName": "predict.example.com", "validationMethod": "DNS"}
    assert run.inputs("Record", "churn-dev-endpoint-proof") == {
        "zoneId": "Z0123456789",
        "name": "_proof.predict.example.com.",
        "type": "CNAME",
        "records": ["_x.acm-validations.aws."],
        "ttl": 300,
        "allowOverwrite": True,
    }
    assert run.inputs("CertificateValidation") == {
        "certificateArn": "arn:made",
        "validationRecordFqdns": ["_proof.predict.example.com"],
    }
    assert domain(run) == {
        "domainName": "predict.example.com",
        "domainNameConfiguration": {
            "certificateArn": "arn:made",
            "endpointType": "REGIONAL",
            "securityPolicy": "TLS_1_2",
        },
    }
    configured = run.one("DomainName").request.propertyDependencies["domainNameConfiguration"]
    assert any(urn.endswith("::churn-dev-endpoint-proven") for urn in configured.urns)
    assert run.inputs("ApiMapping") == {
        "apiId": "churn-dev-endpoint-id",
        "domainName": "churn-dev-endpoint-domain-id",
        "stage": "churn-dev-endpoint-stage-id",
    }
    assert run.inputs("Record", "churn-dev-endpoint-record") == {
        "zoneId": "Z0123456789",
        "name": "predict.example.com",
        "type": "A",
        "aliases": [{"name": GATEWAY, "zoneId": "ZGATEWAY", "evaluateTargetHealth": False}],
    }
    assert run.inputs("Api")["disableExecuteApiEndpoint"] is True
    assert run.outputs["url"] == "https://predict.example.com"
    assert "dns_records" not in run.outputs


def test_a_certificate_of_the_users_leaves_one_record_to_make(tmp_path: Path) -> None:
    run = run_of(tmp_path, certificate=CERTIFICATE)
    assert domain(run)["domainNameConfiguration"]["certificateArn"] == CERTIFICATE
    assert not any("acm" in r.type or "route53" in r.type for r in run.resources)
    assert run.outputs["url"] == "https://predict.example.com"
    assert run.outputs["dns_records"] == [{"name": "predict.example.com", "type": "CNAME", "value": GATEWAY}]


def test_a_certificate_and_a_zone(tmp_path: Path) -> None:
    run = run_of(tmp_path, certificate=CERTIFICATE, hosted_zone="Z0123456789")
    assert domain(run)["domainNameConfiguration"]["certificateArn"] == CERTIFICATE
    assert [r.name for r in run.all("Record")] == ["churn-dev-endpoint-record"]
    assert "dns_records" not in run.outputs


def test_neither(tmp_path: Path) -> None:
    told = (
        "^the domain predict.example.com needs targets.aws.hosted_zone, in which its certificate can be proven, or "
        "targets.aws.certificate.$"
    )
    with pytest.raises(ValueError, match=told):
        run_of(tmp_path)
