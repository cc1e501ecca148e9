"""Playlists: selection and order of tracks.

Candidates are ranked by `blend.scores`. Excluded are the seeds and their copies, tracks removed by hand,
tracks that don't meet a filter, and copies of a track that is already in (`duplicates`). The number of
tracks per artist and album can be limited. Pinned tracks are included regardless of the filter and the
limits, and count towards the limits. With variety v above 0, each next track is the one with the largest

    (1 - v) * score - v * (largest similarity to a track already in),

which is maximal marginal relevance (Carbonell and Goldstein, 1998). Then `ordering` sorts the tracks.
The result depends only on the index, the seeds and the recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import PlaylistError
from soundalike.index import track_arrays
from soundalike.index.index import Index, nearest
from soundalike.models import ModelStore
from soundalike.playlist import aspects, blend, harmonic_mixing, ordering
from soundalike.playlist.artist_caps import Members
from soundalike.playlist.blend import Seed
from soundalike.words import filters
from soundalike.words.filters import Filter

MIN_LENGTH, MAX_LENGTH, DEFAULT_LENGTH = 5, 50, 10
PER_ARTIST = 2
"""Default maximum number of tracks per artist."""
HARMONY = 0.5
"""Bonus for a compatible key, in standard deviations of the candidates' scores."""
_CANDIDATES = 250
"""Number of candidates considered for variety; further ones are added by score alone."""
_SORTED = 1_024
"""Number of candidates that are sorted at first."""


@dataclass(frozen=True)
class Entry:
    """One track of a playlist: its row in the index and its similarity to the query (-1 to 1)."""

    rank: int
    row: int
    similarity: float


@dataclass(frozen=True)
class Playlist:
    """A playlist in order, with notes on its selection."""

    representation: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """Settings of a playlist.

    Attributes
    ----------
    representation : representation to compare by
    length : number of tracks, at least 1
    per_artist, per_album : maximum number of tracks of each; None for no limit
    variety : 0 (most similar) to 1 (most different from each other)
    order : one of `ordering.ORDERS`, or a dimension
    harmonic : prefer tracks in keys compatible with the first seed, and steps between compatible keys
    farthest : take the least similar tracks instead
    pinned, removed : rows to include, and rows to exclude
    seed : random seed of a shuffled order
    weights : weights of a joined representation's parts; the index's by default
    dials : how much each of `aspects.ASPECTS` counts, 0 to 2; 1 for those that are missing
    only : what tracks have to meet, except pinned ones
    """

    representation: str
    length: int = DEFAULT_LENGTH
    per_artist: int | None = PER_ARTIST
    per_album: int | None = None
    variety: float = 0.0
    order: str = ordering.SIMILARITY
    harmonic: bool = False
    farthest: bool = False
    pinned: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    seed: int = 0
    weights: Mapping[str, float] | None = None
    dials: Mapping[str, float] = field(default_factory=dict)
    only: Filter = field(default_factory=Filter)

    def __post_init__(self) -> None:
        if self.length < 1 or any(
            cap is not None and cap < 1 for cap in (self.per_artist, self.per_album)
        ):
            raise ValueError("lengths and caps are at least 1")
        if not 0.0 <= self.variety <= 1.0:
            raise ValueError(f"variety lies between 0 and 1, not at {self.variety}")
        if not all(
            name in aspects.ASPECTS and aspects.LEAST <= dial <= aspects.MOST
            for name, dial in self.dials.items()
        ):
            raise ValueError(f"dials are {', '.join(aspects.ASPECTS)}, from 0 to 2")


