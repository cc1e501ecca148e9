"""What the operating system is asked: available memory, thread priority, the allocator's behaviour."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

SMALL_HOST_VARIABLE = "SOUNDALIKE_LIGHT"
"""Environment variable: 1 or 0 decides whether this counts as a small host, whatever its memory."""
SMALL_HOST_BYTES = 1_600_000_000
"""With less memory than this, VGG16 (about 250 MB in use) is left out."""
NICENESS = 10
"""A thread of this niceness gets about a tenth of the share of one of niceness 0."""
LARGE_BLOCK_BYTES = 2**20
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_M_MMAP_THRESHOLD = -3


def memory_limit() -> int | None:
    """Bytes that this process may use at most, or None where the system does not tell.

    A container's limit is that of its control group (Linux, versions 1 and 2). Without one it is the
    machine's memory.
    """
    limits = [found for path in _CGROUPS if (found := _number(path)) is not None]
    with suppress(AttributeError, OSError, ValueError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(limits, default=None)


def is_small_host() -> bool:
    """Whether VGG16 is left out.

    A clip is then compared by the default representation only, and no genres are predicted for it.
    """
    if (wanted := os.environ.get(SMALL_HOST_VARIABLE)) in ("0", "1"):
        return wanted == "1"
    most = memory_limit()
    return most is not None and most < SMALL_HOST_BYTES


def lower_priority() -> None:
    """Run the calling thread, and those it starts, at a lower priority for good (Linux only).

    Don't use it for a thread that computes in Python: while it waits for a processor it may hold the
    interpreter's lock, which all other threads need.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def return_large_blocks() -> bool:
    """Return arrays of a megabyte or more to the system once they are freed (glibc's `mallopt`).

    By itself glibc raises that size, up to 32 MB, whenever a large block is freed. Freed arrays then
    stay in the process, in an arena for every few threads, and a server grows by tens of megabytes.

    Returns
    -------
    Whether this system can.
    """
    try:
        return bool(ctypes.CDLL("libc.so.6").mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES))
    except (OSError, AttributeError):
        return False


def _number(path: Path) -> int | None:
    """A control group's limit; None for "max", or where there is none."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
