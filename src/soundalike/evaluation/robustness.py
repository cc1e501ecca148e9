"""Robustness: whether a representation recognises a clip after common changes to recordings.

A clip of the index is changed (`robustness_changes`), embedded again, and searched for. Per change and
representation,

- similarity is that of the changed clip to the original, relative to the unchanged clip's similarity to
  the original; 1 if the change has no effect;
- rank is the rank of the original among all tracks of the index for the changed clip. 1 is best; tracks
  that tie with the original count as ranked before it;
- kept is the share of the unchanged clip's ten nearest tracks that are among the changed clip's ten.
  The track itself and its duplicates are left out of both; tracks per artist aren't limited;
- known is whether the fingerprint check, with this representation's nearest tracks as candidates,
  identifies the changed clip as the library's recording, at its own speed or up to 2 % off. The app
  runs this check with the default representation;
- answered is like kept, but follows the app's procedure for microphone recordings: an identified
  recording is compared by the library's own vectors, which keeps all of its ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.errors import AudioError, SoundalikeError
from soundalike.evaluation import rankings
from soundalike.evaluation.metrics import mean_and_interval
from soundalike.evaluation.robustness_changes import CHANGES, UNCHANGED, Recording, copies, read
from soundalike.index import duplicates, track_arrays
from soundalike.index.index import Embeddings, Index, nearest
from soundalike.models import ModelStore
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.representations import recorded as correction

TEN = 10

Prepare = Callable[[Clip, Index, ModelStore], ClipEmbeddings]
"""Makes a clip's embeddings, like a query's; `ClipEmbeddings` by default."""

as_recorded: Prepare = partial(ClipEmbeddings, recorded=True)
"""Makes the embeddings of a microphone recording."""

OnTrack = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """Result of the search for a changed clip.

    Attributes
    ----------
    similarity : similarity to the original, relative to the original's to itself
    rank : rank of the original, 1 is best
    kept : share of the original's ten nearest that are among its own ten
    known : whether it is identified as the library's recording; None if not checked
    """

    similarity: float
    rank: int
    kept: float
    known: bool | None = None


@dataclass(frozen=True)
class _Copy:
    """A changed clip.

    Attributes
    ----------
    vectors : vectors by stored part
    known : by representation, whether it is identified as the library's recording
    """

    vectors: dict[str, NDArray[np.float32]]
    known: dict[str, bool]


def choose(index: Index, count: int, seed: int, recorded: bool = False) -> list[int]:
    """Draw rows of tracks without replacement, in the order of the index.

    Parameters
    ----------
    index : the library
    count : number of tracks; fewer if there aren't as many
    seed : random seed
    recorded : whether to draw only artists that the correction of recordings wasn't fitted on
    """
    rows = np.arange(len(index))
    if recorded:
        artists = index.tracks["artist"].astype(str)
        rows = rows[[correction.is_held_out(artist) for artist in artists]]
    drawn = np.random.default_rng(seed).choice(rows, min(count, len(rows)), replace=False)
    return sorted(map(int, drawn))


def measure(
    index: Index,
    wanted: Mapping[str, Sequence[str]],
    rows: Sequence[int],
    models: ModelStore,
    on_track: OnTrack = lambda file: None,
    prepare: Prepare = ClipEmbeddings,
) -> dict[str, dict[str, Any]]:
    """Change tracks and search for them.

    Parameters
    ----------
    index : an index whose tracks' audio is available
    wanted : by representation of the index, the changes to measure
    rows : rows of the tracks
    models : the networks that the index was built with
    on_track : called after each track
    prepare : embeds the copies; the unchanged clip is embedded as is

    Returns
    -------
    by representation and change, ready for JSON: `similarity`, `kept` and `known` (means over tracks,
    each with a 95 % bootstrap interval; `known` is None if the index has no fingerprints), `answered`
    (like `kept`), `least` (similarity), `ranked_first` (share of tracks), `median_rank`, and the number
    of `tracks`; or else a `reason` if nothing could be measured

    Raises
    ------
    IndexFolderError, ModelError
        If the networks are missing or don't match the index.
    """
    index.check_models(models)
    found: dict[str, dict[str, list[Found]]] = {
        name: {change: [] for change in changes} for name, changes in wanted.items()
    }
    failures: dict[str, str] = {}
    for row in rows:
        try:
            recording = read(index.path(row), str(index.tracks["track_id"].iloc[row]))
        except AudioError as error:
            failures |= dict.fromkeys(_parts(index, wanted), str(error))
        else:
            plain, other = (
                lambda clip, of=of: of(clip, index, models) for of in (ClipEmbeddings, prepare)
            )
            made = _made(index, wanted, row, recording, plain, other, failures)
            for name, of_change in found.items():
                for change, result in _search(index, name, row, made).items():
                    of_change[change].append(result)
        on_track(str(index.tracks["file"].iloc[row]))
    return {
        name: {
            change: _summary(values, _reason(change, index.parts(name), failures))
            for change, values in of_change.items()
        }
        for name, of_change in found.items()
    }


def embed(
    embeddings: Embeddings, parts: Iterable[str], failures: dict[str, str]
) -> dict[str, NDArray[np.float32]]:
    """A clip's vectors by stored part, scaled like the index's.

    Parts that cannot embed it are left out; `failures` gets the reason.
    """
    vectors = {}
    for part in parts:
        try:
            vectors[part] = embeddings[part]
        except SoundalikeError as error:
            failures[part] = str(error)
    return vectors


def find(index: Index, name: str, row: int, vectors: Embeddings) -> list[Found]:
    """Similarity of a track's copies to it, its rank for each, and the neighbours they keep.

    Parameters
    ----------
    row : row of the track
    vectors : vectors of the copies by stored part, each [shape=(copies, dim)]; the first is unchanged
    """
    similarities = rankings.ranking_matrix(index, name, vectors)
    ranks = (similarities >= similarities[:, row, np.newaxis]).sum(axis=1)
    to_original = similarities[:, row].astype(np.float64)
    own = to_original[0]
    shares = to_original / own if own > 0 else np.zeros_like(to_original)
    kept = _kept(similarities, {row} | duplicates.of(index, row))
    return [Found(float(s), int(r), k) for s, r, k in zip(shares, ranks, kept, strict=True)]


def _kept(similarities: NDArray[np.float32], left_out: set[int]) -> list[float]:
    """Share of the first query's ten nearest that each query keeps [shape=(queries,)]."""
    others = np.setdiff1d(np.arange(similarities.shape[1]), list(left_out))
    tens = [set(nearest(values[others], TEN).tolist()) for values in similarities]
    return [len(ten & tens[0]) / max(len(tens[0]), 1) for ten in tens]


