"""Pulumi components: make what a plan says, and decide nothing."""

from lastmile_infra.deployment import Deployment, deploy

__all__ = ["Deployment", "deploy"]
