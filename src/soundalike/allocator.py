"""How the C library's allocator deals with large arrays (glibc's `mallopt`, where it is the one).

By itself it raises, with every large block that is freed, the size from which blocks are taken from the
system one by one, up to 32 MB. From then on freed arrays stay in the process, in an arena for each few
threads, and a server that computes in many threads grows by tens of megabytes for nothing.
"""

from __future__ import annotations

import ctypes

LARGE = 2**20
"""Bytes from which a block goes back to the system as soon as it is freed."""
_M_MMAP_THRESHOLD = -3


def give_back_at_once() -> bool:
    """Have arrays of a megabyte or more given back when they are freed; whether this system can."""
    try:
        return bool(ctypes.CDLL("libc.so.6").mallopt(_M_MMAP_THRESHOLD, LARGE))
    except (OSError, AttributeError):
        return False