def _made(
    index: Index,
    wanted: Mapping[str, Sequence[str]],
    row: int,
    recording: Recording,
    plain: Callable[[Clip], ClipEmbeddings],
    prepare: Callable[[Clip], ClipEmbeddings],
    failures: dict[str, str],
) -> dict[str, _Copy]:
    """A track's unchanged copy, and every changed copy that some representation needs."""
    own = {row} | duplicates.of(index, row)
    prints = track_arrays.fingerprints(index)
    changes = [change for change in CHANGES if any(change in asked for asked in wanted.values())]
    made = {}
    for change, clip in copies(recording, changes):
        names = [name for name, asked in wanted.items() if change == UNCHANGED or change in asked]
        embeddings = plain(clip) if change == UNCHANGED else prepare(clip)
        vectors = embed(embeddings, _parts(index, names), failures)
        known = {
            name: _is_known(own, embeddings, name)
            for name in names
            if prints is not None and vectors.keys() >= index.parts(name).keys()
        }
        made[change] = _Copy(vectors, known)
    return made


def _is_known(own: set[int], embeddings: ClipEmbeddings, name: str) -> bool:
    """Whether a copy is identified as its track or one of the track's duplicates."""
    if own & embeddings.copies_by(name):
        return True
    return bool(own & embeddings.copies_at_other_speeds_by(name))


def _search(index: Index, name: str, row: int, made: Mapping[str, _Copy]) -> dict[str, Found]:
    """Results of one representation for a track's copies; empty if it embeds none of them."""
    parts = index.parts(name)
    there = [change for change, copy in made.items() if copy.vectors.keys() >= parts.keys()]
    if UNCHANGED not in there:
        return {}
    vectors = {part: np.stack([made[change].vectors[part] for change in there]) for part in parts}
    results = zip(there, find(index, name, row, vectors), strict=True)
    return {
        change: replace(found, known=made[change].known.get(name))
        for change, found in results
        if change != UNCHANGED
    }


def _parts(index: Index, names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(part for name in names for part in index.parts(name)))


def _reason(change: str, parts: Iterable[str], failures: dict[str, str]) -> str:
    failed = [failures[part] for part in parts if part in failures]
    return failed[0] if failed else CHANGES[change].why_not


def _summary(values: Sequence[Found], reason: str) -> dict[str, Any]:
    if not values:
        return {"tracks": 0, "similarity": None, "reason": f"Not measured: {reason.rstrip('.')}."}
    ranks = np.array([found.rank for found in values])
    known = [float(found.known) for found in values if found.known is not None]
    return {
        "tracks": len(values),
        "similarity": _mean([found.similarity for found in values]),
        "least": round(min(found.similarity for found in values), 6),
        "ranked_first": round(float((ranks == 1).mean()), 6),
        "median_rank": float(np.median(ranks)),
        "kept": _mean([found.kept for found in values]),
        "known": _mean(known) if known else None,
        "answered": _mean([1.0 if found.known else found.kept for found in values]),
    }


def _mean(values: Sequence[float]) -> dict[str, float]:
    """A mean over tracks, with its 95 % bootstrap interval."""
    return mean_and_interval(values, np.arange(len(values)))
