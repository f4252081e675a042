"""Holds a project to the user's policy, from what an offline preview says that each resource would be made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lastmile_sls.engine.interface import UNKNOWN, Event, Program, Secret
from lastmile_sls.errors import LastmileError
from lastmile_sls.local.home import find_home
from lastmile_sls.plan.document import Target
from lastmile_sls.policy import resource
from lastmile_sls.policy.parameters import POLICY_FILE, Parameters, load
from lastmile_sls.policy.resource import Resource, plain_type
from lastmile_sls.policy.verdict import Verdict, judge


@dataclass(frozen=True)
class Policy:
    """The parameters, and where they are from."""

    path: Path
    parameters: Parameters


def find_policy(asked: Path | None, spec_path: Path) -> Policy | None:
    """Return the policy in the file asked for, or in `lastmile.policy.yaml` beside the spec; None where there is none.

    Raises LastmileError when the file asked for is not there, or any is wrong.
    """
    if asked is not None and asked.is_dir():
        asked = asked / POLICY_FILE
    path = asked or spec_path.resolve().parent / POLICY_FILE
    if asked is None and not path.exists():
        return None
    return Policy(path, load(path))


def policy_or_defaults(asked: Path | None, spec_path: Path) -> Policy:
    """Return the policy that `find_policy` finds, or every rule's defaults. Raises LastmileError as that does."""
    return find_policy(asked, spec_path) or Policy(Path("the defaults"), Parameters())


def require_cloud(target: Target) -> None:
    """Raise LastmileError for this machine, of which no rule says anything."""
    if target == "local":
        raise LastmileError(
            "target is local, but every rule is on what is made in a cloud.",
            "Name one: --target aws, gcp or azure",
        )


def resources_of(steps: Iterable[Event]) -> list[Resource]:
    """Return the resources that a preview has planned, as rules see them; what is deleted is judged no more."""
    return [
        Resource(plain_type(step.type), step.name, step.urn, _seen(step.inputs or {}))
        for step in steps
        if step.kind == "planned" and step.operation != "delete"
    ]


def _seen(value: Any) -> Any:
    """Return a value with its secrets revealed: rules look at them, and never tell them."""
    if value is UNKNOWN:
        return resource.UNKNOWN
    if isinstance(value, Secret):
        return _seen(value.reveal())
    if isinstance(value, Mapping):
        return {key: _seen(item) for key, item in value.items() if not key.startswith("__")}
    return [_seen(item) for item in value] if isinstance(value, (list, tuple)) else value


def check_program(program: Program, parameters: Parameters, environ: Mapping[str, str]) -> list[Verdict]:
    """Return the verdicts on all that a program would make, as an offline preview has it; nothing is asked of a cloud."""
    return judge(previewed(program, environ), parameters)


def previewed(program: Program, environ: Mapping[str, str]) -> list[Resource]:
    """Return all that a program would make, as an offline preview has it; nothing is asked of a cloud."""
    from lastmile_sls.deploy import embedded_engine

    steps: list[Event] = []
    embedded_engine(find_home(environ)).preview(program, steps.append)
    return resources_of(steps)


def require(verdicts: Sequence[Verdict], policy: Policy) -> None:
    """Raise LastmileError when a verdict stops the deployment."""
    stopping = [verdict for verdict in verdicts if verdict.stops]
    if stopping:
        told = "is one thing that breaks" if len(stopping) == 1 else f"are {len(stopping)} things that break"
        raise LastmileError(
            f"there {told} the policy of {policy.path}; nothing was deployed.\n"
            + "\n".join(f"  {verdict.rule}: {verdict}" for verdict in stopping),
            "What each rule demands: lastmile policy rules",
        )
