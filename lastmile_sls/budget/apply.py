"""A budget's override where a deployment is planned anew: found in its store, applied to its plan, told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lastmile_sls.budget import override
from lastmile_sls.budget.override import Override
from lastmile_sls.build.prepare import Prepared
from lastmile_sls.build.prepare import prepare as prepare_as_specified
from lastmile_sls.build.warm import keep_warm
from lastmile_sls.local.home import Place, find_home
from lastmile_sls.plan.document import Target
from lastmile_sls.traffic.live import LiveTraffic


def prepare(spec_path: Path, target: Target, environ: Mapping[str, str], **options: Any) -> Prepared:
    """Prepare a project as `lastmile_sls.build.prepare` does, under what the budget of its deployment has changed.

    Raises LastmileError as that does, and when the deployment's store cannot be read.
    """
    prepared = prepare_as_specified(spec_path, target, environ, **options)
    return apply_override(prepared, find_override(prepared, environ))


def find_override(prepared: Prepared, environ: Mapping[str, str]) -> Override | None:
    """Return the override of the deployment that a project describes; None when nothing is deployed, or there is none.

    Only a spec whose budget acts, and that keeps instances warm, has one to look for. Raises LastmileError.
    """
    spec = prepared.spec
    acts = spec.budget is not None and spec.budget.actions is not None
    if not acts or not spec.resources.min_instances:
        return None
    live = _live(prepared, environ)
    return override.read(live.store) if live else None


def apply_override(prepared: Prepared, found: Override | None) -> Prepared:
    """Return the project with the override in its plan, which is written, and what is to be said of it."""
    if found is None:
        return prepared
    wanted = prepared.spec.resources.min_instances
    kept = min(wanted, found.min_instances)
    plan, record = keep_warm(prepared.program.folder, prepared.record, kept)
    return replace(prepared, plan=plan, record=record, overrides=(found.told(wanted),))


def _live(prepared: Prepared, environ: Mapping[str, str]) -> LiveTraffic | None:
    home = find_home(environ)
    if prepared.plan["target"] == "local":
        from lastmile_sls.traffic.local import find_traffic

        return find_traffic(Place.of(home, prepared.plan["deployment"]))
    from lastmile_sls.cloud_stack import CloudStack
    from lastmile_sls.engine.pulumi_cli.engine import PulumiCliEngine

    outputs = PulumiCliEngine(home, environ).outputs(prepared.program)
    if not outputs.get("routing"):
        return None
    return CloudStack(prepared.spec, prepared.plan["target"], outputs, environ).traffic()
