"""When a process was born: with its number that names one process for good."""

from __future__ import annotations

import subprocess
from pathlib import Path


def born(pid: int) -> str:
    """A process's start time in clock ticks: with the pid it names one process for good. Empty if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _born_elsewhere(pid)
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def _born_elsewhere(pid: int) -> str:
    """Where there is no /proc (macOS), ps tells."""
    if Path("/proc/self/stat").exists():
        return ""
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout.strip()
