"""Threads of the numeric libraries: one, wherever a result is kept or compared to the last digit.

Linear algebra adds up in another order with two threads than with one, and so may a network. The last
digits of a vector would depend on how many processors there are, and on whether a worker took it or
the process that was started. What is taken of a file is therefore taken with one thread everywhere,
and so is what an index works out of it. Networks that a visitor waits for have all processors.
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
_networks: ContextVar[int] = ContextVar("threads of networks", default=0)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Linear algebra keeps to one thread meanwhile, and so do networks that are run from here."""
    token = _networks.set(1)
    try:
        with single_threaded_blas():
            yield
    finally:
        _networks.reset(token)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Linear algebra keeps to one thread meanwhile, in the whole process.

    May be entered from several threads and within itself: the last one out gives the threads back.
    """
    global _users, _limit
    libraries = _libraries()
    with _lock:
        if not _users:
            with _in_control():
                _limit = libraries.limit(limits=1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                with _in_control():
                    _limit.restore_original_limits()


def of_networks() -> int:
    """How many threads a network has that is run from here; 0 for all processors."""
    return _networks.get()


@contextmanager
def _in_control() -> Iterator[None]:
    """The calling thread may set limits meanwhile, and any thread afterwards.

    What a thread sets while another is in control is passed over by threadpoolctl, without a word.
    """
    from threadpoolctl import OpenBLASController

    OpenBLASController.clear_controlling_thread(force=True)
    try:
        yield
    finally:
        OpenBLASController.clear_controlling_thread(force=True)


def _libraries() -> Any:
    # SciPy brings one of its own, which would otherwise be loaded later and not be limited.
    import scipy.linalg  # noqa: F401

    return _loaded_libraries(len(sys.modules))


@lru_cache(maxsize=1)
def _loaded_libraries(modules: int) -> Any:
    """The linear algebra libraries loaded now; looked up again once more modules are imported.

    Looking them up takes milliseconds, and a package that is imported later may bring another one.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
