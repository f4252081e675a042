"""Compiles trained models into files that the runtime evaluates without their library."""
