"""Statistics of each dimension of an embedding over a library.

Everything is computed from the index's matrices; no network runs. Conventions:

enrichment
    a genre's mean activation minus the library's, in standard deviations over the library's tracks
    (Cohen's d against the library);
uncertainty
    the standard error of that enrichment. Tracks by one artist aren't independent, so it is clustered by
    artist (Liang and Zeger, 1986): it depends on how much whole artists differ from their genre's mean;
correlation
    Pearson's, over the library's tracks; 0 if either side is constant.

`Summary` defines which dimensions are called dead, sparse or genre-like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import receptive_fields
from soundalike.representations import vgg_mel

if TYPE_CHECKING:
    import pandas as pd

SPARSE = 0.95
"""A dimension is sparse if it is zero for at least this share of the tracks, but not for all."""
GENRE_SDS, GENRE_ERRORS = 0.5, 4.0
"""Minimum enrichment of a genre-like dimension, in standard deviations and in standard errors."""
MIN_TRACKS, MIN_ARTISTS = 10, 8
"""Minimum number of tracks for a genre to characterise a dimension."""
_BLOCK = 1_024
_BLOCK_VALUES = 4_000_000
_ROWS = 64

Matrix = NDArray[np.float16] | NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Groups:
    """A library's tracks by genre and artist, ready for clustered statistics; `group` makes one.

    Attributes
    ----------
    genres : genres in alphabetical order
    sizes : number of tracks per genre
    artists : number of artists per genre
    n_artists : number of artists in the library
    """

    genres: tuple[str, ...]
    sizes: NDArray[np.intp]
    artists: NDArray[np.intp]
    n_artists: int
    _order: NDArray[np.intp]
    _cluster_starts: NDArray[np.intp]
    _cluster_sizes: NDArray[np.intp]
    _genre_starts: NDArray[np.intp]

    @property
    def trusted(self) -> NDArray[np.bool_]:
        """Genres with enough tracks and artists to characterise a dimension."""
        return np.asarray((self.sizes >= MIN_TRACKS) & (self.artists >= MIN_ARTISTS))

    def means(self, values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean of each genre and its standard error, clustered by artist.

        Parameters
        ----------
        values : [shape=(n, dim)]

        Returns
        -------
        means, errors : [shape=(genres, dim)]; the error of a genre with one artist is infinite
        """
        sums = np.add.reduceat(values[self._order], self._cluster_starts, axis=0, dtype=np.float64)
        sizes = self.sizes[:, np.newaxis]
        means = np.add.reduceat(sums, self._genre_starts, axis=0) / sizes
        expected = np.repeat(means, self.artists, axis=0) * self._cluster_sizes[:, np.newaxis]
        squares = np.add.reduceat(np.square(sums - expected), self._genre_starts, axis=0)
        artists = self.artists[:, np.newaxis].astype(np.float64)
        small = np.divide(artists, artists - 1, out=np.full_like(artists, np.inf), where=artists > 1)
        with np.errstate(invalid="ignore"):
            errors = np.sqrt(squares * small) / sizes
        return means, np.where(artists > 1, errors, np.inf)


def group(genres: Sequence[str], artists: Sequence[str]) -> Groups:
    """Group tracks by genre and artist; tracks without a genre count for the library only."""
    names, genre = _numbered(genres)
    artist = _numbered(artists)[1]
    order = np.lexsort((artist, genre))
    if "" in names:
        order = order[genre[order] != names.index("")]
    sorted_genres, sorted_artists = genre[order], artist[order]
    new_genre = np.r_[True, sorted_genres[1:] != sorted_genres[:-1]][: len(order)]
    new_cluster = new_genre | np.r_[True, sorted_artists[1:] != sorted_artists[:-1]][: len(order)]
    starts = np.flatnonzero(new_cluster)
    genre_starts = np.flatnonzero(new_genre)
    by_cluster = np.searchsorted(starts, genre_starts)
    return Groups(
        genres=tuple(names[number] for number in sorted_genres[genre_starts]),
        sizes=np.diff(np.r_[genre_starts, len(order)]),
        artists=np.diff(np.r_[by_cluster, len(starts)]),
        n_artists=len(set(artists)),
        _order=order,
        _cluster_starts=starts,
        _cluster_sizes=np.diff(np.r_[starts, len(order)]),
        _genre_starts=by_cluster,
    )


