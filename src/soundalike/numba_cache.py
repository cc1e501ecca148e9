"""Where numba keeps the code it compiles for librosa and UMAP, and a lock around compiling.

numba writes its cache beside those packages or into the user's cache folder. Where it can write to
neither, as for a service's user, importing librosa fails. It then gets a folder among the temporary
files that nobody else may write to, because code in it is run.

Two processes that compile at the same time may overwrite each other's entries in the cache, and
every process that loads them later crashes. librosa compiles on its first import, which therefore
happens under a lock that all processes share.

    python -m soundalike.numba_cache       # compiles beforehand, as `make demo` does
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
    """Choose a folder that numba can write to; call it before anything imports numba."""
    if os.name != "posix" or VARIABLE in os.environ:
        return
    if _writable(Path(sysconfig.get_path("purelib"))):
        return
    if _writable(Path(os.path.expanduser("~"))):  # noqa: PTH111 - without a home this does not raise
        return
    try:
        folder = Path(tempfile.gettempdir()) / f"soundalike-numba-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
    except OSError:
        return
    if facts.st_uid == os.getuid() and not facts.st_mode & 0o022 and not folder.is_symlink():
        os.environ[VARIABLE] = str(folder)


@lru_cache(maxsize=1)
def ready() -> None:
    """Import the parts of librosa that numba compiles, one process at a time.

    It costs next to nothing when called again.
    """
    choose_folder()
    with _alone():
        import librosa.beat
        import librosa.feature
        import librosa.onset
        import librosa.util.utils  # noqa: F401


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock that this user's other processes wait for, where the system has such locks."""
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
