"""A bundle's third-party packages: resolved for the function's Python, processor and libc, locked, installed, stripped."""
