"""The handler of Lambda's own Python runtime: `lastmile_runtime.adapters.aws.handler`.

Importing this module starts the application, in Lambda's init phase. Whatever the start needs is imported by it.
"""

from __future__ import annotations

import os
import sys

from lastmile_runtime.adapters.aws_function import Function

TYPE_CHECKING = False  # type checkers take it for true; typing would cost 9 ms of each cold start
if TYPE_CHECKING:
    from typing import Any

# The runtime has put a stream that writes each line at once in the place of standard output.
FUNCTION = Function(os.environ, sys.stdout.write, works_after=False)


def handler(event: Any, context: Any) -> Any:
    """Answer one event."""
    return FUNCTION.answer(event, context)[0]


def _take_part_in_snapshots() -> None:
    """Register what is done before a snapshot and after its restore (lambda/latest/dg/snapstart-runtime-hooks.html)."""
    hooks = __import__("snapshot_restore_py")  # Lambda's runtime brings it
    hooks.register_before_snapshot(FUNCTION.prepare)
    hooks.register_after_restore(FUNCTION.restored)


if FUNCTION.takes_snapshot:
    _take_part_in_snapshots()
