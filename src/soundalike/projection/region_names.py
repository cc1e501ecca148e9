"""Names for the regions of a map: the words that set their tracks apart from the rest of the library.

A map is divided into regions by bisecting k-means (Steinbach, Karypis & Kumar 2000, "A comparison of
document clustering techniques"): the widest region is divided in two until there are enough. Regions of
a finer level therefore lie within those of a coarser one. For each region and word, the difference
between the region's mean score and the library's is divided by its standard error

    s sqrt(n + r (sum of n_a^2 - n)) / n,

where s is the word's standard deviation in the library, n the region's number of tracks, n_a that of its
artist a, and r the intraclass correlation of artists (Kish 1965, "Survey sampling"): ten tracks by one
artist are less evidence than ten by ten. A word names a region if its effect is large enough, if enough
of the tracks clearly have it, and if it is stronger than chance: stronger than the best word of 99 % of
random groups of about the same size, in which artists are kept whole.

NumPy alone does the work, since the map's page loads neither SciPy nor scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from soundalike.index.index import Index
from soundalike.words import vocabulary
from soundalike.words.library import LibraryWords

LEVELS = (6, 15, 40)
"""Number of regions at each level, coarse to fine; fewer in a small library (`divide`)."""
LEAST_TRACKS, LEAST_ARTISTS = 8, 3
"""Smallest region that can get a name."""
LEAST_EFFECT = 0.5
"""Minimum difference between the means, in standard deviations of the library."""
LEAST_CLEAR = 0.25
"""Minimum share of a region's tracks that clearly have the word."""
SAMPLE = 6_000
"""Number of tracks that are compared; larger libraries are sampled."""
GROUPS, CONFIDENCE = 500, 0.99
"""Number of random groups of each size, and the share of them that a name has to exceed."""
SEED = 0
_STEPS = 20
"""Maximum number of iterations of k-means."""
_RATIO = 2**0.5
"""Ratio of consecutive sizes of random groups."""


@dataclass(frozen=True)
class Region:
    """A named region of a map.

    Attributes
    ----------
    name : the word that sets its tracks apart
    level : position in `LEVELS`
    at : median position of its tracks
    strength : of the word, in standard errors
    tracks : number of tracks (of the sample, in a large library)
    """

    name: str
    level: int
    at: tuple[float, ...]
    strength: float
    tracks: int


@dataclass(frozen=True, eq=False)
class TrackWords:
    """How strongly words apply to a library's tracks, or to a sample of them.

    Attributes
    ----------
    rows : rows of the tracks in the index [shape=(n,)]
    words : the words
    scores : score of each word for each track [shape=(n, words)]
    clear : whether a track clearly has a word [shape=(n, words)]
    artists : number of each track's artist [shape=(n,), range 0 to n - 1]
    """

    rows: NDArray[np.intp]
    words: tuple[str, ...]
    scores: NDArray[np.float32]
    clear: NDArray[np.bool_]
    artists: NDArray[np.intp]

    @cached_property
    def deviations(self) -> NDArray[np.float32]:
        """Scores less their mean, divided by their standard deviation [shape=(n, words)]."""
        centred = self.scores - self.scores.mean(axis=0, dtype=np.float64)
        return np.asarray(centred / np.maximum(centred.std(axis=0), 1e-9), np.float32)

    @cached_property
    def correlations(self) -> NDArray[np.float64]:
        """Intraclass correlation of artists for each word [shape=(words,), range 0 to 1]."""
        sums = _sums(self.artists, self.deviations)
        pairs = np.square(np.bincount(self.artists)).sum() - len(self.artists)
        excess = np.square(sums, dtype=np.float64).sum(axis=0) - len(self.artists)
        return np.asarray(np.clip(excess / max(pairs, 1), 0.0, 1.0))

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """Sizes of random groups."""
        count = np.log(max(len(self.artists) / 2 / LEAST_TRACKS, 1)) / np.log(_RATIO)
        return np.asarray(np.round(LEAST_TRACKS * _RATIO ** np.arange(int(count) + 1)), np.intp)

    @cached_property
    def limits(self) -> NDArray[np.float64]:
        """Strength that random groups of each size rarely exceed [shape=(sizes,)]."""
        limits = np.quantile(self.best_of_random(GROUPS, SEED), CONFIDENCE, axis=0)
        # A small group may have too few artists for a name. The next larger size stands in for it.
        return np.asarray(np.maximum.accumulate(limits[::-1])[::-1])

    def best_of_random(self, groups: int, seed: int) -> NDArray[np.float64]:
        """Strength of the best word of random groups of each size [shape=(groups, sizes)].

        A group takes artists in random order, each with all tracks, until it is full.
        """
        rng = np.random.default_rng(seed)
        sizes, count = self.sizes, int(self.artists.max()) + 1
        steps = np.repeat(np.arange(len(sizes)), np.diff(sizes, prepend=0))
        best = np.zeros((groups, len(sizes)))
        for group in range(groups):
            order = np.argsort(rng.permutation(count)[self.artists] + rng.random(len(self.artists)))
            drawn = order[: sizes[-1]]
            means, clear = (
                np.cumsum(_sums(steps, values[drawn]), axis=0) / sizes[:, np.newaxis]
                for values in (self.deviations, self.clear)
            )
            artists = self.artists[drawn]
            counts = np.stack([np.bincount(artists[:size], minlength=count) for size in sizes])
            best[group] = self._strengths(means, clear, counts).max(axis=1)
        return best

    def strengths(self, labels: NDArray[np.intp]) -> NDArray[np.float64]:
        """Strength of each word for groups of tracks, 0 where it is too weak [shape=(groups, words)].

        Parameters
        ----------
        labels : each track's group, numbered from 0 without gaps [shape=(n,)]
        """
        sizes, count = np.bincount(labels), int(self.artists.max()) + 1
        counts = np.bincount(labels * count + self.artists, minlength=len(sizes) * count)
        means, clear = (
            _sums(labels, values) / sizes[:, np.newaxis] for values in (self.deviations, self.clear)
        )
        return self._strengths(means, clear, counts.reshape(len(sizes), count))

    def place(self, size: int) -> int:
        """Position in `sizes` of the size nearest to a group's."""
        return int(np.argmin(np.abs(np.log(self.sizes / max(size, 1)))))

    def _strengths(
        self, means: NDArray[np.float64], clear: NDArray[np.float64], counts: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Strengths from each group's means and its numbers of tracks per artist."""
        sizes = counts.sum(axis=1)[:, np.newaxis]
        pairs = np.square(counts, dtype=np.float64).sum(axis=1)[:, np.newaxis] - sizes
        errors = np.sqrt(sizes + self.correlations * pairs) / sizes
        enough = (sizes >= LEAST_TRACKS) & ((counts > 0).sum(axis=1)[:, np.newaxis] >= LEAST_ARTISTS)
        strong = (means >= LEAST_EFFECT) & (clear >= LEAST_CLEAR) & enough
        return np.where(strong, means / errors, 0.0)


def of(index: Index, words: LibraryWords, seed: int = SEED) -> TrackWords:
    """The words of an index's tracks, without those for sounds that are not music."""
    n = len(index)
    rows = np.arange(n)
    if n > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))
    kept = [place for place, word in enumerate(vocabulary.words()) if word.kind in vocabulary.MUSICAL]
    names = tuple(vocabulary.words()[place].name for place in kept)
    known = [index.artist_keys[row] or int(row) for row in rows]
    numbers: dict[str | int, int] = {}
    return TrackWords(
        rows,
        names,
        words.scores[rows][:, kept],
        words.clear[rows][:, kept],
        np.array([numbers.setdefault(key, len(numbers)) for key in known], np.intp),
    )


