"""Folder for the code that numba compiles for librosa and UMAP, and a lock around compiling.

numba writes its cache beside those packages or into the user's cache folder. If neither is writable,
as for a service's user, importing librosa fails. We then use a temporary folder that only this user
may write to, because the code in it is executed.

Two processes that compile at the same time may overwrite each other's cache entries, and every process
that loads them later crashes. librosa compiles on its first import, so that import happens under a
lock shared by all processes.

    python -m soundalike.numba_cache       # compile in advance, as `make demo` does
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


def choose_folder() -> None:
    """Choose a writable folder for numba; call this before anything imports numba."""
    if os.name != "posix" or VARIABLE in os.environ:
        return
    if _writable(Path(sysconfig.get_path("purelib"))):
        return
    if _writable(Path(os.path.expanduser("~"))):  # noqa: PTH111 - without a home this does not raise
        return
    try:
        folder = Path(tempfile.gettempdir()) / f"soundalike-numba-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return
    if status.st_uid == os.getuid() and not status.st_mode & 0o022 and not folder.is_symlink():
        os.environ[VARIABLE] = str(folder)


@lru_cache(maxsize=1)
def ready() -> None:
    """Import the parts of librosa that numba compiles, one process at a time.

    Repeated calls are almost free.
    """
    choose_folder()
    with _compile_lock():
        import librosa.beat
        import librosa.feature
        import librosa.onset
        import librosa.util.utils  # noqa: F401


@contextmanager
def _compile_lock() -> Iterator[None]:
    """Hold a lock shared by this user's processes, on systems with file locks."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    path = Path(tempfile.gettempdir()) / f"soundalike-numba-{os.getuid()}.lock"
    try:
        file = path.open("a")
    except OSError:
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


if __name__ == "__main__":
    ready()
