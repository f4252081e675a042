"""Looks at a model file without running anything that it says."""
