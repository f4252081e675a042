"""Judges resources by every rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lastmile_sls.policy.parameters import Parameters, RuleId
from lastmile_sls.policy.resource import Resource
from lastmile_sls.policy.rule import Found, Rule, Severity
from lastmile_sls.policy.rules import RULES

Outcome = Literal["violation", "unknown"]


@dataclass(frozen=True, order=True)
class Verdict:
    """A rule that a resource breaks, or of which it cannot be said yet."""

    rule: RuleId
    severity: Severity
    outcome: Outcome
    type: str
    name: str
    urn: str
    problem: str
    """What is wrong: the input, its value, and what is allowed."""
    fix: str

    @property
    def stops(self) -> bool:
        """Whether nothing is deployed because of it."""
        return self.outcome == "violation" and self.severity == "mandatory"

    def __str__(self) -> str:
        """Return it for people; something that is not known has nothing to mend."""
        told = f"{self.type.rpartition(':')[2]} {self.name}: {self.problem}"
        return told if self.outcome == "unknown" else f"{told} {self.fix}"


def severity_of(rule: Rule, parameters: Parameters) -> Severity | None:
    """Return how much a rule weighs; None when it is switched off."""
    said = parameters.rules.get(rule.id, rule.severity)
    return None if said == "off" else said


def active(parameters: Parameters) -> list[Rule]:
    """Return the rules that are not switched off."""
    return [rule for rule in RULES if severity_of(rule, parameters) is not None]


def judge(resources: Sequence[Resource], parameters: Parameters) -> list[Verdict]:
    """Return the verdicts of every rule on a stack's resources, each once, sorted; none when all is as it must be."""
    return sorted({v for rule in active(parameters) for v in judge_by(rule, resources, parameters)})


def judge_by(rule: Rule, resources: Sequence[Resource], parameters: Parameters) -> Iterator[Verdict]:
    """Yield the verdicts of one rule on a stack's resources."""
    severity = severity_of(rule, parameters)
    if severity is None:
        return
    for resource, problem in _found(rule, sorted(resources, key=lambda one: one.urn), parameters):
        yield Verdict(
            rule=rule.id,
            severity=severity,
            outcome="violation" if problem.known else "unknown",
            type=resource.type,
            name=resource.name,
            urn=resource.urn,
            problem=problem.text,
            fix=rule.fix,
        )


def _found(rule: Rule, resources: Sequence[Resource], parameters: Parameters) -> Iterable[Found]:
    if rule.of_resource is not None:
        for resource in resources:
            for problem in rule.of_resource(resource, parameters):
                yield resource, problem
    if rule.of_stack is not None:
        yield from rule.of_stack(resources, parameters)
