"""Drafts a spec from what was found out about a model."""

from __future__ import annotations

from dataclasses import asdict

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ModelFacts
from lastmile_sls.spec.load import check
from lastmile_sls.spec.model import Spec


def draft(
    facts: ModelFacts,
    *,
    name: str,
    owner: str,
    cost_center: str,
    artifact: str,
    sample: str | None,
    trusted: bool,
) -> Spec:
    """Return a spec with one version, `v1`, and everything else by default.

    Raises LastmileError when the name or a tag is not legal.
    """
    version = {
        "id": "v1",
        "artifact": artifact,
        "framework": facts.framework,
        "entry": facts.entry,
        "sample": sample,
        "requirements": facts.requirements,
        "frame": facts.frame,
        "trusted": trusted,
    }
    content = {
        "name": name,
        "owner": owner,
        "cost_center": cost_center,
        "versions": [version],
        "traffic": {"champion": "v1"},
        "contract": {"inputs": [*map(asdict, facts.inputs)], "outputs": [*map(asdict, facts.outputs)]},
    }
    try:
        return check(content)
    except LastmileError as error:
        raise LastmileError(
            f"no spec can be written for {artifact}: {error.message}", "Give other values: --name, --owner."
        ) from error
