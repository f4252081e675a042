"""Where the `lastmile` command begins: ctrl-C is a clean end from the first import on."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from lastmile_sls.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("stopped.\n")
        sys.exit(1)
