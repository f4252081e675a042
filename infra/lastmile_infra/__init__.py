"""Pulumi components: make what a plan says, and decide nothing."""

from lastmile_infra.deployment import Deployment, deploy, deploy_spec

__all__ = ["Deployment", "deploy", "deploy_spec"]
