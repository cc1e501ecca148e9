"""Background check of an index's files against the checksums in its manifest.

Loading an index compares only sizes and shapes, which a damaged disk or a failed copy may not change.
Comparing checksums requires reading every byte, so it runs in the background while the index is in use.
"""

from __future__ import annotations

import threading

from soundalike.errors import IndexFolderError
from soundalike.index import storage
from soundalike.index.index import Index

LARGEST = 2**28
"""Maximum size in bytes of an index to check when opened; `soundalike check` has no limit."""


class Check:
    """Check an index's files against their checksums, starting immediately in the background.

    Indexes over `LARGEST` bytes are not checked.

    Parameters
    ----------
    index : the loaded index
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._found: IndexFolderError | None = None
        self._thread: threading.Thread | None = None
        if sum(int(facts["bytes"]) for facts in index.manifest["files"].values()) <= LARGEST:
            self._thread = threading.Thread(target=self._compare, daemon=True)
            self._thread.start()

    def confirm(self) -> None:
        """Raise an error if the check has found one so far.

        Raises
        ------
        IndexFolderError
            If a file is missing or differs.
        """
        if self._found is not None:
            raise self._found

    def wait(self) -> None:
        """Wait until all files are compared."""
        if self._thread is not None:
            self._thread.join()

    def _compare(self) -> None:
        try:
            storage.check_files(self._index.folder, self._index.manifest, checksums=True)
        except IndexFolderError as error:
            self._found = error
        except OSError:
            self._found = storage.damaged(self._index.folder)
