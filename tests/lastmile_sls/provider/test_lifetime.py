"""A plugin does not outlive whoever started it, however that ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil

# Starts a plugin as the Pulumi CLI does, tells its process id and port, and waits to be killed.
STARTER = """
import subprocess, sys, time
plugin = subprocess.Popen([sys.executable, "-m", "lastmile_sls.provider"], stdout=subprocess.PIPE, text=True)
print(plugin.pid, plugin.stdout.readline().strip(), flush=True)
time.sleep(60)
"""


def is_there(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and that nobody has asked about yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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
