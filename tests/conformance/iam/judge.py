"""Holds policies against calls: each call is allowed, and nothing is allowed that no call needs.

A policy is taken apart into atoms, one action on one resource each: an atom that allows none of the calls is too much. A
pattern is allowed only where `WILDCARDS` says why no name could stand there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.conformance.iam.evaluator import Question, ask

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """Something that an identity does."""

    action: str
    """As policies name it: `s3:GetObject`."""
    resource: str
    """The ARN."""
    context: Mapping[str, str] = field(default_factory=dict, compare=False)
    by: str = field(default="the function", compare=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} by {self.by}"


@dataclass(frozen=True)
class Wildcard:
    """A pattern that a policy may have."""

    action: str
    resource: str
    """A regular expression for the whole pattern."""
    reason: str


WILDCARDS = (
    Wildcard(
        "logs:CreateLogStream",
        r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:/aws/lambda/[a-zA-Z0-9_-]+:\*",
        "Lambda names a stream after the day, the version and the instance, which nobody knows before.",
    ),
    Wildcard(
        "logs:PutLogEvents",
        r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:/aws/lambda/[a-zA-Z0-9_-]+:\*",
        "Lambda names a stream after the day, the version and the instance, which nobody knows before.",
    ),
    Wildcard(
        "secretsmanager:GetSecretValue",
        r"arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:[a-zA-Z0-9/_+=.@-]+-\?{6}",
        "Secrets Manager adds six characters of its own to a secret's name.",
    ),
    *(
        Wildcard(
            action,
            r"arn:aws:s3:::[a-z0-9.-]+/[a-zA-Z0-9_./-]+/\*",
            "Answers, files and predictions lie in a folder of theirs, under names that come later.",
        )
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    ),
    Wildcard(
        "execute-api:Invoke",
        r"arn:aws:execute-api:[a-z0-9-]+:\d{12}:[a-z0-9]+/\$default/\*",
        "A caller of the endpoint may call each of its paths: what they are is the model's.",
    ),
)


def judge(
    policies: Sequence[Document], calls: Sequence[Call], wildcards: Sequence[Wildcard] = WILDCARDS
) -> list[str]:
    """Return every fault of an identity's policies, each a sentence; none when they are exactly what the calls need.

    Raises NonsenseError for actions and resources that AWS does not have.
    """
    atoms = [atom for document in policies for atom in _atoms(document)]
    found = [*refused(policies, calls), *_unused(atoms, calls)]
    return [*found, *(told for atom in atoms for told in _too_wide(atom, wildcards))]


def judge_trust(document: Document, role: str, services: set[str]) -> list[str]:
    """Return every fault of a role's trust policy: all the services named may take it on, nobody else.

    Args:
        document: The policy.
        role: The role's ARN.
        services: Such as `lambda.amazonaws.com`.
    """
    found = []
    for statement in document["Statement"]:
        principals = statement.get("Principal")
        named = principals.get("Service", []) if isinstance(principals, Mapping) else []
        if not isinstance(principals, Mapping) or set(principals) != {"Service"}:
            found.append(f"the trust policy lets {principals} take the role on.")
        found += [f"the trust policy trusts {name}." for name in _list(named) if name not in services]
        found += [
            f"the trust policy lets {name}."
            for name in _list(statement["Action"])
            if name != "sts:AssumeRole"
        ]
    questions = [
        Question("sts:AssumeRole", role, resource_policy=document, principal=service)
        for service in sorted(services)
    ]
    answers = zip(questions, ask(questions), strict=True)
    return found + [
        f"{question.principal} may not take the role on." for question, allowed in answers if not allowed
    ]


def refused(policies: Sequence[Document], calls: Sequence[Call]) -> Iterator[str]:
    """Yield a sentence for each call that the policies do not allow."""
    questions = [Question(call.action, call.resource, policies, context=call.context) for call in calls]
    for call, allowed in zip(calls, ask(questions), strict=True):
        if not allowed:
            yield f"not allowed: {call}."


@dataclass(frozen=True)
class _Atom:
    action: str
    resource: str
    document: Document

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


def _atoms(document: Document) -> Iterator[_Atom]:
    """Take a policy's permissions apart; denials take nothing too much away that a call would not notice."""
    for statement in document["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        for name in ("NotAction", "NotResource"):
            if name in statement:
                yield _Atom(name, str(statement[name]), {"Version": "2012-10-17", "Statement": [statement]})
        for action in _list(statement.get("Action", [])):
            for resource in _list(statement.get("Resource", [])):
                alone = {**statement, "Action": action, "Resource": resource}
                yield _Atom(action, resource, {"Version": "2012-10-17", "Statement": [alone]})


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _unused(atoms: Sequence[_Atom], calls: Sequence[Call]) -> Iterator[str]:
    """Ask of each atom alone whether it allows any of the calls that its action is of."""
    pairs = [(number, call) for number, atom in enumerate(atoms) for call in calls if _may_be_of(atom, call)]
    questions = [
        Question(call.action, call.resource, [atoms[number].document], context=call.context)
        for number, call in pairs
    ]
    used = {number for (number, _), allowed in zip(pairs, ask(questions), strict=True) if allowed}
    for number, atom in enumerate(atoms):
        if number not in used:
            yield f"no call needs {atom}."


def _may_be_of(atom: _Atom, call: Call) -> bool:
    return atom.action.startswith("Not") or fnmatchcase(call.action.lower(), atom.action.lower())


def _too_wide(atom: _Atom, wildcards: Sequence[Wildcard]) -> Iterator[str]:
    if atom.action.startswith("Not"):
        yield f"{atom}: a policy must say what is allowed, not what is not."
    elif "*" in atom.action or "?" in atom.action:
        yield f"{atom}: the action is a pattern."
    elif ("*" in atom.resource or "?" in atom.resource) and not any(
        wildcard.action == atom.action and re.fullmatch(wildcard.resource, atom.resource)
        for wildcard in wildcards
    ):
        yield f"{atom}: the resource is a pattern for which WILDCARDS has no reason."
