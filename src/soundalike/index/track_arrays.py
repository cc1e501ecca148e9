"""Optional arrays of an index, besides the embeddings: measurements, fingerprints, thumbnails.

Each function returns None if the index lacks the array. It raises `IndexFolderError` if the array
belongs to another library or version, or is damaged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike import representations
from soundalike.errors import IndexFolderError
from soundalike.features import fingerprint, track_descriptors
from soundalike.features.thumbnail import Thumbnail
from soundalike.index.index import Index
from soundalike.models import stretches

FINGERPRINTS = "fingerprints"
DESCRIPTORS = "descriptors"
KEYS = "keys"
DUPLICATES = "duplicates"
THUMBNAILS, THUMBNAIL_PLACES = "pictures", "picture_places"
"""All WebP files concatenated (uint8), and for each track the end of its file and the start of the
picture within its audio, in seconds (float64 [shape=(n, 2)])."""


def fingerprints(index: Index) -> NDArray[np.uint32] | None:
    """Audio fingerprints [shape=(n, 315)]."""
    return index.optional(FINGERPRINTS, (len(index), fingerprint.N_FRAMES), np.uint32)


def descriptors(index: Index) -> NDArray[np.float32] | None:
    """Descriptors of each track and of its cells [shape=(n, 108)]."""
    return index.optional(DESCRIPTORS, (len(index), track_descriptors.SIZE), np.float32)


def keys(index: Index) -> NDArray[np.int8] | None:
    """Tonic and mode of each track [shape=(n, 2)]."""
    return index.optional(KEYS, (len(index), 2), np.int8)


def duplicate_pairs(index: Index) -> NDArray[np.int32] | None:
    """Pairs of rows of the same recording, each pair once [shape=(pairs, 2)]."""
    return index.optional(DUPLICATES, (-1, 2), np.int32)


def moments(index: Index, name: str) -> NDArray[np.float16] | None:
    """A representation's embeddings of each track's ten 3 s stretches [shape=(n, 10, dim)]."""
    shape = (len(index), stretches.COUNT, representations.get(name).dim)
    return index.optional(f"{name}{stretches.MOMENTS}", shape, np.float16)


def thumbnail(index: Index, row: int) -> Thumbnail | None:
    """A track's mel spectrogram as a picture."""
    if not (index.folder / f"{THUMBNAILS}.npy").is_file():
        return None
    content, places = index.array(THUMBNAILS), index.array(THUMBNAIL_PLACES)
    if places.shape != (len(index), 2) or content.shape != (int(places[-1, 0]),):
        raise IndexFolderError(
            f"The index file {index.folder / THUMBNAILS}.npy is damaged. Rebuild the index with "
            "`soundalike index`."
        )
    start = int(places[row - 1, 0]) if row else 0
    return Thumbnail(content[start : int(places[row, 0])].tobytes(), float(places[row, 1]))
