"""Where numba keeps what it compiles for librosa and UMAP, and that one process at a time does so.

It wants to write beside their files, or in the user's cache, and where neither can be written, as for a
service's user, importing librosa fails. Then it gets a folder among the temporary files, which nobody
else may write, since what lies there is run.

What numba has compiled it numbers and lists, and two processes that do so at the same time may write
each other's numbers: from then on every process that loads them calls nothing and dies. librosa compiles
when it is first imported, so that its first import is made under a lock that all processes share.

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


def settle() -> None:
    """See to it that numba has a place to write, before anything imports it."""
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
    """Import what of librosa numba compiles, alone among all processes; at once after the first call."""
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
