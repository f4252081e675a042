"""The endpoint: Cloud Run's own address, or Google's load balancer with the user's domain and a rate limit.

A load balancer waits for Cloud Run as long as that may take, up to an hour; it has no timeout of its own to set
(cloud.google.com/load-balancing/docs/negs/serverless-neg-concepts#limitations, unverified).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from lastmile_infra.gcp.function import Exposure, Function
from lastmile_infra.gcp.identity import allow_to_call
from lastmile_infra.gcp.scope import Scope
from lastmile_infra.outputs import DnsRecord
from lastmile_sls.plan.document import DomainPlan, EndpointPlan, RateLimitPlan

_SCHEME = "EXTERNAL_MANAGED"
"""The global external Application Load Balancer."""
_LAST_PRIORITY = 2147483647
"""Of the rule that every policy ends with (the discovery document of compute v1, SecurityPolicyRule.priority)."""
_TTL_S = 300


@dataclass(frozen=True)
class Gateway:
    """Where the endpoint is reached."""

    url: pulumi.Output[str]
    dns_records: Sequence[DnsRecord] = ()
    """What the user makes for the domain."""
    balancer: pulumi.Output[str] | None = None
    """The load balancer's URL map, by which what it takes is counted; None without one."""


def exposure_of(endpoint: EndpointPlan | None, pushes_for: str | None = None) -> Exposure:
    """Return who gets to the endpoint's function; None stands for a function that only others of the deployment call.

    Those come from outside, as Cloud Run sees it: a function's calls leave through the internet unless it is in a VPC
    (cloud.google.com/run/docs/securing/ingress, unverified). So its address is open, and its door is not.

    Pub/Sub pushes to Cloud Run's own address; of one project, it counts as internal (the same page, "Internal"). Its tokens
    are for `pushes_for`, which Cloud Run is told where it checks tokens itself; None: nothing is pushed.
    """
    if endpoint is None:
        return Exposure("INGRESS_TRAFFIC_ALL", is_open=False, has_address=True, audiences=[])
    is_iam, domain = endpoint["auth"] == "iam", endpoint["domain"]
    pushes = [pushes_for] if is_iam and pushes_for else []
    match endpoint["gateway"]:
        case "direct":
            return Exposure("INGRESS_TRAFFIC_ALL", is_open=not is_iam, has_address=True, audiences=pushes)
        case "load_balancer":
            # Callers know the domain alone, so that is what they ask a token for.
            audiences = [f"https://{domain['name']}"] if is_iam and domain else []
            ingress = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
            return Exposure(
                ingress, is_open=not is_iam, has_address=bool(pushes_for), audiences=[*audiences, *pushes]
            )
        case other:
            raise ValueError(f"endpoint.gateway is {other!r}, which Google Cloud does not have.")


def make_gateway(scope: Scope, endpoint: EndpointPlan, function: Function) -> Gateway:
    """Put the gateway in front of the endpoint's function, and let its callers through."""
    for caller in endpoint["callers"]:
        allow_to_call(scope, f"caller-{caller}", function.service, caller)
    if endpoint["gateway"] == "direct":
        return Gateway(function.service.uri)
    domain = endpoint["domain"]
    if domain is None:
        raise ValueError("endpoint.domain is None, but a load balancer's certificate is for a domain.")
    address = gcp.compute.GlobalAddress(scope.stem("address"), labels=scope.labels, opts=scope.opts)
    routes = _routes(scope, endpoint, function)
    _balance(scope, domain, routes, address)
    url = pulumi.Output.from_input(f"https://{domain['name']}")
    return Gateway(url, _point(scope, domain, address), routes.name)


