"""Deploys the spec that the stack's configuration names: `pulumi config set spec examples/breast-cancer`."""

from pathlib import Path

import pulumi

import lastmile_infra
from lastmile_sls import deploy
from lastmile_sls.asked import as_target, find_spec
from lastmile_sls.build.prepare import prepare
from lastmile_sls.build.sign import require_signatures
from lastmile_sls.errors import LastmileError

ROOT = Path(__file__).resolve().parents[1]

config = pulumi.Config()
try:
    spec_path = find_spec(ROOT / config.require("spec"))
    prepared = prepare(spec_path, as_target(config.get("target") or "local"), deploy.environ())
    require_signatures(prepared, spec_path)
except LastmileError as error:
    raise pulumi.RunError(str(error)) from error
lastmile_infra.deploy(prepared.program.folder / "plan.json")
