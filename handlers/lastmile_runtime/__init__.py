"""Runs in the function."""
