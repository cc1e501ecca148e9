"""The exceptions that mutagen raises for malformed files, besides its own."""

from __future__ import annotations

import struct

DAMAGED = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(AssertionError, MemoryError, RecursionError, struct.error),
)
