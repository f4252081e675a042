"""Drafts a spec from what was found out about a model."""

from __future__ import annotations

from lastmile_sls.errors import LastmileError
from lastmile_sls.inspection.facts import ColumnFacts, ModelFacts
from lastmile_sls.spec.model import Column, Contract, Spec, Traffic, Version


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
    contract = Contract(inputs=tuple(map(_column, facts.inputs)), outputs=tuple(map(_column, facts.outputs)))
    try:
        return Spec(
            name=name,
            owner=owner,
            cost_center=cost_center,
            versions=(Version.model_validate(version),),
            traffic=Traffic(champion="v1"),
            contract=contract,
        )
    except ValueError as error:
        raise LastmileError(
            f"no spec can be written for {artifact}: {error}", "Give other values: --name, --owner."
        ) from error


def _column(facts: ColumnFacts) -> Column:
    return Column(
        name=facts.name,
        datatype=facts.datatype,
        shape=facts.shape,
        minimum=facts.minimum,
        maximum=facts.maximum,
        categories=facts.categories,
    )
