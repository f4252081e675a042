"""Deploys the spec that the stack's configuration names: `pulumi config set spec examples/breast-cancer`."""

from pathlib import Path

import pulumi

import lastmile_infra

ROOT = Path(__file__).resolve().parents[1]

config = pulumi.Config()
lastmile_infra.deploy_spec(ROOT / config.require("spec"), config.get("target") or "local")
