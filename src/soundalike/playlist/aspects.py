"""Aspects of similarity that a listener can turn up or down: timbre, rhythm, harmony, instruments, mood.

Each aspect compares a query with every track by measured quantities, standardised over the library:

- timbre: level of five frequency bands, spectral centroid, bandwidth and flatness
- rhythm: tempo, onsets per second, onset strength
- harmony: distance on the circle of fifths, and mode
- sources: scores of the words for instruments and voices
- mood: scores of the words for moods

Its similarity is minus the mean squared difference, standardised over the tracks. With dials d_a and the
standardised similarity s of the representation, a track's preference is

    s + sum_a (d_a - 1) w_a z_a,    w_a = 1 if d_a > 1, else max(0, correlation of s and z_a).

So all dials at 1 change nothing, a dial at 2 makes its aspect count as much as the rest together, and a
dial at 0 takes away what the representation's own ranking owes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import PlaylistError
from soundalike.features import track_descriptors
from soundalike.features.key import NONE
from soundalike.features.spectrogram_image import BANDS, TIMES
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist import harmonic_mixing
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.words import library, strengths, vocabulary
from soundalike.words.library import LibraryWords

LEAST, NEUTRAL, MOST = 0.0, 1.0, 2.0
"""Range of a dial; 1 leaves the aspect as it is."""
TITLES = {
    "timbre": "Timbre",
    "rhythm": "Rhythm",
    "harmony": "Harmony",
    "sources": "Voices and instruments",
    "mood": "Mood",
}
ASPECTS = tuple(TITLES)
MODE = 2.0
"""Steps on the circle of fifths that a change of mode is worth."""

_NAMES = [item.name.partition(" (")[0] for item in track_descriptors.CLIP]
_TIMBRE = [_NAMES.index(name) for name in ("spectral centroid", "bandwidth", "spectral flatness")]
_RHYTHM = [_NAMES.index(name) for name in ("tempo", "onsets per second", "onset strength")]
_KINDS = {"sources": ("instrument", "voice"), "mood": ("mood",)}

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profile:
    """What the aspects compare, of one clip or of all tracks; NaN where unknown.

    Attributes
    ----------
    timbre, rhythm : measured quantities, on a perceptual scale [shape=(..., d)]
    key : tonic and mode [shape=(..., 2)], -1 and -1 if unknown
    words : score of each word [shape=(..., words)]
    """

    timbre: Values
    rhythm: Values
    key: NDArray[np.int64]
    words: Values


def similarities(index: Index, query: Query) -> dict[str, NDArray[np.float32]]:
    """Similarity of a query to every track by each aspect, standardised over the tracks [shape=(n,)].

    Unknown values count as average (0).

    Raises
    ------
    PlaylistError
        If the index lacks the measurements or words.
    """
    return {name: standardised(values) for name, values in _closeness(index, query).items()}


def shares(index: Index, query: Query, row: int) -> dict[str, float | None]:
    """Share of the library that is less alike to a query than a track is, by each aspect [range 0 to 1].

    The query's own row doesn't count. None where the aspect is unknown of either.

    Raises
    ------
    PlaylistError
        If the index lacks the measurements or words.
    """
    found: dict[str, float | None] = {}
    for name, values in _closeness(index, query).items():
        others = np.isfinite(values)
        others[[place for place in (row, query.row) if place is not None]] = False
        less = float(np.mean(values[others] < values[row])) if others.any() else 0.0
        found[name] = less if np.isfinite(values[row]) else None
    return found


def _closeness(index: Index, query: Query) -> dict[str, Values]:
    """Minus the distance of a query and every track by each aspect [shape=(n,)]; NaN where unknown."""
    tracks, own = _of_library(index), _of_query(index, query)
    found = {
        "timbre": -_distance(tracks.timbre, own.timbre),
        "rhythm": -_distance(tracks.rhythm, own.rhythm),
        "harmony": -_key_distance(tracks.key, own.key),
    }
    for name, kinds in _KINDS.items():
        columns = [place for place, word in enumerate(vocabulary.words()) if word.kind in kinds]
        found[name] = -_distance(tracks.words[:, columns], own.words[columns])
    return found


def preference(
    similarity: NDArray[np.float32],
    by_aspect: Mapping[str, NDArray[np.float32]],
    dials: Mapping[str, float],
) -> NDArray[np.float32]:
    """What to rank by, on the similarity's scale [shape=(n,)]; itself if every dial is at 1.

    Parameters
    ----------
    similarity : by a representation [shape=(n,)]; -inf where unknown
    by_aspect : standardised similarities from `similarities`
    dials : 0 to 2 by aspect; 1 for those that are missing
    """
    turned = {name: dial for name, dial in dials.items() if dial != NEUTRAL}
    if not turned:
        return similarity
    known = np.isfinite(similarity)
    mean, deviation = similarity[known].mean(), similarity[known].std()
    plain = standardised(np.where(known, similarity, np.nan))
    total = plain.copy()
    for name, dial in turned.items():
        aspect = by_aspect[name]
        owed = max(0.0, float(np.mean(plain[known] * aspect[known])))
        total += (dial - 1) * (1.0 if dial > 1 else owed) * aspect
    return np.where(known, mean + deviation * total, -np.inf).astype(np.float32)


def standardised(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Values with mean 0 and standard deviation 1 over those that are known; 0 for the others."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), np.float32)
    mean, deviation = values[known].mean(), values[known].std()
    scaled = (values - mean) / (deviation if deviation > 0 else 1.0)
    return np.where(known, scaled, 0.0).astype(np.float32)


def _distance(tracks: Values, own: Values) -> Values:
    """Mean squared difference in standard deviations of the tracks, over what is known [shape=(n,)]."""
    deviation = np.nanstd(tracks, axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    differences = np.square((tracks - own) / scale)
    known = np.isfinite(differences)
    counts = known.sum(axis=-1)
    sums = np.where(known, differences, 0.0).sum(axis=-1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _key_distance(tracks: NDArray[np.int64], own: NDArray[np.int64]) -> Values:
    """Steps on the circle of fifths, plus `MODE` for another mode [shape=(n,)]; NaN if unknown."""
    if tuple(own.tolist()) == NONE:
        return np.full(len(tracks), np.nan)
    steps = np.abs(harmonic_mixing.place(tracks) - harmonic_mixing.place(own[np.newaxis])[0])
    distance = np.minimum(steps, 12 - steps) + MODE * (tracks[:, 1] != own[1])
    return np.where(tracks[:, 0] >= 0, distance.astype(np.float64), np.nan)


def _of_library(index: Index) -> Profile:
    measured, keys = track_arrays.descriptors(index), track_arrays.keys(index)
    words = _words(index)
    if measured is None or keys is None or words is None:
        raise PlaylistError(
            "This index lacks the measurements that the dials need. Rebuild it with "
            "`soundalike index --complete`."
        )
    return _profile(measured, np.asarray(keys, np.int64), np.asarray(words.scores, np.float64))


def _of_query(index: Index, query: Query) -> Profile:
    if query.row is not None:
        whole = _of_library(index)
        parts = (whole.timbre, whole.rhythm, whole.key, whole.words)
        return Profile(*(part[query.row] for part in parts))
    embeddings, words = query.embeddings, _words(index)
    assert isinstance(embeddings, ClipEmbeddings)
    assert words is not None
    own = library.of_clip(embeddings.clip, embeddings.models)
    scores = strengths.scores(own, words.usual, words.names)
    key = np.array(harmonic_mixing.of_query(index, query), np.int64)
    return _profile(embeddings.descriptors, key, np.asarray(scores, np.float64))


def _words(index: Index) -> LibraryWords | None:
    return library.of(index, index.models(ModelStore()))


def _profile(measured: NDArray[np.float32], key: NDArray[np.int64], words: Values) -> Profile:
    start = len(track_descriptors.CLIP)
    cells = measured[..., start : start + BANDS * TIMES].reshape(*measured.shape[:-1], BANDS, TIMES)
    bands = cells.mean(axis=-1).astype(np.float64)

    def columns(chosen: list[int]) -> Values:
        parts = []
        for column in chosen:
            values = measured[..., column].astype(np.float64)
            if track_descriptors.CLIP[column].logarithmic:
                values = np.log2(np.where(values > 0, values, np.nan))
            parts.append(values)
        return np.stack(parts, axis=-1)

    level = bands.mean(axis=-1, keepdims=True)
    timbre = np.concatenate([bands - level, columns(_TIMBRE)], axis=-1)
    return Profile(timbre, columns(_RHYTHM), key, words)


def available(index: Index) -> bool:
    """Whether an index has the measurements and words that the aspects compare."""
    measured = track_arrays.descriptors(index) is not None and track_arrays.keys(index) is not None
    return measured and library.has_words(index)
