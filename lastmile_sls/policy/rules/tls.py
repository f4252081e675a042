"""Encryption on the way: TLS, and not an old one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lastmile_sls.policy.parameters import Parameters
from lastmile_sls.policy.resource import UNKNOWN, Resource, at, document, items, of_type, statements
from lastmile_sls.policy.rule import Found, Problem, Rule, unknown

_VERSION = re.compile(r"TLS_?V?(1)[._]?([0-3])?|^(1)\.([0-3])$", re.IGNORECASE)
_OLDEST: Mapping[str, tuple[str, str | None]] = {
    "aws:apigateway/domainName:DomainName": ("securityPolicy", "TLS_1_0"),
    "aws:apigatewayv2/domainName:DomainName": ("domainNameConfiguration.securityPolicy", None),
    "gcp:compute/sSLPolicy:SSLPolicy": ("minTlsVersion", "TLS_1_0"),
    "gcp:compute/regionSslPolicy:RegionSslPolicy": ("minTlsVersion", "TLS_1_0"),
    "azure-native:cdn:AFDCustomDomain": ("tlsSettings.minimumTlsVersion", "TLS12"),
    "azure-native:servicebus:Namespace": ("minimumTlsVersion", "1.2"),
    "azure-native:storage:StorageAccount": ("minimumTlsVersion", "TLS1_0"),
    "azure-native:web:WebApp": ("siteConfig.minTlsVersion", "1.2"),
}
"""By type: the input that says the oldest TLS, and what it is when nothing is said (the SDKs' documentation of the argument,
pulumi_aws 7.51, pulumi_gcp 10.2, pulumi_azure_native 3.29;
learn.microsoft.com/azure/app-service/overview-tls, 2026-11-29)."""
_HTTP: Mapping[str, tuple[str, Callable[[Any], bool], str]] = {
    "aws:lb/listener:Listener": ("protocol", lambda value: value == "HTTP", "HTTPS"),
    "aws:sns/topicSubscription:TopicSubscription": ("protocol", lambda value: value == "http", "https"),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": (
        "portRange",
        lambda value: str(value).startswith("80"),
        "443",
    ),
    "azure-native:app:ContainerApp": (
        "configuration.ingress.allowInsecure",
        lambda value: value is True,
        "false",
    ),
    "azure-native:storage:StorageAccount": (
        "enableHttpsTrafficOnly",
        lambda value: value is False,
        "true",
    ),
    "azure-native:web:WebApp": ("httpsOnly", lambda value: value is not True, "true"),
    "azure-native:cdn:Route": ("forwardingProtocol", lambda value: value != "HttpsOnly", "HttpsOnly"),
}
"""By type: the input, whether a value of it lets HTTP without TLS through, and what to set."""
_PLAIN_PROXIES = ("gcp:compute/targetHttpProxy:TargetHttpProxy", "gcp:compute/targetTcpProxy:TargetTCPProxy")
_TLS_PROXY = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
_SECURE = "aws:SecureTransport"


def _judge(resource: Resource, parameters: Parameters) -> Iterator[Problem]:
    for find in (_old_version, _plain_http, _front_door, _google_proxy):
        yield from find(resource, parameters.encryption.min_tls)


def _old_version(resource: Resource, least: str) -> Iterator[Problem]:
    if resource.type not in _OLDEST:
        return
    path, default = _OLDEST[resource.type]
    value = at(resource.inputs, path)
    if value is UNKNOWN:
        yield unknown(path)
    elif value is not None and _number(value) < _number(least):
        yield Problem(f"{path} is {value}; it must be TLS {least} or newer.")
    elif value is None and default is not None and _number(default) < _number(least):
        yield Problem(f"{path} is not set, which means {default}; it must be TLS {least} or newer.")


def _number(version: Any) -> tuple[int, int]:
    """Return a version's two numbers however a cloud writes it; (0, 0) for what is no TLS."""
    found = _VERSION.search(str(version))
    if found is None:
        return 0, 0
    major, minor = found[1] or found[3], found[2] or found[4] or "0"
    return int(major), int(minor)


def _plain_http(resource: Resource, least: str) -> Iterator[Problem]:
    if resource.type not in _HTTP:
        return
    path, is_plain, wanted = _HTTP[resource.type]
    value = at(resource.inputs, path)
    if value is UNKNOWN:
        yield unknown(path)
    elif is_plain(value) and not _redirects(resource):
        shown = "not set" if value is None else str(value).lower() if isinstance(value, bool) else value
        yield Problem(f"{path} is {shown}, which lets HTTP without TLS through; it must be {wanted}.")


def _redirects(resource: Resource) -> bool:
    """Tell whether a load balancer's listener sends everybody on to HTTPS."""
    actions = items(resource.inputs, "defaultActions")
    return bool(actions) and all(at(action, "redirect.protocol") == "HTTPS" for action in actions)


def _front_door(resource: Resource, least: str) -> Iterator[Problem]:
    if resource.type != "azure-native:cdn:Route" or at(resource.inputs, "httpsRedirect") == "Enabled":
        return
    protocols = items(resource.inputs, "supportedProtocols")
    if UNKNOWN in protocols:
        yield unknown("supportedProtocols")
    elif protocols != ["Https"]:
        yield Problem("supportedProtocols is not Https alone, and httpsRedirect is not Enabled.")


def _google_proxy(resource: Resource, least: str) -> Iterator[Problem]:
    if resource.type in _PLAIN_PROXIES:
        yield Problem("it takes requests without TLS; there must be a TargetHttpsProxy in its place.")
    if resource.type == _TLS_PROXY and at(resource.inputs, "sslPolicy") is None:
        yield Problem("sslPolicy is not set, so that TLS 1.0 is spoken.")


def _judge_buckets(resources: Sequence[Resource], parameters: Parameters) -> Iterator[Found]:
    """S3 answers plain HTTP as well unless a bucket's policy denies it."""
    policies = of_type(resources, "aws:s3/bucketPolicy:BucketPolicy")
    for bucket in of_type(resources, "aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"):
        name = at(bucket.inputs, "bucket")
        mine = [p for p in policies if _may_be(name, at(p.inputs, "bucket"))]
        denying = [_denies(policy) for policy in mine]
        if not denying or not any(verdict is not False for verdict in denying):
            yield bucket, Problem(f"no BucketPolicy denies requests without {_SECURE}.")
        elif True not in denying:
            yield bucket, unknown("the bucket's policy")


def _denies(policy: Resource) -> bool | None:
    found = document(at(policy.inputs, "policy"))
    if found is UNKNOWN:
        return None
    return any(
        statement.get("Effect") == "Deny" and str(at(statement.get("Condition"), "Bool")).find(_SECURE) >= 0
        for statement in statements(found)
    )


def _may_be(name: Any, other: Any) -> bool:
    return not (isinstance(name, str) and isinstance(other, str)) or name == other


TLS = Rule(
    id="tls",
    demands="Everything is reached by TLS alone, and by none older than encryption.min_tls.",
    fix="lastmile speaks TLS 1.2 and newer everywhere; elsewhere set it.",
    of_resource=_judge,
)
BUCKETS_TLS = Rule(
    id="buckets-tls",
    demands="Every bucket of S3 has a policy that denies requests without TLS.",
    fix="lastmile writes one for each bucket that it makes; elsewhere add a BucketPolicy that denies s3:* where "
    "aws:SecureTransport is false.",
    of_stack=_judge_buckets,
)
