"""The order of a playlist's tracks: by similarity, as a smooth walk, along a quantity, or shuffled.

- "similarity": most like the seeds first (or least, where those are asked for);
- "walk": each track followed by one that sounds like it. The shortest path through all tracks in the
  embedding, from the one most like the seeds on: nearest neighbour first, then improved by reversing
  stretches as long as that helps (2-opt; Croes, 1958);
- "tempo", "loudness", "brightness", or "NAME:DIMENSION" for one number of an embedding: rising along
  it, and falling with a "-" before it;
- "shuffled": by chance, the same for the same seed.

An order along similarity or a quantity is kept exactly. In the others two tracks by one artist do not
touch wherever that can be avoided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import PlaylistError
from soundalike.features import track_descriptors
from soundalike.index.index import Index

SIMILARITY, WALK, SHUFFLED = "similarity", "walk", "shuffled"
QUANTITIES = {
    "tempo": "tempo (BPM)",
    "loudness": "loudness (dBFS)",
    "brightness": "spectral centroid (Hz)",
}
"""What an order may rise or fall along, and the descriptor that it is."""
ORDERS = (SIMILARITY, WALK, *QUANTITIES, *(f"-{name}" for name in QUANTITIES), SHUFFLED)
"""The orders that have a name; those along an embedding's dimension come on top."""


def is_free(order: str) -> bool:
    """Whether an order may be changed a little, so that two tracks by one artist do not touch."""
    return order in (WALK, SHUFFLED)


def check(index: Index, order: str) -> None:
    """Check that an order can be had.

    Raises
    ------
    PlaylistError
        If there is no such order, or the index lacks what it is along.
    """
    if order not in (SIMILARITY, WALK, SHUFFLED):
        quantity(index, order)


def quantity(index: Index, order: str) -> NDArray[np.float32]:
    """What an order rises along, of every track [shape=(n,)]; negated where it falls.

    Raises
    ------
    PlaylistError
        If there is no such order, or the index lacks what it is along.
    """
    name, sign = order.removeprefix("-"), -1.0 if order.startswith("-") else 1.0
    values = _descriptor(index, name) if name in QUANTITIES else _dimension(index, name)
    return np.asarray(sign * values.astype(np.float32), np.float32)


def walk(distances: NDArray[np.floating], first: int) -> list[int]:
    """A short path through all of some places.

    Parameters
    ----------
    distances : between each two of them [shape=(m, m)]
    first : where it begins

    Returns
    -------
    every number from 0 to m - 1 once
    """
    path = [first]
    left = set(range(len(distances))) - {first}
    while left:
        path.append(min(left, key=lambda place: (distances[path[-1], place], place)))
        left.remove(path[-1])
    return _untangled(path, distances)


def apart(order: Sequence[int], artists: Sequence[str]) -> list[int]:
    """An order changed as little as needed that no two by one artist touch, if that can be.

    Parameters
    ----------
    order : places
    artists : of every place; "" is nobody, and may touch
    """
    left = list(order)
    counts = Counter(artists[place] for place in left if artists[place])
    result: list[int] = []
    while left:
        last = artists[result[-1]] if result else ""
        # Who has more than half of what is left must come now, or will have to touch later.
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


def _untangled(path: list[int], distances: NDArray[np.floating]) -> list[int]:
    """A path whose first place stays, with stretches reversed as long as that shortens it."""
    places = np.array(path)
    better = True
    while better:
        better = False
        for i in range(1, len(places) - 1):
            # What reversing places[i : j + 1] saves, for every j; the end of a path is free.
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
    found = track_descriptors.load(index)
    if found is None:
        raise PlaylistError(
            f"This index has no {name} for its tracks. Add it with `soundalike measure INDEX`."
        )
    names = [descriptor.name for descriptor in track_descriptors.CLIP]
    return found[:, names.index(QUANTITIES[name])]


def _dimension(index: Index, name: str) -> NDArray[np.float32]:
    stored, _, number = name.partition(":")
    dimensions = index.array(stored).shape[1] if stored in index.stored else 0
    if not number.isdecimal() or int(number) >= dimensions:
        raise PlaylistError(
            f"There is no order {name!r}. Choose from {', '.join(ORDERS[:5])}, {SHUFFLED} and "
            "NAME:DIMENSION of a representation in the index. A - before a quantity sorts high to low."
        )
    return index.column(stored, int(number))