def _balance(
    scope: Scope, domain: DomainPlan, routes: gcp.compute.URLMap, address: gcp.compute.GlobalAddress
) -> None:
    """Take what comes to the address over TLS, and pass it on."""
    proxy = gcp.compute.TargetHttpsProxy(
        scope.stem("proxy"),
        url_map=routes.id,
        ssl_certificates=[_certificate(scope, domain).id],
        ssl_policy=gcp.compute.SSLPolicy(
            scope.stem("tls"), profile="MODERN", min_tls_version="TLS_1_2", opts=scope.opts
        ).id,
        opts=scope.opts,
    )
    gcp.compute.GlobalForwardingRule(
        scope.stem("https"),
        target=proxy.id,
        ip_address=address.id,
        ip_protocol="TCP",
        port_range="443",
        load_balancing_scheme=_SCHEME,
        labels=scope.labels,
        opts=scope.opts,
    )


def _certificate(scope: Scope, domain: DomainPlan) -> gcp.compute.ManagedSslCertificate:
    """Make a certificate, which Google issues once the domain points to the load balancer."""
    managed = gcp.compute.ManagedSslCertificateManagedArgs(domains=[domain["name"]])
    return gcp.compute.ManagedSslCertificate(scope.stem("certificate"), managed=managed, opts=scope.opts)


def _routes(scope: Scope, endpoint: EndpointPlan, function: Function) -> gcp.compute.URLMap:
    """Return where every path goes: to the function, past the rate limit."""
    group = gcp.compute.RegionNetworkEndpointGroup(
        scope.stem("group"),
        network_endpoint_type="SERVERLESS",
        region=scope.region,
        cloud_run=gcp.compute.RegionNetworkEndpointGroupCloudRunArgs(service=function.service.name),
        opts=scope.opts,
    )
    limit = endpoint["rate_limit"]
    backend = gcp.compute.BackendService(
        scope.stem("backend"),
        load_balancing_scheme=_SCHEME,
        backends=[gcp.compute.BackendServiceBackendArgs(group=group.id)],
        security_policy=_limit(scope, limit).id if limit else None,
        opts=scope.opts,
    )
    return gcp.compute.URLMap(scope.stem("routes"), default_service=backend.id, opts=scope.opts)


def _limit(scope: Scope, limit: RateLimitPlan) -> gcp.compute.SecurityPolicy:
    """Answer 429 to what is too much, counted over all callers, as every target does."""
    anyone = gcp.compute.SecurityPolicyRuleMatchArgs(
        versioned_expr="SRC_IPS_V1",
        config=gcp.compute.SecurityPolicyRuleMatchConfigArgs(src_ip_ranges=["*"]),
    )
    throttled = gcp.compute.SecurityPolicyRuleRateLimitOptionsArgs(
        rate_limit_threshold=gcp.compute.SecurityPolicyRuleRateLimitOptionsRateLimitThresholdArgs(
            count=limit["count"], interval_sec=limit["window_s"]
        ),
        conform_action="allow",
        exceed_action="deny(429)",
        enforce_on_key="ALL",
    )
    return gcp.compute.SecurityPolicy(
        scope.stem("limit"),
        type="CLOUD_ARMOR",
        rules=[
            gcp.compute.SecurityPolicyRuleArgs(
                priority=1000, action="throttle", match=anyone, rate_limit_options=throttled
            ),
            gcp.compute.SecurityPolicyRuleArgs(priority=_LAST_PRIORITY, action="allow", match=anyone),
        ],
        labels=scope.labels,
        opts=scope.opts,
    )


def _point(scope: Scope, domain: DomainPlan, address: gcp.compute.GlobalAddress) -> Sequence[DnsRecord]:
    """Make the domain's record in its zone, or return it for the user to make."""
    if domain["zone"] is None:
        return [DnsRecord(name=domain["name"], type="A", value=address.address)]
    gcp.dns.RecordSet(
        f"{scope.name}-record",
        managed_zone=domain["zone"],
        name=f"{domain['name']}.",
        type="A",
        ttl=_TTL_S,
        rrdatas=[address.address],
        opts=scope.opts,
    )
    return []