def _numbered(texts: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """The different texts in order, and the place of each text among them."""
    names = sorted(set(texts))
    places = {name: place for place, name in enumerate(names)}
    return names, np.fromiter((places[text] for text in texts), np.intp, len(texts))


@dataclass(frozen=True, eq=False)
class Summary:
    """Statistics of every dimension of a matrix; `summarise` makes one.

    Attributes
    ----------
    mean, deviation, largest : statistics of the activation over the tracks [shape=(dim,)]
    zeros : share of the tracks at exactly 0 [shape=(dim,)]
    enrichment, error : enrichment and its error per genre, in standard deviations [shape=(genres, dim)]
    groups : the genres
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    largest: NDArray[np.float32]
    zeros: NDArray[np.float32]
    enrichment: NDArray[np.float32]
    error: NDArray[np.float32]
    groups: Groups

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Dimensions with the same value for every track of the library."""
        return np.asarray(self.deviation == 0)

    @property
    def sparse(self) -> NDArray[np.bool_]:
        """Dimensions that are zero for at least 95 % of the tracks, but not dead."""
        return (self.zeros >= SPARSE) & ~self.dead

    def awake(self) -> list[int]:
        """The dimensions that are not dead."""
        return [int(dimension) for dimension in np.flatnonzero(~self.dead)]

    @property
    def convincing(self) -> NDArray[np.bool_]:
        """Which genres stand out in which dimensions [shape=(genres, dim)].

        The genre has at least 10 tracks by 8 artists, its enrichment is at least half a standard
        deviation and at least 4 standard errors, and the dimension is neither dead nor sparse.
        """
        far = (self.enrichment >= GENRE_SDS) & (self.enrichment >= GENRE_ERRORS * self.error)
        return np.asarray(far & self.groups.trusted[:, np.newaxis] & ~(self.dead | self.sparse))

    @cached_property
    def genre_of(self) -> NDArray[np.intp]:
        """The genre that stands out most in each dimension; -1 if none does."""
        passed = self.convincing
        if not len(passed):
            return np.full(len(self.mean), -1, np.intp)
        best = np.argmax(np.where(passed, self.enrichment, -np.inf), axis=0)
        return np.where(passed.any(axis=0), best, -1)

    @property
    def genre_like(self) -> NDArray[np.bool_]:
        """Dimensions in which a genre stands out, by the rule of `convincing`."""
        return self.genre_of >= 0


def outstanding_genres(summary: Summary, dimension: int = 0) -> list[tuple[str, float, float]]:
    """The genres that stand out in a dimension: name, enrichment and standard error, strongest first."""
    found = [
        (
            summary.groups.genres[i],
            float(summary.enrichment[i, dimension]),
            float(summary.error[i, dimension]),
        )
        for i in np.flatnonzero(summary.convincing[:, dimension])
    ]
    return sorted(found, key=lambda genre: -genre[1])


def summarise(matrix: Matrix, groups: Groups) -> Summary:
    """Compute statistics of every dimension, in blocks of dimensions to bound memory.

    Statistics of a block need about ten times its size.

    Parameters
    ----------
    matrix : [shape=(n, dim)]
    groups : the tracks' genres and artists
    """
    width = max(min(_BLOCK, _BLOCK_VALUES // len(matrix)), 1)
    blocks = [
        _summarise_block(matrix[:, start : start + width].astype(np.float32, copy=False), groups)
        for start in range(0, matrix.shape[1], width)
    ]
    joined = [np.concatenate(parts, axis=-1) for parts in zip(*blocks, strict=True)]
    mean, deviation, largest, zeros, enrichment, error = joined
    return Summary(mean, deviation, largest, zeros, enrichment, error, groups)


def summarise_one(
    values: NDArray[np.float32], groups: Groups
) -> tuple[Summary, NDArray[np.float64], NDArray[np.float64]]:
    """As `summarise`, for one dimension [shape=(n,)].

    Returns
    -------
    its statistics, and `Groups.means` of it [shape=(genres,) each]
    """
    column = values[:, np.newaxis]
    means, errors = groups.means(column)
    mean, spread, largest, zeros, enrichment, error = _statistics(column, means, errors)
    summary = Summary(mean, spread, largest, zeros, enrichment, error, groups)
    return summary, means[:, 0], errors[:, 0]


def joined(parts: Sequence[Summary]) -> Summary:
    """Statistics of matrices of the same tracks, side by side."""
    names = ("mean", "deviation", "largest", "zeros", "enrichment", "error")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names}
    return Summary(groups=parts[0].groups, **arrays)


def _summarise_block(values: NDArray[np.float32], groups: Groups) -> tuple[NDArray[np.float32], ...]:
    return _statistics(values, *groups.means(values))


def _statistics(
    values: NDArray[np.float32], means: NDArray[np.float64], errors: NDArray[np.float64]
) -> tuple[NDArray[np.float32], ...]:
    """The arrays of a `Summary`, from the genres' means and their errors."""
    mean = values.mean(axis=0, dtype=np.float64)
    largest = values.max(axis=0)
    spread = deviation(values)
    constant = spread == 0
    scale = np.where(constant, 1.0, spread)
    zeros = np.mean(values == 0, axis=0)
    enrichment = np.where(constant, 0.0, means - mean) / scale
    return tuple(
        np.asarray(array, np.float32)
        for array in (mean, spread, largest, zeros, enrichment, errors / scale)
    )


def deviation(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Standard deviation of each dimension over tracks [shape=(dim,)]; 0 if it is constant."""
    constant = values.max(axis=0) == values.min(axis=0)
    return np.where(constant, 0.0, values.std(axis=0, dtype=np.float64))


def correlations(
    matrix: Matrix, values: NDArray[np.floating], deviation: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Correlate given values with every dimension, over tracks.

    Parameters
    ----------
    matrix : [shape=(n, dim)]
    values : one series [shape=(n,)], or several [shape=(n, k)]
    deviation : standard deviation of each dimension [shape=(dim,)]

    Returns
    -------
    float32 [shape=(dim,)] or [shape=(k, dim)], -1 to 1; 0 if either side is constant
    """
    centred = values - values.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(np.square(centred).sum(axis=0))
    unit = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-12)
    rows = unit.T.astype(np.float32)
    products = np.zeros((*rows.shape[:-1], matrix.shape[1]), np.float32)
    for start in range(0, len(matrix), _ROWS):
        products += rows[..., start : start + _ROWS] @ matrix[start : start + _ROWS].astype(
            np.float32, copy=False
        )
    scale = deviation * np.sqrt(len(matrix))
    scaled = np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    clipped: NDArray[np.float32] = np.clip(scaled, -1.0, 1.0)
    return clipped


def scores(vector: NDArray[np.floating], summary: Summary) -> NDArray[np.float32]:
    """A track's activations in standard deviations above the library's mean; 0 for dead dimensions."""
    alive = summary.deviation > 0
    above = np.asarray(vector, np.float32) - summary.mean
    scored: NDArray[np.float32] = np.divide(
        above, summary.deviation, out=np.zeros_like(above), where=alive
    )
    return scored


def strongest(vector: NDArray[np.floating], summary: Summary, count: int) -> list[tuple[int, float]]:
    """The dimensions that a track activates most relative to the library, with their scores.

    Sparse dimensions are left out: nearly every clip is the only one to activate some of them.
    """
    scored = np.where(summary.sparse | summary.dead, -np.inf, scores(vector, summary))
    order = np.argsort(-scored, kind="stable")[:count]
    return [(int(d), float(scored[d])) for d in order if scored[d] > 0]


def gather(matrix: Matrix) -> NDArray[np.float32]:
    """The channels of `vgg_mel`: each track's mean over a channel's 50 cells [shape=(n, 512)]."""
    gathered = np.empty((len(matrix), receptive_fields.CHANNELS), np.float32)
    for start in range(0, len(matrix), _ROWS):
        block = matrix[start : start + _ROWS].astype(np.float32)
        gathered[start : start + _ROWS] = block.reshape(len(block), -1, receptive_fields.CHANNELS).mean(
            axis=1
        )
    return gathered


def by_cell(values: NDArray[np.float32], channel: int) -> NDArray[np.float32]:
    """Values per dimension at one channel's cells [shape=(5, 10)]."""
    return values.reshape(*vgg_mel.GRID, receptive_fields.CHANNELS)[:, :, channel]


KINDS = {
    "all": "All",
    "genre": "Genre-like",
    "sparse": "Sparse",
    "dead": "Silent",
}
"""Filters of an overview, with their names for users."""
ORDERS = {
    "number": "Number",
    "enrichment": "Enrichment",
    "mean": "Mean activation",
    "zeros": "Share of zeros",
}
"""Sort orders of an overview."""


def overview(
    summary: Summary,
    name: str,
    kind: str = "all",
    genre: str | None = None,
    order: str = "number",
    labels: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row per dimension: its position, its activation and the genre that stands out most.

    Parameters
    ----------
    summary : statistics of the whole matrix
    name : a set of dimensions, or "channels" for the channels of `vgg_mel` gathered over cells
    kind : one of `KINDS`
    genre : keep only dimensions in which this genre stands out most
    order : one of `ORDERS`; enrichment and mean are descending, the others ascending
    labels : a label for each dimension, or None for a table without labels
    """
    import pandas as pd

    genre_of = summary.genre_of
    best = np.max(
        np.where(summary.groups.trusted[:, np.newaxis], summary.enrichment, -np.inf),
        axis=0,
        initial=-np.inf,
    )
    chosen = {
        "all": np.ones(len(summary.mean), bool),
        "genre": genre_of >= 0,
        "sparse": summary.sparse,
        "dead": summary.dead,
    }[kind]
    if genre is not None:
        chosen = chosen & (genre_of == summary.groups.genres.index(genre))
    keys = {
        "number": np.arange(len(summary.mean)),
        "enrichment": -best,
        "mean": -summary.mean,
        "zeros": summary.zeros,
    }
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(keys[order][rows], kind="stable")]
    names = np.array([*summary.groups.genres, ""])
    return pd.DataFrame(
        {
            **_places(rows, name),
            **({} if labels is None else {"name": np.array(labels, object)[rows]}),
            "mean": summary.mean[rows],
            "zeros": summary.zeros[rows],
            "genre": names[genre_of[rows]],
            "enrichment": np.where(np.isfinite(best[rows]), best[rows], np.nan),
        }
    )


def _places(rows: NDArray[np.intp], name: str) -> dict[str, NDArray[np.intp]]:
    if name == "channels":
        return {"channel": rows}
    if name != "vgg_mel":
        return {"dimension": rows}
    place, channel = np.divmod(rows, receptive_fields.CHANNELS)
    band, time = np.divmod(place, receptive_fields.TIMES)
    return {"dimension": rows, "band": band, "time": time, "channel": channel}
