"""Import TensorFlow without its log messages, where it is installed."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from soundalike.errors import MissingPackageError


def check_tensorflow() -> None:
    """Check that TensorFlow is installed, without importing it.

    Raises
    ------
    MissingPackageError
        If it isn't.
    """
    if sys.modules.get("tensorflow") is None and find_spec("tensorflow") is None:
        raise MissingPackageError("This needs TensorFlow; please run `pip install 'soundalike[train]'`.")


def import_tensorflow() -> None:
    """Import TensorFlow without its log messages.

    The highest log level silences training. No log level silences the import, so standard error is
    redirected meanwhile.

    Raises
    ------
    MissingPackageError
        If TensorFlow is not installed.
    """
    check_tensorflow()
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(devnull)
