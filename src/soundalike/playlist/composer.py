"""From what sounds alike to a playlist: who is in, and in what order.

Candidates come ranked by `blend.scores`. Never in are the seeds and their copies, what was removed by
hand, and a track that is the same recording as one already in (`duplicates`). Artists and albums may be
capped. What was pinned is in, whatever the caps say, and counts towards them. With variety v above 0,
each next track is the one with the largest

    (1 - v) * score - v * (largest similarity to a track already in),

which is maximal marginal relevance (Carbonell and Goldstein, 1998). Then `ordering` puts them in order.
Everything is decided by the index, the seeds and the recipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import PlaylistError
from soundalike.index import duplicates
from soundalike.index.index import Index, nearest
from soundalike.playlist import blend, harmonic_mixing, ordering
from soundalike.playlist.blend import Seed
from soundalike.playlist.playlist import DEFAULT_LENGTH, Entry, Playlist

PER_ARTIST = 2
"""How many tracks one artist has in a playlist, unless told otherwise."""
HARMONY = 0.5
"""What a fitting key is worth, in standard deviations of the scores of the candidates."""
_CANDIDATES = 250
"""How many candidates are compared with each other for variety; the rest follow by score alone."""


@dataclass(frozen=True)
class Recipe:
    """How a playlist is made.

    Attributes
    ----------
    representation : what is compared by
    length : tracks wanted, at least 1
    per_artist, per_album : at most so many tracks of each; None for any number
    variety : 0 (most alike) to 1 (most different from each other)
    order : one of `ordering.ORDERS`, or along a dimension
    harmonic : prefer tracks whose key fits that of the first seed, and steps between keys that fit
    farthest : take the tracks least like the seeds instead, for the fun of it
    pinned, removed : rows that must be in, and that must not
    seed : of a shuffled order
    weights : of a joined representation, other weights than the index's
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

    def __post_init__(self) -> None:
        if self.length < 1 or any(
            cap is not None and cap < 1 for cap in (self.per_artist, self.per_album)
        ):
            raise ValueError("lengths and caps are at least 1")
        if not 0.0 <= self.variety <= 1.0:
            raise ValueError(f"variety lies between 0 and 1, not at {self.variety}")


def compose(index: Index, seeds: Sequence[Seed], recipe: Recipe) -> Playlist:
    """Make a playlist.

    Parameters
    ----------
    index : the library
    seeds : at least one
    recipe : how

    Returns
    -------
    its entries' similarity is their `blend.scores`; where fewer tracks than asked for are left, a note
    says which rule left out how many

    Raises
    ------
    IndexFolderError
        If the index does not hold the representation, or only its neighbours where more is needed.
    PlaylistError
        If the order cannot be had, or more tracks are pinned than wanted.
    """
    ordering.check(index, recipe.order)
    scores = blend.scores(index, seeds, recipe.representation, recipe.weights)
    own = blend.own_recordings(index, seeds)
    members = Members(index, recipe, [row for row in dict.fromkeys(recipe.pinned) if row not in own])
    preference = (-scores if recipe.farthest else scores) + _fitting_keys(index, seeds, recipe, scores)
    barred = own | set(recipe.removed) | set(members.rows)
    usable = np.isfinite(scores)
    usable[np.fromiter(barred, np.intp)] = False
    ranked = nearest(preference, len(index))
    _fill(index, recipe, members, ranked[usable[ranked]].tolist(), preference)
    rows = _in_order(index, recipe, members.rows, scores)
    entries = tuple(
        Entry(rank, row, float(max(scores[row], -1.0))) for rank, row in enumerate(rows, start=1)
    )
    return Playlist(recipe.representation, entries, _notes(index, seeds, recipe, own, members))


class Members:
    """The tracks that are in, and how many were refused by which rule.

    Parameters
    ----------
    index, recipe : the library, and what caps there are
    pinned : rows that are in from the beginning

    Raises
    ------
    PlaylistError
        If more tracks are pinned than wanted.
    """

    def __init__(self, index: Index, recipe: Recipe, pinned: Sequence[int]) -> None:
        if len(pinned) > recipe.length:
            raise PlaylistError(
                f"{len(pinned)} tracks are pinned, but the playlist has only {recipe.length}. "
                "Unpin some or make it longer."
            )
        self.rows: list[int] = []
        self.refused: Counter[str] = Counter()
        self._index = index
        self._caps = {"artist": recipe.per_artist, "album": recipe.per_album}
        self._length = recipe.length
        self._counts: Counter[tuple[str, str]] = Counter()
        self._copies: set[int] = set()
        for row in pinned:
            self._add(row)

    @property
    def full(self) -> bool:
        """Whether there are as many as wanted."""
        return len(self.rows) >= self._length

    def offer(self, row: int) -> bool:
        """Take a track in, unless a rule is against it."""
        rule = self._against(row)
        if rule is None:
            self._add(row)
        else:
            self.refused[rule] += 1
        return rule is None

    def _against(self, row: int) -> str | None:
        if row in self._copies:
            return "copy"
        for kind, cap in self._caps.items():
            name = self._index.fact(kind, row)
            if cap is not None and name and self._counts[kind, name] >= cap:
                return kind
        return None

    def _add(self, row: int) -> None:
        self.rows.append(row)
        self._copies |= duplicates.of(self._index, row)
        for kind in self._caps:
            self._counts[kind, self._index.fact(kind, row)] += 1


