"""Lambda: its Runtime API on this machine, AWS's own runtime client and the bundle's own bootstrap."""
