"""Operating system calls: available memory, thread priority, the allocator's behaviour, privacy."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

SMALL_HOST_VARIABLE = "SOUNDALIKE_LIGHT"
"""Environment variable: 1 or 0 overrides the memory test for a small host."""
SMALL_HOST_BYTES = 1_600_000_000
"""Hosts with less memory than this don't load VGG16 (about 250 MB in use)."""
NICENESS = 10
"""Niceness that gives a thread about a tenth of the share of niceness 0."""
BACKGROUND_NICENESS = 19
"""Niceness of what nobody waits for. The networks that visitors wait for have `NICENESS`."""
LARGE_BLOCK_BYTES = 2**20
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_M_MMAP_THRESHOLD = -3
_SET_DUMPABLE = 4


def memory_limit() -> int | None:
    """Memory limit of this process in bytes, or None if unknown.

    In a container, the limit of its control group (Linux, versions 1 and 2). Otherwise, the machine's
    memory.
    """
    limits = [found for path in _CGROUPS if (found := _read_limit(path)) is not None]
    with suppress(AttributeError, OSError, ValueError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(limits, default=None)


def is_small_host() -> bool:
    """Whether to run without VGG16.

    Clips are then compared by the default representation only, without genre predictions.
    """
    if (wanted := os.environ.get(SMALL_HOST_VARIABLE)) in ("0", "1"):
        return wanted == "1"
    limit = memory_limit()
    return limit is not None and limit < SMALL_HOST_BYTES


def lower_priority(niceness: int = NICENESS) -> None:
    """Permanently lower the priority of the calling thread and those it starts (Linux only).

    Don't use it for a thread that computes in Python: it may hold the interpreter's lock, which all
    other threads need, while it waits for a processor.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def end_first_without_memory() -> None:
    """Let this process and those it starts be ended before others where memory runs out (Linux only)."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def hide_memory() -> bool:
    """Keep other processes of this user from reading this one's memory and environment (Linux only).

    Returns
    -------
    Whether the system supports it.
    """
    return prctl(_SET_DUMPABLE, 0)


def prctl(option: int, value: int) -> bool:
    """Change how the system treats this process (Linux only); returns whether it does."""
    if sys.platform != "linux":
        return False
    zeros = (ctypes.c_ulong(0),) * 3
    return bool(ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), *zeros) == 0)


def return_large_blocks() -> bool:
    """Return arrays of a megabyte or more to the system once they are freed (glibc's `mallopt`).

    By default glibc raises that threshold, up to 32 MB, whenever a large block is freed. Freed arrays
    then stay in the process, in one arena per few threads, and a server grows by tens of megabytes.

    Returns
    -------
    Whether the system supports it.
    """
    try:
        return bool(ctypes.CDLL("libc.so.6").mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES))
    except (OSError, AttributeError):
        return False


def return_free_memory() -> None:
    """Return what the allocator holds back for later to the system, as after loading (glibc only)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _read_limit(path: Path) -> int | None:
    """A control group's limit; None for "max" or a missing file."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
