"""What the pack tells under the CLI, and what our own verdicts are in its words."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from lastmile_sls.policy.rules import RULES
from lastmile_sls.policy.verdict import Verdict
from lastmile_sls.policy_pack import write_pack

Told = set[tuple[str, str]]
"""URN, and text as our engine passes it on."""


def pack_with(folder: Path, policy: Path) -> Path:
    """Write the pack with these parameters, on the virtual environment that runs this."""
    write_pack(folder, policy)
    (folder / "venv").symlink_to(sys.prefix)
    return folder


def as_the_pack_tells(verdicts: Iterable[Verdict]) -> Told:
    """Return the verdicts in the words, and at the places, that the pack has for them."""
    return {(verdict.urn, _words(verdict)) for verdict in verdicts}


def _words(verdict: Verdict) -> str:
    from lastmile_policy.__main__ import NOT_KNOWN, told

    (rule,) = [rule for rule in RULES if rule.id == verdict.rule]
    if verdict.outcome == "violation":
        return f"{rule.id} ({verdict.severity}): {rule.demands}\n{told(verdict)}"
    name = "not-known-yet" if rule.of_resource else "not-known-yet-of-the-stack"
    return f"{name} (advisory): {NOT_KNOWN}\n{told(verdict)}"


def from_the_pack(said: Iterable[tuple[str, str]]) -> Told:
    """Return what of all that an engine passed on is the pack's."""
    names = {*(rule.id for rule in RULES), "not-known-yet", "not-known-yet-of-the-stack"}
    return {(urn, text) for urn, text in said if text.partition(" (")[0] in names}
