"""Thread counts of the numeric libraries.

Linear algebra and networks may sum in a different order with more threads, which changes the last
digits of a result. Vectors would then depend on the number of processors, and on whether a worker or
the main process computed them. Features and indexes are therefore always computed with one thread.
Networks that a visitor waits for use all processors.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

_lock = threading.Lock()
_users = 0
_limit: Any = None
_OF_THREAD = "openmp"
_networks: ContextVar[int] = ContextVar("threads of networks", default=0)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Limit linear algebra, and networks run in this context, to one thread."""
    token = _networks.set(1)
    try:
        with single_threaded_blas():
            yield
    finally:
        _networks.reset(token)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Limit linear algebra to one thread in the whole process.

    Reentrant and safe to enter from several threads: the last exit restores the limits.
    """
    global _users, _limit
    shared, of_thread = _libraries()
    with _lock:
        if not _users:
            with claim_control():
                _limit = shared.limit(limits=1)
        _users += 1
    own = of_thread.limit(limits=1)
    try:
        yield
    finally:
        own.restore_original_limits()
        with _lock:
            _users -= 1
            if not _users:
                with claim_control():
                    _limit.restore_original_limits()


def of_networks() -> int:
    """Number of threads for networks run in this context; 0 for all processors."""
    return _networks.get()


@contextmanager
def claim_control() -> Iterator[None]:
    """Let the calling thread set limits, and any thread afterwards.

    threadpoolctl silently ignores limits set while another thread has control.
    """
    from threadpoolctl import OpenBLASController

    OpenBLASController.clear_controlling_thread(force=True)
    try:
        yield
    finally:
        OpenBLASController.clear_controlling_thread(force=True)


def _libraries() -> tuple[Any, Any]:
    # SciPy ships its own BLAS. Import it now, or it is loaded later without a limit.
    import scipy.linalg  # noqa: F401

    return _loaded_libraries(len(sys.modules))


@lru_cache(maxsize=1)
def _loaded_libraries(modules: int) -> tuple[Any, Any]:
    """The linear algebra libraries loaded so far, cached by the number of imported modules.

    First those whose limit holds in the whole process, then those on OpenMP, as FAISS ships one, whose
    limit holds in the thread that sets it. The look-up takes milliseconds, and a package imported later
    may load another library.
    """
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(user_api="blas")
    layers = {library.threading_layer for library in found.lib_controllers}
    shared = found.select(threading_layer=sorted(layers - {_OF_THREAD}))
    return shared, found.select(threading_layer=_OF_THREAD)
