"""Runs lastmile's rules as a policy pack (CrossGuard) of the Pulumi CLI, on any program; the README beside says how."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from lastmile_sls.policy.parameters import POLICY_FILE, Parameters, load
from lastmile_sls.policy.resource import UNKNOWN, Resource, plain_type
from lastmile_sls.policy.rule import Rule
from lastmile_sls.policy.verdict import Verdict, active, judge_by, severity_of

VARIABLE = "LASTMILE_POLICY"
"""Names another file of parameters than the one beside the pack."""
NOT_KNOWN = (
    "Of these things it is known only after creation whether they break a rule; `pulumi up` looks again."
)


class Pack:
    """The policies of one run, and the resources that they have seen: rules on a whole stack look at inputs as well."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._seen: dict[str, Resource] = {}

    def policies(self) -> list[Policy]:
        """Return a policy for each rule, and the two that tell, as advice, what cannot be judged yet."""
        rules = active(self._parameters)
        alone = [rule for rule in rules if rule.of_resource is not None]
        together = [rule for rule in rules if rule.of_stack is not None]
        return [
            *(
                self._of_resource(rule.id, rule.demands, [rule], self._level(rule), "violation")
                for rule in alone
            ),
            *(
                self._of_stack(rule.id, rule.demands, [rule], self._level(rule), "violation")
                for rule in together
            ),
            self._of_resource("not-known-yet", NOT_KNOWN, alone, EnforcementLevel.ADVISORY, "unknown"),
            self._of_stack(
                "not-known-yet-of-the-stack", NOT_KNOWN, together, EnforcementLevel.ADVISORY, "unknown"
            ),
        ]

    def _of_resource(
        self, name: str, demands: str, rules: Sequence[Rule], level: EnforcementLevel, outcome: str
    ) -> Policy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            resource = self._see(args)
            for verdict in self._verdicts(rules, [resource], outcome):
                report(told(verdict), None)

        return ResourceValidationPolicy(name, demands, validate, level)

    def _of_stack(
        self, name: str, demands: str, rules: Sequence[Rule], level: EnforcementLevel, outcome: str
    ) -> Policy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            # What a run with --target leaves out was not analyzed: its outputs are all that there is.
            resources = [
                self._seen.get(r.urn) or Resource(plain_type(r.resource_type), r.name, r.urn, plain(r.props))
                for r in args.resources
            ]
            for verdict in self._verdicts(rules, resources, outcome):
                report(told(verdict), verdict.urn)

        return StackValidationPolicy(name, demands, validate, level)

    def _verdicts(
        self, rules: Sequence[Rule], resources: Sequence[Resource], outcome: str
    ) -> Iterator[Verdict]:
        for rule in rules:
            yield from sorted(
                verdict
                for verdict in {*judge_by(rule, resources, self._parameters)}
                if verdict.outcome == outcome
            )

    def _see(self, args: ResourceValidationArgs) -> Resource:
        resource = Resource(plain_type(args.resource_type), args.name, args.urn, plain(args.props))
        self._seen[args.urn] = resource
        return resource

    def _level(self, rule: Rule) -> EnforcementLevel:
        severity = severity_of(rule, self._parameters)
        return EnforcementLevel.MANDATORY if severity == "mandatory" else EnforcementLevel.ADVISORY


def told(verdict: Verdict) -> str:
    """Return what the CLI shows below what the rule demands."""
    return f"{verdict.rule}: {verdict}" if verdict.outcome == "unknown" else str(verdict)


def plain(value: Any) -> Any:
    """Return plain values: the SDK's own raise an error wherever something is not known yet."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value if not key.startswith("__")}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_item(value, index) for index in range(len(value))]
    return value


def _item(value: Any, key: Any) -> Any:
    try:
        return plain(value[key])
    except UnknownValueError:
        return UNKNOWN


def parameters() -> Parameters:
    """Return those of the file that LASTMILE_POLICY names, of the one beside the pack, or the defaults without any."""
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else Path(__file__).with_name(POLICY_FILE)
    return load(path) if named or path.exists() else Parameters()


if __name__ == "__main__":
    PolicyPack("lastmile", Pack(parameters()).policies())
