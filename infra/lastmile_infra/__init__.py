"""Pulumi components."""
