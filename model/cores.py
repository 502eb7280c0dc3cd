"""How many cores this process may use: a container may have fewer than its host."""

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """As many as the system lets this process run on, and a container's quota allows."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    return allowed(len(affinity(0)) if affinity else os.cpu_count() or 1)


def allowed(most: int, quota: Path = _QUOTA) -> int:
    """So many, but no more than a container may use.

    Args:
        most: cores, or threads.
        quota: microseconds of processor time in each period, or "max", and the period (cgroup v2).
    """
    try:
        micros, period = quota.read_text().split()
        return max(1, min(most, math.ceil(int(micros) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):  # no container, or no limit
        return most