def make_playlist(index: Index, seeds: Sequence[Seed], recipe: Recipe) -> Playlist:
    """Make a playlist.

    Parameters
    ----------
    index : the library
    seeds : at least one seed
    recipe : settings

    Returns
    -------
    a playlist whose entries have their `blend.scores` as similarity; if there are too few tracks, a note
    says how many each rule left out

    Raises
    ------
    IndexFolderError
        If the index lacks the representation, or only has its neighbours where its vectors are needed.
    PlaylistError
        If the order is unavailable, or more tracks are pinned than `length`.
    """
    ordering.check(index, recipe.order)
    scores = blend.scores(index, seeds, recipe.representation, recipe.weights)
    own = blend.own_recordings(index, seeds)
    likeness = _dialled(index, seeds[0], recipe, scores)
    fitting = _fitting_keys(index, seeds, recipe, scores)
    found = _select(index, recipe, scores, likeness, fitting, own)
    copies = sorted(own - {row for seed in seeds for row in (seed.query.row, seed.query.recording)})
    if not copies:
        return found
    titles = ", ".join(f"“{index.fact('title', row)}”" for row in copies)
    return replace(found, notes=(f"Left out (same recording): {titles}.", *found.notes))


def make_described(index: Index, match: NDArray[np.float32], recipe: Recipe) -> Playlist:
    """Make a playlist of the tracks that match a description best.

    Parameters
    ----------
    index : the library
    match : how well each track matches [shape=(n,)], as in `words.search.Matches`
    recipe : settings; `harmonic` has no effect, since there is no key to start from

    Returns
    -------
    a playlist whose entries have their match as similarity

    Raises
    ------
    PlaylistError
        If the order is unavailable, or more tracks are pinned than `length`.
    """
    recipe = replace(recipe, harmonic=False)
    ordering.check(index, recipe.order)
    return _select(index, recipe, match, match, np.zeros_like(match), set())


def _select(
    index: Index,
    recipe: Recipe,
    scores: NDArray[np.float32],
    likeness: NDArray[np.float32],
    bonus: NDArray[np.float32],
    own: set[int],
) -> Playlist:
    """Fill a playlist within the rules of a recipe.

    Parameters
    ----------
    scores : similarity of each track, for the entries [shape=(n,)]
    likeness : what to rank by, and to order by [shape=(n,)]
    bonus : added to it when tracks are selected [shape=(n,)]
    own : rows that are the query's own recording
    """
    members = Members(
        index,
        recipe.length,
        recipe.per_artist,
        recipe.per_album,
        [row for row in dict.fromkeys(recipe.pinned) if row not in own],
    )
    barred = own | set(recipe.removed) | set(members.rows)
    usable = np.isfinite(scores)
    usable[np.fromiter(barred, np.intp)] = False
    kept, notes = filters.apply(index, index.models(ModelStore()), recipe.only)
    filtered = int((usable & ~kept).sum())
    usable &= kept
    preference = (-likeness if recipe.farthest else likeness) + bonus
    _fill(index, recipe, members, _ranked(preference, usable), preference)
    rows = _in_order(index, recipe, members.rows, likeness)
    entries = tuple(
        Entry(rank, row, float(max(scores[row], -1.0))) for rank, row in enumerate(rows, start=1)
    )
    if not members.full:
        notes.append(_shortage(index, recipe, own, members, filtered))
    return Playlist(recipe.representation, entries, tuple(notes))


