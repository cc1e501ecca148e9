"""Where numba keeps what it compiles for librosa and UMAP.

It wants to write beside their files, or in the user's cache, and where neither can be written, as for a
service's user, importing librosa fails. Then it gets a folder among the temporary files, which nobody
else may write, since what lies there is run.
"""

from __future__ import annotations

import os
import sysconfig
import tempfile
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


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)
