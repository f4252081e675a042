"""Azure Front Door in front of the router's function: the user's domain, its certificate, and the rate limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_azure_native import cdn, dns, frontdoor

from lastmile_infra.azure.names import LONGEST_ENDPOINT, letters, stem
from lastmile_infra.azure.scope import Scope
from lastmile_infra.outputs import DnsRecord
from lastmile_sls.plan.document import DomainPlan, EndpointPlan, RateLimitPlan

_LONGEST_POLICY = 128
"""azure-mgmt-frontdoor, PoliciesOperations, policy_name; letters and digits."""
_LONGEST_DOMAIN = 64
_TTL_S = 3600
_S_PER_MINUTE = 60
_TOO_MANY = 429


@dataclass(frozen=True)
class Guard:
    """What a function checks to take no requests but Front Door's."""

    profile: cdn.Profile

    @property
    def front_door_id(self) -> pulumi.Output[str]:
        """What this Front Door's requests have in the header X-Azure-FDID."""
        id_: pulumi.Output[str] = self.profile.front_door_id
        return id_


@dataclass(frozen=True)
class Front:
    """Where callers reach what is behind."""

    url: pulumi.Output[str]
    dns_records: Sequence[DnsRecord] = ()
    """What the user makes, where the plan names no zone."""


def make_guard(scope: Scope, plan: EndpointPlan) -> Guard | None:
    """Make Front Door's profile, if the plan has it in front; the functions must know it before it knows them."""
    match plan["gateway"]:
        case "direct":
            return None
        case "front_door":
            profile = cdn.Profile(
                f"{scope.name}-front-door",
                sku=cdn.SkuArgs(name=cdn.SkuName.STANDARD_AZURE_FRONT_DOOR),
                origin_response_timeout_seconds=plan["timeout_s"],
                **scope.everywhere,
                opts=scope.opts,
            )
            return Guard(profile)
        case gateway:
            raise ValueError(f"the plan's gateway is {gateway!r}, but Azure has 'direct' and 'front_door'.")


def make_front(scope: Scope, guard: Guard, plan: EndpointPlan, host: pulumi.Output[str]) -> Front:
    """Send what comes to the endpoint, or the user's domain, to a host."""
    profile = guard.profile
    endpoint = cdn.AFDEndpoint(
        stem(scope.deployment, LONGEST_ENDPOINT),
        profile_name=profile.name,
        enabled_state=cdn.EnabledState.ENABLED,
        **scope.everywhere,
        opts=scope.opts,
    )
    domain = _make_domain(scope, profile, plan["domain"]) if plan["domain"] else None
    _make_route(scope, profile, endpoint, domain, host)
    if plan["rate_limit"]:
        _limit(scope, profile, (domain or endpoint).id, plan["rate_limit"])
    if not plan["domain"] or not domain:
        return Front(pulumi.Output.concat("https://", endpoint.host_name))
    url = pulumi.Output.from_input(f"https://{plan['domain']['name']}")
    return Front(url, _records(scope, plan["domain"], domain, endpoint))


def _make_route(
    scope: Scope,
    profile: cdn.Profile,
    endpoint: cdn.AFDEndpoint,
    domain: cdn.AFDCustomDomain | None,
    host: pulumi.Output[str],
) -> None:
    # No health probe: there is one origin, and every edge's probe would start an instance and be billed.
    group = cdn.AFDOriginGroup(
        f"{scope.name}-origins",
        profile_name=profile.name,
        load_balancing_settings=cdn.LoadBalancingSettingsParametersArgs(
            sample_size=4, successful_samples_required=3, additional_latency_in_milliseconds=50
        ),
        session_affinity_state=cdn.EnabledState.DISABLED,
        resource_group_name=scope.group,
        opts=scope.opts,
    )
    origin = cdn.AFDOrigin(
        f"{scope.name}-origin",
        profile_name=profile.name,
        origin_group_name=group.name,
        host_name=host,
        origin_host_header=host,
        https_port=443,
        priority=1,
        weight=1000,
        enabled_state=cdn.EnabledState.ENABLED,
        enforce_certificate_name_check=True,
        resource_group_name=scope.group,
        opts=scope.opts,
    )
    own = cdn.LinkToDefaultDomain.DISABLED if domain else cdn.LinkToDefaultDomain.ENABLED
    cdn.Route(
        f"{scope.name}-route",
        profile_name=profile.name,
        endpoint_name=endpoint.name,
        origin_group=cdn.ResourceReferenceArgs(id=group.id),
        custom_domains=[cdn.ActivatedResourceReferenceArgs(id=domain.id)] if domain else [],
        link_to_default_domain=own,
        patterns_to_match=["/*"],
        supported_protocols=[cdn.AFDEndpointProtocols.HTTPS],
        https_redirect=cdn.HttpsRedirect.DISABLED,
        forwarding_protocol=cdn.ForwardingProtocol.HTTPS_ONLY,
        enabled_state=cdn.EnabledState.ENABLED,
        resource_group_name=scope.group,
        opts=scope.after(origin),
    )


