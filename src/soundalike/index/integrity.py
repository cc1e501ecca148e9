"""Whether an index's files are still what its manifest says, looked into beside everything else.

A load compares sizes and shapes. A damaged disk, or a copy that went wrong, can leave both as they were;
only checksums tell, and these take reading every byte. So the index is opened at once and its files are
read in the background; who asks meanwhile is not kept waiting.
"""

from __future__ import annotations

import threading

from soundalike.errors import IndexFolderError
from soundalike.index import storage
from soundalike.index.index import Index

LARGEST = 2**28
"""Bytes of an index that are worth reading whole when it is opened; `soundalike check` reads any."""


class Check:
    """The comparison of an index's files with their checksums, begun at once.

    One of more than `LARGEST` bytes is taken as it is.

    Parameters
    ----------
    index : the index, as it was loaded
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._found: IndexFolderError | None = None
        self._thread: threading.Thread | None = None
        if sum(int(facts["bytes"]) for facts in index.manifest["files"].values()) <= LARGEST:
            self._thread = threading.Thread(target=self._compare, daemon=True)
            self._thread.start()

    def confirm(self) -> None:
        """Say what is wrong, if anything has been found so far.

        Raises
        ------
        IndexFolderError
            If a file is missing or is another.
        """
        if self._found is not None:
            raise self._found

    def wait(self) -> None:
        """Until all files are compared."""
        if self._thread is not None:
            self._thread.join()

    def _compare(self) -> None:
        try:
            storage.check_files(self._index.folder, self._index.manifest, checksums=True)
        except IndexFolderError as error:
            self._found = error
        except OSError:
            self._found = storage.damaged(self._index.folder)
