"""A selection: tracks that a user circled on the map, as a playlist and as text for a URL."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from soundalike.index import subset
from soundalike.index.index import Index, nearest
from soundalike.playlist.playlist import Entry, Playlist

MAX_CHARACTERS = 1_500
"""Maximum length of a selection in a URL."""

_BLOCK = 256
_SIGNED = 6


def rank(index: Index, representation: str, rows: Sequence[int], length: int) -> Playlist:
    """Rank the tracks of a selection, most typical first.

    The most typical track has the highest cosine similarity to the mean of the selection's embeddings.

    Parameters
    ----------
    index : the library
    representation : a representation of the index
    rows : rows of the selection; repeats are ignored
    length : maximum number of tracks

    Raises
    ------
    IndexFolderError
        If the index lacks the representation.
    """
    chosen = np.unique(np.asarray(rows, np.intp))
    if not len(chosen):
        return Playlist(representation, (), ())
    means = {part: _mean(index, part, chosen) for part in index.parts(representation)}
    if index.exact(representation):
        similarities = index.similarities(representation, means)[chosen]
    else:
        similarities = subset.of(index, representation, chosen).cosines(representation, means)
        similarities += index.bias(representation)[chosen]
    order = nearest(similarities, length)
    entries = tuple(
        Entry(place, int(chosen[i]), float(similarities[i])) for place, i in enumerate(order, start=1)
    )
    notes = []
    if len(chosen) > length:
        notes.append(f"Showing the {length} most typical of the {len(chosen):,} selected tracks.")
    return Playlist(representation, entries, tuple(notes))


def encode(index: Index, rows: Iterable[int]) -> str | None:
    """Encode a selection as text for a URL; None if it's empty or too long."""
    flags = np.zeros(len(index), np.uint8)
    flags[list(rows)] = 1
    if not flags.any():
        return None
    packed = zlib.compress(np.packbits(flags).tobytes(), 9)
    text = _signature(index) + base64.urlsafe_b64encode(packed).decode().rstrip("=")
    return text if len(text) <= MAX_CHARACTERS else None


def decode(index: Index, text: str) -> list[int]:
    """Decode a selection to rows; empty if the text belongs to another library or is damaged."""
    if not text.startswith(_signature(index)) or len(text) > MAX_CHARACTERS:
        return []
    length = (len(index) + 7) // 8
    try:
        packed = base64.b64decode(text[_SIGNED:] + "===", altchars=b"-_")
        content = zlib.decompressobj().decompress(packed, length + 1)
    except (ValueError, binascii.Error, zlib.error):
        return []
    if len(content) != length:
        return []
    flags = np.unpackbits(np.frombuffer(content, np.uint8))[: len(index)]
    return [int(row) for row in np.flatnonzero(flags)]


def _signature(index: Index) -> str:
    return str(index.manifest["library"]["fingerprint"])[:_SIGNED]


def _mean(index: Index, part: str, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    total = np.zeros(index.array(part).shape[1])
    for start in range(0, len(rows), _BLOCK):
        total += index.vectors(part, rows[start : start + _BLOCK]).sum(axis=0, dtype=np.float64)
    mean: NDArray[np.float32] = (total / len(rows)).astype(np.float32)
    return mean
