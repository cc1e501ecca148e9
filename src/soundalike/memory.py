"""How much memory there is, and what is left out where it is little.

A container's limit is its control group's (Linux, versions 1 and 2); without one it is the machine's
memory. VGG16 takes about 250 MB in use, which a host of 1 GB does not have beside the rest: there a clip
is heard by the tagger alone, which the default comparison needs, and neither genres are predicted nor
other comparisons offered for it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

VARIABLE = "SOUNDALIKE_LIGHT"
"""Set to 1 or 0 it decides, whatever memory there is."""
SMALL = 1_600_000_000
"""Bytes; with less than this VGG16 is left out."""
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def limit() -> int | None:
    """Bytes that this process may use at most; None where the system does not tell."""
    limits = [found for path in _CGROUPS if (found := _number(path)) is not None]
    with suppress(AttributeError, OSError, ValueError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(limits, default=None)


def is_small() -> bool:
    """Whether the app should do with what a host of 1 GB has."""
    if (wanted := os.environ.get(VARIABLE)) in ("0", "1"):
        return wanted == "1"
    most = limit()
    return most is not None and most < SMALL


def _number(path: Path) -> int | None:
    """A control group's limit; None for "max", or where there is none."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