def _dialled(
    index: Index, seed: Seed, recipe: Recipe, scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The scores with the dials applied, for the first seed [shape=(n,)]."""
    if all(dial == aspects.NEUTRAL for dial in recipe.dials.values()):
        return scores
    return aspects.preference(scores, aspects.similarities(index, seed.query), recipe.dials)


def _fitting_keys(
    index: Index, seeds: Sequence[Seed], recipe: Recipe, scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Bonus of each track for its key [shape=(n,)]."""
    if not recipe.harmonic:
        return np.zeros(len(index), np.float32)
    fits = harmonic_mixing.fit(harmonic_mixing.of_query(index, seeds[0].query), _keys(index))
    spread = float(scores[np.isfinite(scores)].std())
    return (HARMONY * spread * fits).astype(np.float32)


def _keys(index: Index) -> NDArray[np.int8]:
    keys = track_arrays.keys(index)
    if keys is None:
        raise PlaylistError(
            "This index has no keys for its tracks. Add them with `soundalike measure INDEX`."
        )
    return keys


def _ranked(preference: NDArray[np.float32], usable: NDArray[np.bool_]) -> Iterator[int]:
    """The usable rows, most preferred first, ties in row order.

    A playlist takes few of them, so they are sorted as far as they are asked for.
    """
    rows = np.flatnonzero(usable)
    values = preference[rows]
    given, sorted_rows = 0, _SORTED
    while given < len(rows):
        order = nearest(values, sorted_rows)
        yield from rows[order[given:]].tolist()
        given, sorted_rows = len(order), sorted_rows * _SORTED


def _fill(
    index: Index,
    recipe: Recipe,
    members: Members,
    ranked: Iterator[int],
    preference: NDArray[np.float32],
) -> None:
    """Add ranked tracks until the playlist is full."""
    compared = min(_CANDIDATES, max(100, 5 * recipe.length)) if recipe.variety > 0 else 0
    pool = list(islice(ranked, compared))
    if pool:
        _fill_varied(index, recipe, members, pool, preference)
    for row in ranked:
        if members.full:
            return
        members.offer(row)


def _fill_varied(
    index: Index,
    recipe: Recipe,
    members: Members,
    pool: Sequence[int],
    preference: NDArray[np.float32],
) -> None:
    """Add tracks by maximal marginal relevance."""
    pinned = len(members.rows)
    cosines = blend.between(index, recipe.representation, [*members.rows, *pool])[pinned:]
    closest = cosines[:, :pinned].max(axis=1, initial=-1.0)
    relevance = preference[np.asarray(pool, np.intp)]
    left = np.ones(len(pool), bool)
    while left.any() and not members.full:
        marginal = (1 - recipe.variety) * relevance - recipe.variety * closest
        best = int(np.argmax(np.where(left, marginal, -np.inf)))
        left[best] = False
        if members.offer(pool[best]):
            closest = np.maximum(closest, cosines[:, pinned + best])


def _in_order(
    index: Index, recipe: Recipe, rows: Sequence[int], likeness: NDArray[np.float32]
) -> list[int]:
    """The members in the requested order."""
    sign = 1 if recipe.farthest else -1
    ranked = sorted(rows, key=lambda row: (sign * likeness[row], row))
    if recipe.order == ordering.SIMILARITY or len(ranked) < 2:
        return ranked
    if not ordering.is_free(recipe.order):
        along = ordering.quantity(index, recipe.order)
        return sorted(ranked, key=lambda row: along[row])
    if recipe.order == ordering.WALK:
        places = ordering.walk(_distances(index, recipe, ranked), 0)
    else:
        places = [int(p) for p in np.random.default_rng(recipe.seed).permutation(len(ranked))]
    artists = [index.artist_key(row) for row in ranked]
    return [ranked[place] for place in ordering.apart(places, artists)]


def _distances(index: Index, recipe: Recipe, rows: Sequence[int]) -> NDArray[np.float64]:
    """Angles between tracks, in radians; with `harmonic`, larger between incompatible keys."""
    angles = np.arccos(blend.between(index, recipe.representation, rows).astype(np.float64))
    if not recipe.harmonic:
        return angles
    keys = _keys(index)[np.asarray(rows, np.intp)]
    fits = np.stack([harmonic_mixing.fit((int(tonic), int(mode)), keys) for tonic, mode in keys])
    together: NDArray[np.float64] = angles + HARMONY * float(angles.std()) * ~fits
    return together


def _shortage(index: Index, recipe: Recipe, own: set[int], members: Members, filtered: int) -> str:
    """Explain why there are fewer tracks than requested."""
    removed = len(set(recipe.removed) - own - set(members.rows))
    others = len(index) - len(own) - len(members.rows)
    counts = {
        f"over the limit of {recipe.per_artist} per artist": members.refused["artist"],
        f"over the limit of {recipe.per_album} per album": members.refused["album"],
        "as duplicate recordings": members.refused["copy"],
        "removed by you": removed,
        "by your filter": filtered,
        "of unknown similarity": others - members.refused.total() - removed - filtered,
    }
    reasons = [f"{count} {reason}" for reason, count in counts.items() if count]
    if not reasons:
        return f"The library has only {len(members.rows)} other tracks."
    return f"Only {len(members.rows)} tracks are left. Left out: {', '.join(reasons)}."