def _make_domain(scope: Scope, profile: cdn.Profile, plan: DomainPlan) -> cdn.AFDCustomDomain:
    zone = cdn.ResourceReferenceArgs(id=_zone_id(scope, plan["zone"])) if plan["zone"] else None
    return cdn.AFDCustomDomain(
        stem(plan["name"].replace(".", "-"), _LONGEST_DOMAIN),
        profile_name=profile.name,
        host_name=plan["name"],
        azure_dns_zone=zone,
        tls_settings=cdn.AFDDomainHttpsParametersArgs(
            certificate_type=cdn.AfdCertificateType.MANAGED_CERTIFICATE,
            minimum_tls_version=cdn.AfdMinimumTlsVersion.TLS12,
        ),
        resource_group_name=scope.group,
        opts=scope.opts,
    )


def _limit(scope: Scope, profile: cdn.Profile, reached: pulumi.Output[str], plan: RateLimitPlan) -> None:
    """Answer 429 to what is more than the plan's count in its window, whoever asks."""
    everyone = frontdoor.MatchConditionArgs(
        match_variable=frontdoor.MatchVariable.SOCKET_ADDR,
        operator=frontdoor.Operator.IP_MATCH,
        match_value=["0.0.0.0/0", "::/0"],
    )
    rule = frontdoor.CustomRuleArgs(
        name="rateLimit",
        priority=100,
        enabled_state=frontdoor.CustomRuleEnabledState.ENABLED,
        rule_type=frontdoor.RuleType.RATE_LIMIT_RULE,
        rate_limit_threshold=plan["count"],
        rate_limit_duration_in_minutes=(plan["window_s"] or 0) // _S_PER_MINUTE,
        # Of all callers together: by default each address has a count of its own.
        group_by=[frontdoor.GroupByVariableArgs(variable_name=frontdoor.VariableName.NONE)],
        match_conditions=[everyone],
        action=frontdoor.ActionType.BLOCK,
    )
    policy = frontdoor.Policy(
        letters(scope.deployment, _LONGEST_POLICY),
        sku=frontdoor.SkuArgs(name=frontdoor.SkuName.STANDARD_AZURE_FRONT_DOOR),
        policy_settings=frontdoor.PolicySettingsArgs(
            enabled_state=frontdoor.PolicyEnabledState.ENABLED,
            mode=frontdoor.PolicyMode.PREVENTION,
            custom_block_response_status_code=_TOO_MANY,
        ),
        custom_rules=frontdoor.CustomRuleListArgs(rules=[rule]),
        **scope.everywhere,
        opts=scope.opts,
    )
    association = cdn.SecurityPolicyWebApplicationFirewallAssociationArgs(
        domains=[cdn.ActivatedResourceReferenceArgs(id=reached)], patterns_to_match=["/*"]
    )
    cdn.SecurityPolicy(
        f"{scope.name}-rate-limit",
        profile_name=profile.name,
        parameters=cdn.SecurityPolicyWebApplicationFirewallParametersArgs(
            type="WebApplicationFirewall",
            waf_policy=cdn.ResourceReferenceArgs(id=policy.id),
            associations=[association],
        ),
        resource_group_name=scope.group,
        opts=scope.opts,
    )


def _records(
    scope: Scope, plan: DomainPlan, domain: cdn.AFDCustomDomain, endpoint: cdn.AFDEndpoint
) -> list[DnsRecord]:
    """Make the domain's records in its zone; where none is named, return them for the user to make.

    learn.microsoft.com/azure/frontdoor/standard-premium/how-to-add-custom-domain (2026-11-29)
    """
    token = domain.validation_properties.apply(lambda properties: properties.validation_token)
    if plan["zone"] is None:
        return [
            DnsRecord(name=f"_dnsauth.{plan['name']}", type="TXT", value=token),
            DnsRecord(name=plan["name"], type="CNAME", value=endpoint.host_name),
        ]
    group, _, zone = plan["zone"].partition("/")
    label = plan["name"].removesuffix(zone).rstrip(".")
    where: dict[str, Any] = {
        "zone_name": zone,
        "resource_group_name": group,
        "ttl": _TTL_S,
        "opts": scope.opts,
    }
    dns.RecordSet(
        f"{scope.name}-dns-proof",
        record_type="TXT",
        relative_record_set_name=f"_dnsauth.{label}" if label else "_dnsauth",
        txt_records=[dns.TxtRecordArgs(value=[token])],
        **where,
    )
    # A zone's own name can have no CNAME; Azure DNS follows an alias instead (the same page, apex domains).
    dns.RecordSet(
        f"{scope.name}-dns",
        record_type="CNAME" if label else "A",
        relative_record_set_name=label or "@",
        cname_record=dns.CnameRecordArgs(cname=endpoint.host_name) if label else None,
        target_resource=None if label else dns.SubResourceArgs(id=endpoint.id),
        **where,
    )
    return []


def _zone_id(scope: Scope, zone: str) -> pulumi.Output[str]:
    group, _, name = zone.partition("/")
    return pulumi.Output.concat(
        "/subscriptions/",
        scope.subscription,
        "/resourceGroups/",
        group,
        "/providers/Microsoft.Network/dnsZones/",
        name,
    )
