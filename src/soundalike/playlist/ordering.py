"""The order of a playlist's tracks: by similarity, as a smooth walk, along a quantity, or shuffled.

- "similarity": most similar to the seeds first (or least similar first, if those are requested);
- "walk": each track is followed by a similar one. This is a short path through all tracks in the
  embedding, starting from the track most similar to the seeds: nearest neighbour first, then improved by
  reversing segments as long as that helps (2-opt; Croes, 1958);
- "tempo", "loudness", "brightness", "NAME:DIMENSION" for one dimension of an embedding, or "words:WORD"
  for a word's score: ascending, or descending with a "-" before it;
- "shuffled": random, the same for the same seed.

Orders by similarity or a quantity are exact. The other orders avoid consecutive tracks by one artist
wherever possible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import PlaylistError
from soundalike.features import track_descriptors
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.words import library, vocabulary

SIMILARITY, WALK, SHUFFLED = "similarity", "walk", "shuffled"
QUANTITIES = {
    "tempo": "tempo (BPM)",
    "loudness": "loudness (LUFS)",
    "brightness": "spectral centroid (Hz)",
}
"""Quantities to order by, and their descriptors."""
WORDS = "words"
ORDERS = (SIMILARITY, WALK, *QUANTITIES, *(f"-{name}" for name in QUANTITIES), SHUFFLED)
"""The named orders; an embedding's dimensions and the words are valid orders too."""


def is_free(order: str) -> bool:
    """Whether an order may be adjusted to keep two tracks by one artist apart."""
    return order in (WALK, SHUFFLED)


def check(index: Index, order: str) -> None:
    """Check that an order is available.

    Raises
    ------
    PlaylistError
        If there is no such order, or the index lacks its quantity.
    """
    if order not in (SIMILARITY, WALK, SHUFFLED):
        quantity(index, order)


def quantity(index: Index, order: str) -> NDArray[np.float32]:
    """The values that an order sorts by, for every track [shape=(n,)]; negated if it descends.

    Raises
    ------
    PlaylistError
        If there is no such order, or the index lacks its quantity.
    """
    name, sign = order.removeprefix("-"), -1.0 if order.startswith("-") else 1.0
    values = _descriptor(index, name) if name in QUANTITIES else _dimension(index, name)
    return np.asarray(sign * values.astype(np.float32), np.float32)


def walk(distances: NDArray[np.floating], first: int) -> list[int]:
    """Find a short path through all places.

    Parameters
    ----------
    distances : pairwise distances [shape=(m, m)]
    first : the starting place

    Returns
    -------
    every number from 0 to m - 1 once
    """
    path = [first]
    left = set(range(len(distances))) - {first}
    while left:
        path.append(min(left, key=lambda place: (distances[path[-1], place], place)))
        left.remove(path[-1])
    return _two_opt(path, distances)


def apart(order: Sequence[int], artists: Sequence[str]) -> list[int]:
    """Adjust an order as little as possible to keep two tracks by one artist apart, where possible.

    Parameters
    ----------
    order : places in order
    artists : artist of every place; "" is unknown, and may be adjacent
    """
    left = list(order)
    counts = Counter(artists[place] for place in left if artists[place])
    result: list[int] = []
    while left:
        last = artists[result[-1]] if result else ""
        # An artist with more than half of the remaining tracks must come now to stay apart later.
        urgent = next((name for name, n in counts.items() if 2 * n > len(left) and name != last), None)
        fits = [place for place in left if not artists[place] or artists[place] != last]
        chosen = next((place for place in fits if artists[place] == urgent), None)
        if chosen is None or not urgent:
            chosen = fits[0] if fits else left[0]
        result.append(chosen)
        left.remove(chosen)
        if artists[chosen]:
            counts[artists[chosen]] -= 1
    return result


def _two_opt(path: list[int], distances: NDArray[np.floating]) -> list[int]:
    """Shorten a path by reversing segments (2-opt); the first place stays fixed."""
    places = np.array(path)
    better = True
    while better:
        better = False
        for i in range(1, len(places) - 1):
            # Saving from reversing places[i : j + 1], for every j; the path's end is free.
            ends = places[i + 1 :]
            before = distances[places[i - 1], places[i]]
            joined = distances[places[i - 1], ends]
            beyond = np.append(distances[ends[:-1], ends[1:]], 0.0)
            closed = np.append(distances[places[i], ends[1:]], 0.0)
            saved = before + beyond - joined - closed
            j = int(np.argmax(saved))
            if saved[j] > 1e-9:
                places[i : i + 2 + j] = places[i : i + 2 + j][::-1]
                better = True
    return [int(place) for place in places]


def _descriptor(index: Index, name: str) -> NDArray[np.float32]:
    found = track_arrays.descriptors(index)
    if found is None:
        raise PlaylistError(
            f"This index has no {name} for its tracks. Add it with `soundalike measure INDEX`."
        )
    names = [descriptor.name for descriptor in track_descriptors.CLIP]
    return found[:, names.index(QUANTITIES[name])]


def _dimension(index: Index, name: str) -> NDArray[np.float32]:
    stored, _, number = name.partition(":")
    if stored == WORDS and number in vocabulary.positions():
        return _word(index, number)
    dimensions = index.array(stored).shape[1] if stored in index.stored else 0
    if not number.isdecimal() or int(number) >= dimensions:
        raise PlaylistError(
            f"There is no order {name!r}. Choose from {', '.join(ORDERS[:5])}, {SHUFFLED}, "
            f"{WORDS}:WORD, and NAME:DIMENSION of a representation in the index. A - before a quantity "
            "sorts high to low."
        )
    return index.column(stored, int(number))


def _word(index: Index, word: str) -> NDArray[np.float32]:
    words = library.of(index, index.models(ModelStore()))
    if words is None:
        raise PlaylistError(
            f"This index has no words to order by. Add them with `soundalike index --complete`, then "
            f"order by {WORDS}:{word}."
        )
    return np.asarray(words.scores[:, vocabulary.positions()[word]])
