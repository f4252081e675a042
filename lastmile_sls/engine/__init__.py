"""Hosts for Pulumi programs: the embedded engine and the Pulumi CLI, with one interface."""
