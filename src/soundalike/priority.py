"""What may wait, so that what somebody waits for need not: niceness, which on Linux each thread has."""

from __future__ import annotations

import os
import sys
import threading

NICENESS = 10
"""A tenth of the share of a thread that does not give way, where both want a processor."""


def give_way() -> None:
    """Let the calling thread, and those it starts, have what others leave of the processors, for good.

    A thread that computes in Python should not: while it waits for a processor it may hold the
    interpreter's lock, which all others need. Elsewhere than on Linux nothing is done.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
