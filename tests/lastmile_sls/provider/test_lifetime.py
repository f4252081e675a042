"""A plugin does not outlive whoever started it, however that ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

# Starts a plugin as the Pulumi CLI does, tells its process id and port, and waits to be killed.
STARTER = """
import subprocess, sys, time
plugin = subprocess.Popen([sys.executable, "-m", "lastmile_sls.provider"], stdout=subprocess.PIPE, text=True)
print(plugin.pid, plugin.stdout.readline().strip(), flush=True)
time.sleep(60)
"""


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_plugin_ends_with_a_parent_that_was_killed() -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    with starter:
        assert starter.stdout is not None
        pid, port = map(int, starter.stdout.readline().split())
        assert port > 0
        assert is_there(pid)
        starter.send_signal(signal.SIGKILL)
        starter.wait()
    ends_at = time.monotonic() + 20
    while is_there(pid) and time.monotonic() < ends_at:
        time.sleep(0.1)
    assert not is_there(pid)
