"""TensorFlow's import, without the lines it prints."""

from __future__ import annotations

import os
import sys


def import_tensorflow() -> None:
    """Import TensorFlow without the lines it prints.

    Those of the import are turned off by none of its log levels, those of training by the highest.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
