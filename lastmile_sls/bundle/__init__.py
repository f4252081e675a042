"""Builds bundles: what a function runs, with the hash of every file."""