def find(positions: NDArray[np.floating], given: TrackWords) -> list[Region]:
    """Name the regions of a map, coarse levels first, and in each level the strongest first.

    A region doesn't repeat the name of one that it lies in.

    Parameters
    ----------
    positions : of the given tracks on the map [shape=(n, d)]
    given : their words
    """
    found: list[Region] = []
    around, above = np.zeros(len(positions), np.intp), [("",)]
    for level, labels in enumerate(divide(positions)):
        named, names = [], []
        for label, words in enumerate(passing(labels, given)):
            rows = np.flatnonzero(labels == label)
            taken = above[around[rows[0]]]
            undivided = len(rows) == np.count_nonzero(around == around[rows[0]])
            name, strength = next((pair for pair in words if pair[0] not in taken), ("", 0.0))
            names.append((*taken, name))
            if name and not undivided:
                at = tuple(float(value) for value in np.median(positions[rows], axis=0))
                named.append(Region(name, level, at, strength, len(rows)))
        around, above = labels, names
        found += sorted(named, key=lambda region: -region.strength)
    return found


def passing(labels: NDArray[np.intp], given: TrackWords) -> list[list[tuple[str, float]]]:
    """The words that may name each group of tracks, with their strengths, strongest first.

    Parameters
    ----------
    labels : each track's group, numbered from 0 without gaps [shape=(n,)]
    given : the tracks' words
    """
    named = []
    for size, strengths in zip(np.bincount(labels), given.strengths(labels), strict=True):
        order = np.argsort(-strengths, kind="stable")
        limit = given.limits[given.place(size)]
        named.append([(given.words[w], float(strengths[w])) for w in order if strengths[w] > limit])
    return named


def divide(positions: NDArray[np.floating]) -> list[NDArray[np.intp]]:
    """Divide a map into regions: each track's region at each level [shape=(n,)].

    The last level of a small library has fewer regions, and finer levels are left out.
    """
    points = np.asarray(positions, np.float64)
    labels = np.zeros(len(points), np.intp)
    spreads = [_spread(points)]
    levels = []
    while len(spreads) < LEVELS[-1] and max(spreads) > 0:
        widest = int(np.argmax(spreads))
        rows = np.flatnonzero(labels == widest)
        side = _halves(points[rows])
        if min(side.sum(), (~side).sum()) < LEAST_TRACKS:
            spreads[widest] = 0.0  # can't be divided
            continue
        labels[rows[side]] = len(spreads)
        spreads[widest] = _spread(points[rows[~side]])
        spreads.append(_spread(points[rows[side]]))
        if len(spreads) in LEVELS:
            levels.append(labels.copy())
    if len(spreads) not in (1, *LEVELS):
        levels.append(labels)
    return levels


def _halves(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Divide points in two by k-means, from a cut across their longest axis."""
    centred = points - points.mean(axis=0)
    side = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1] > 0
    for _ in range(_STEPS):
        if side.all() or not side.any():
            break
        low, high = (points[chosen].mean(axis=0) for chosen in (~side, side))
        nearer = np.square(points - high).sum(axis=1) < np.square(points - low).sum(axis=1)
        if (nearer == side).all():
            break
        side = nearer
    return np.asarray(side)


def _spread(points: NDArray[np.float64]) -> float:
    """Sum of squared distances to the mean; 0 for points that are too few to be divided."""
    if len(points) < 2 * LEAST_TRACKS:
        return 0.0
    return float(np.square(points - points.mean(axis=0)).sum())


def _sums(labels: NDArray[np.intp], values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Sums of rows with the same label [shape=(labels, d)]."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(int(labels.max()) + 1))
    return np.add.reduceat(values[order], starts, axis=0, dtype=np.float64)
