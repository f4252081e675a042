"""The CLI's events in ours."""

from __future__ import annotations

from pulumi.automation.events import DiagnosticEvent, EngineEvent, PolicyEvent

from lastmile_sls.engine.interface import Event
from lastmile_sls.engine.pulumi_cli.events import errors, translate


def test_what_a_policy_pack_finds_is_passed_on() -> None:
    policy = PolicyEvent(
        message="<{%reset%}>No instance is too large.\nFunction predict is.<{%reset%}>\n",
        color="never",
        policy_name="memory",
        policy_pack_name="lastmile",
        policy_pack_version="0.1.0",
        policy_pack_version_tag="0.1.0",
        enforcement_level="mandatory",
        resource_urn="urn:predict",
    )
    event = EngineEvent(sequence=1, timestamp=0, policy_event=policy)
    assert translate(event, preview=True) == Event(
        "log",
        urn="urn:predict",
        message="memory (mandatory): No instance is too large.\nFunction predict is.",
    )
    failed = DiagnosticEvent(message="preview failed", color="never", severity="error")
    end = EngineEvent(sequence=2, timestamp=0, diagnostic_event=failed)
    assert errors([event, event, end]) == "the policy pack lastmile refuses it: memory."
