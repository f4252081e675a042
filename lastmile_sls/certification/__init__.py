"""Proves that a compiled model predicts what the original does, before anything ships."""
