"""Moves traffic between versions, outside infrastructure: the live routing document and its history."""
