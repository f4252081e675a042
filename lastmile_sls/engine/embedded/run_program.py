"""Runs a Pulumi program in a process of its own: `python -m lastmile_sls.engine.embedded.run_program`.

The settings come as one line of JSON on standard input, which stays open for as long as the engine lives.
What the Pulumi CLI's language host does for it, this does for the
embedded engine: configure the SDK, run `__main__.py` in a stack, report an exception.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import threading
import traceback
from pathlib import Path
from typing import Any


def main() -> int:
    """Run the program; return 0, or 1 when it raised, which is then in the engine's log."""
    settings = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    import pulumi
    import pulumi.runtime

    pulumi.runtime.set_all_config(settings["config"], settings["secret_config"])
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=settings["address"],
            engine=settings["address"],
            project=settings["project"],
            stack=settings["stack"],
            parallel=16,
            dry_run=settings["preview"],
            organization="organization",
            root_directory=settings["folder"],
        )
    )
    os.chdir(settings["folder"])
    # The SDK leaves futures unobserved when a program fails; asyncio's complaints would hide the reason.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        asyncio.run(pulumi.runtime.run_in_stack(lambda: _run(settings["main"])))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except Exception as error:  # noqa: BLE001 - whatever a user's program raises
        pulumi.log.error(_from_program_on(error, settings["main"]))
    else:
        return 0
    return 1


def _end_with_the_engine() -> None:
    sys.stdin.read()
    os._exit(1)


def _run(path: str) -> None:
    runpy.run_path(path, run_name="__main__")


def _from_program_on(error: BaseException, path: str) -> str:
    """Return the traceback from the program's own first frame on."""
    frames: Any = error.__traceback__
    files = (Path(path), Path(path) / "__main__.py")
    while frames and Path(frames.tb_frame.f_code.co_filename) not in files:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames or error.__traceback__))


if __name__ == "__main__":
    sys.exit(main())