def _fitting_keys(
    index: Index, seeds: Sequence[Seed], recipe: Recipe, scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What each track's key is worth [shape=(n,)]."""
    if not recipe.harmonic:
        return np.zeros(len(index), np.float32)
    fits = harmonic_mixing.fit(harmonic_mixing.of_query(index, seeds[0].query), _keys(index))
    spread = float(scores[np.isfinite(scores)].std())
    return (HARMONY * spread * fits).astype(np.float32)


def _keys(index: Index) -> NDArray[np.int8]:
    keys = harmonic_mixing.load(index)
    if keys is None:
        raise PlaylistError(
            "This index has no keys for its tracks. Add them with `soundalike measure INDEX`."
        )
    return keys


def _fill(
    index: Index,
    recipe: Recipe,
    members: Members,
    ranked: Sequence[int],
    preference: NDArray[np.float32],
) -> None:
    """Take in ranked tracks until there are enough."""
    compared = min(_CANDIDATES, max(100, 5 * recipe.length)) if recipe.variety > 0 else 0
    if compared:
        _fill_varied(index, recipe, members, ranked[:compared], preference)
    for row in ranked[compared:]:
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
    """Take in tracks by maximal marginal relevance."""
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
    index: Index, recipe: Recipe, rows: Sequence[int], scores: NDArray[np.float32]
) -> list[int]:
    """The members in the order that was asked for."""
    sign = 1 if recipe.farthest else -1
    ranked = sorted(rows, key=lambda row: (sign * scores[row], row))
    if recipe.order == ordering.SIMILARITY or len(ranked) < 2:
        return ranked
    if not ordering.is_free(recipe.order):
        along = ordering.quantity(index, recipe.order)
        return sorted(ranked, key=lambda row: along[row])
    if recipe.order == ordering.WALK:
        places = ordering.walk(_distances(index, recipe, ranked), 0)
    else:
        places = [int(p) for p in np.random.default_rng(recipe.seed).permutation(len(ranked))]
    artists = [index.fact("artist", row) for row in ranked]
    return [ranked[place] for place in ordering.apart(places, artists)]


def _distances(index: Index, recipe: Recipe, rows: Sequence[int]) -> NDArray[np.float64]:
    """Angles between tracks, in radians; where keys count, more between those that do not fit."""
    angles = np.arccos(blend.between(index, recipe.representation, rows).astype(np.float64))
    if not recipe.harmonic:
        return angles
    keys = _keys(index)[np.asarray(rows, np.intp)]
    fits = np.stack([harmonic_mixing.fit((int(tonic), int(mode)), keys) for tonic, mode in keys])
    together: NDArray[np.float64] = angles + HARMONY * float(angles.std()) * ~fits
    return together


def _notes(
    index: Index, seeds: Sequence[Seed], recipe: Recipe, own: set[int], members: Members
) -> tuple[str, ...]:
    notes = []
    copies = sorted(own - {seed.query.row for seed in seeds})
    if copies:
        titles = ", ".join(f"“{index.fact('title', row)}”" for row in copies)
        notes.append(f"Left out (same recording): {titles}.")
    if not members.full:
        notes.append(_shortage(index, recipe, own, members))
    return tuple(notes)


def _shortage(index: Index, recipe: Recipe, own: set[int], members: Members) -> str:
    """Why there are fewer tracks than wanted."""
    removed = len(set(recipe.removed) - own - set(members.rows))
    others = len(index) - len(own) - len(members.rows)
    counts = {
        f"over the limit of {recipe.per_artist} per artist": members.refused["artist"],
        f"over the limit of {recipe.per_album} per album": members.refused["album"],
        "as duplicate recordings": members.refused["copy"],
        "removed by you": removed,
        "of unknown similarity": others - members.refused.total() - removed,
    }
    reasons = [f"{count} {reason}" for reason, count in counts.items() if count]
    if not reasons:
        return f"The library has only {len(members.rows)} other tracks."
    return f"Only {len(members.rows)} tracks are left. Left out: {', '.join(reasons)}."
