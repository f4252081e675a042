"""Writes the Pulumi project that carries a plan out; the user owns it."""
