"""A domain name of the user's for an HTTP API, with its certificate and its records."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from lastmile_infra.aws.scope import Scope
from lastmile_infra.outputs import DnsRecord
from lastmile_sls.plan.document import DomainPlan

_PROOF_TTL_S = 300


def make_domain(
    scope: Scope,
    name: str,
    plan: DomainPlan,
    api: aws.apigatewayv2.Api,
    stage: aws.apigatewayv2.Stage,
) -> tuple[pulumi.Output[str], list[DnsRecord]]:
    """Return the address with the domain's name, and the records that are still to be made by hand.

    Raises ValueError without a certificate and without a zone in which one could be proven.
    """
    domain = aws.apigatewayv2.DomainName(
        f"{name}-domain",
        domain_name=plan["name"],
        domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
            certificate_arn=_certificate(scope, name, plan),
            endpoint_type="REGIONAL",
            security_policy="TLS_1_2",
        ),
        tags=scope.tags,
        opts=scope.opts,
    )
    mapping = aws.apigatewayv2.ApiMapping(
        f"{name}-mapping", api_id=api.id, domain_name=domain.id, stage=stage.id, opts=scope.opts
    )
    url = mapping.id.apply(lambda _: f"https://{plan['name']}")
    target = domain.domain_name_configuration.apply(lambda made: str(made.target_domain_name))
    zone = plan["zone"]
    if zone is None:
        return url, [DnsRecord(name=plan["name"], type="CNAME", value=target)]
    aws.route53.Record(
        f"{name}-record",
        zone_id=zone,
        name=plan["name"],
        type="A",
        aliases=[
            aws.route53.RecordAliasArgs(
                name=target,
                zone_id=domain.domain_name_configuration.apply(lambda made: str(made.hosted_zone_id)),
                evaluate_target_health=False,
            )
        ],
        opts=scope.opts,
    )
    return url, []


def _certificate(scope: Scope, name: str, plan: DomainPlan) -> pulumi.Input[str]:
    """Return the ARN of a certificate that is valid: API Gateway takes no other."""
    if plan["certificate"]:
        return plan["certificate"]
    if plan["zone"] is None:
        raise ValueError(
            f"the domain {plan['name']} needs targets.aws.hosted_zone, in which its certificate can be proven, or "
            "targets.aws.certificate."
        )
    certificate = aws.acm.Certificate(
        f"{name}-certificate",
        domain_name=plan["name"],
        validation_method="DNS",
        tags=scope.tags,
        opts=scope.opts,
    )
    proof = certificate.domain_validation_options.apply(lambda options: options[0])
    record = aws.route53.Record(
        f"{name}-proof",
        zone_id=plan["zone"],
        name=proof.apply(lambda asked: str(asked.resource_record_name)),
        type=proof.apply(lambda asked: str(asked.resource_record_type)),
        records=[proof.apply(lambda asked: str(asked.resource_record_value))],
        ttl=_PROOF_TTL_S,
        allow_overwrite=True,  # it is the same for every certificate that this account has for the name
        opts=scope.opts,
    )
    proven = aws.acm.CertificateValidation(
        f"{name}-proven",
        certificate_arn=certificate.arn,
        validation_record_fqdns=[record.fqdn],
        opts=scope.opts,
    )
    arn: pulumi.Output[str] = proven.certificate_arn
    return arn
