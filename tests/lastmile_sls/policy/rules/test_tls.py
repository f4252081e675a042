"""TLS everywhere, and not an old one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lastmile_sls.policy.resource import UNKNOWN
from lastmile_sls.policy.rules.tls import BUCKETS_TLS, TLS
from tests.lastmile_sls.policy.judged import found, made, problems

ACCOUNT, APP, ROUTE = (
    "azure-native:storage:StorageAccount",
    "azure-native:web:WebApp",
    "azure-native:cdn:Route",
)
SSL, PROXY = "gcp:compute/sSLPolicy:SSLPolicy", "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
DOMAIN, LISTENER = "aws:apigatewayv2/domainName:DomainName", "aws:lb/listener:Listener"


@pytest.mark.parametrize(
    ("type_", "inputs", "told"),
    [
        (ACCOUNT, {"minimumTlsVersion": "TLS1_2"}, []),
        (ACCOUNT, {}, ["minimumTlsVersion is not set, which means TLS1_0; it must be TLS 1.2 or newer."]),
        (
            ACCOUNT,
            {"minimumTlsVersion": "TLS1_3", "enableHttpsTrafficOnly": False},
            ["enableHttpsTrafficOnly is false, which lets HTTP without TLS through; it must be true."],
        ),
        (APP, {"httpsOnly": True}, []),
        (
            APP,
            {"siteConfig": {"minTlsVersion": "1.0"}},
            [
                "httpsOnly is not set, which lets HTTP without TLS through; it must be true.",
                "siteConfig.minTlsVersion is 1.0; it must be TLS 1.2 or newer.",
            ],
        ),
        (ROUTE, {"forwardingProtocol": "HttpsOnly", "supportedProtocols": ["Https"]}, []),
        (
            ROUTE,
            {"forwardingProtocol": "HttpsOnly", "supportedProtocols": ["Http", "Https"]},
            ["supportedProtocols is not Https alone, and httpsRedirect is not Enabled."],
        ),
        (
            ROUTE,
            {
                "forwardingProtocol": "MatchRequest",
                "supportedProtocols": ["Http"],
                "httpsRedirect": "Enabled",
            },
            [
                "forwardingProtocol is MatchRequest, which lets HTTP without TLS through; it must be HttpsOnly."
            ],
        ),
        (SSL, {"minTlsVersion": "TLS_1_3"}, []),
        (SSL, {}, ["minTlsVersion is not set, which means TLS_1_0; it must be TLS 1.2 or newer."]),
        (PROXY, {"sslPolicy": UNKNOWN}, []),
        (PROXY, {}, ["sslPolicy is not set, so that TLS 1.0 is spoken."]),
        (
            "gcp:compute/targetHttpProxy:TargetHttpProxy",
            {},
            ["it takes requests without TLS; there must be a TargetHttpsProxy in its place."],
        ),
        (
            "gcp:compute/globalForwardingRule:GlobalForwardingRule",
            {"portRange": "80-80"},
            ["portRange is 80-80, which lets HTTP without TLS through; it must be 443."],
        ),
        (DOMAIN, {"domainNameConfiguration": {"securityPolicy": "TLS_1_2"}}, []),
        (
            "aws:apigateway/domainName:DomainName",
            {"securityPolicy": "TLS_1_0"},
            ["securityPolicy is TLS_1_0; it must be TLS 1.2 or newer."],
        ),
        (
            LISTENER,
            {"protocol": "HTTP"},
            ["protocol is HTTP, which lets HTTP without TLS through; it must be HTTPS."],
        ),
        (LISTENER, {"protocol": "HTTP", "defaultActions": [{"redirect": {"protocol": "HTTPS"}}]}, []),
        (SSL, {"minTlsVersion": UNKNOWN}, ["? minTlsVersion is known only after creation."]),
        (LISTENER, {"protocol": UNKNOWN}, ["? protocol is known only after creation."]),
    ],
)
def test_what_is_reached_and_how(type_: str, inputs: dict[str, Any], told: list[str]) -> None:
    assert problems(TLS, type_, inputs) == told


def test_the_oldest_that_may_be_spoken_is_a_parameter() -> None:
    newer = {"min_tls": "1.3"}
    assert problems(TLS, SSL, {"minTlsVersion": "TLS_1_2"}, encryption=newer) == [
        "minTlsVersion is TLS_1_2; it must be TLS 1.3 or newer."
    ]
    policy = {"domainNameConfiguration": {"securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09"}}
    assert problems(TLS, DOMAIN, policy, encryption=newer) == []


def test_buckets_of_s3() -> None:
    def policy(name: object, text: object) -> Any:
        return made("aws:s3/bucketPolicy:BucketPolicy", "policy", bucket=name, policy=text)

    denial = {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    denying, allowing = json.dumps({"Statement": denial}), json.dumps({"Statement": []})
    bucket = made("aws:s3/bucket:Bucket", "models", bucket="models")
    told = ["models: no BucketPolicy denies requests without aws:SecureTransport."]
    assert found(BUCKETS_TLS, [bucket, policy("models", denying)]) == []
    assert found(BUCKETS_TLS, [bucket, policy(UNKNOWN, denying)]) == []
    assert found(BUCKETS_TLS, [bucket]) == told
    assert found(BUCKETS_TLS, [bucket, policy("models", allowing)]) == told
    assert found(BUCKETS_TLS, [bucket, policy("other", denying)]) == told
    assert found(BUCKETS_TLS, [bucket, policy("models", UNKNOWN)]) == [
        "? models: the bucket's policy is known only after creation."
    ]
