"""Runs a built bundle under its target's own runtime contract on a sample, before anything is deployed."""
