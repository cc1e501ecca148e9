"""Robustness: does a representation know a clip again after what happens to recordings on their way?

A clip of the index is changed (`robustness_changes`), embedded again, and looked for. Per change and
representation,

- similarity is that of the changed clip to the original, as a share of the unchanged clip's similarity
  to the original; 1 where the change goes unnoticed;
- rank is the place of the original when all tracks of the index are ranked for the changed clip: 1 is
  best, and tracks that tie with the original count as before it;
- kept is the share of the unchanged clip's ten nearest tracks that are among the changed clip's ten.
  The track itself and its duplicates are left out of both, and an artist may have any number of tracks;
- known is whether the check by fingerprint, with this representation's nearest tracks as candidates,
  says that the changed clip is the library's recording, at its own speed or up to 2 % off; the app
  makes it with the default representation;
- answered is kept as the app has it for clips that came through a microphone: a recording that is known
  is compared by the library's own vectors, so that all of its ten are kept.
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
from soundalike.evaluation.metrics import bootstrap_interval
from soundalike.evaluation.robustness_changes import CHANGES, UNCHANGED, Recording, copies, read
from soundalike.index import duplicates, track_arrays
from soundalike.index.index import Embeddings, Index, nearest
from soundalike.models import ModelStore
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.representations import recorded as correction

TEN = 10

Prepare = Callable[[Clip, Index, ModelStore], ClipEmbeddings]
"""From a clip to its embeddings, as a query's; `ClipEmbeddings` itself unless told otherwise."""

as_recorded: Prepare = partial(ClipEmbeddings, recorded=True)
"""As of a clip that came through a microphone."""

OnTrack = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """How a changed clip was known again.

    Attributes
    ----------
    similarity : to the original, as a share of the original's to itself
    rank : of the original, 1 is best
    kept : share of the original's ten nearest that are among its own ten
    known : whether it is known as the library's recording; None where that was not asked
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
    vectors : by stored part
    known : by representation, whether it is known as the library's recording
    """

    vectors: dict[str, NDArray[np.float32]]
    known: dict[str, bool]


def choose(index: Index, count: int, seed: int, recorded: bool = False) -> list[int]:
    """Rows of some tracks, drawn without replacement, in the order of the index.

    Parameters
    ----------
    index : the library
    count : how many, if there are so many
    seed : of the draw
    recorded : whether only artists are drawn that the correction of recordings was fitted without
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
    """Change tracks and look for them.

    Parameters
    ----------
    index : with the tracks' audio at hand
    wanted : by representation of the index, the changes to measure it by
    rows : of the tracks
    models : the networks that the index was built with
    on_track : called after each track
    prepare : embeds the copies; the unchanged clip is embedded as it is

    Returns
    -------
    by representation and change, ready for JSON: `similarity`, `kept` and `known` (means over tracks,
    each with a 95 % bootstrap interval; `known` is None where the index has no fingerprints), `answered`
    (as `kept`), `least`
    (similarity), `ranked_first` (share of tracks), `median_rank`, and the number of `tracks`; with
    `reason` in their place where nothing could be measured

    Raises
    ------
    IndexFolderError, ModelError
        If the networks are missing or are not the index's.
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
                for change, result in _look(index, name, row, made).items():
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
    """A clip's vectors by stored part, as the index compares them.

    A part that cannot embed it is left out, and `failures` says why.
    """
    vectors = {}
    for part in parts:
        try:
            vectors[part] = embeddings[part]
        except SoundalikeError as error:
            failures[part] = str(error)
    return vectors


def find(index: Index, name: str, row: int, vectors: Embeddings) -> list[Found]:
    """How alike copies of a track are to it, where they rank it, and what else they find.

    Parameters
    ----------
    row : of the track
    vectors : of the copies by stored part, each [shape=(copies, dim)]; the first is the track unchanged
    """
    similarities = rankings.ranking_matrix(index, name, vectors)
    ranks = (similarities >= similarities[:, row, np.newaxis]).sum(axis=1)
    to_original = similarities[:, row].astype(np.float64)
    own = to_original[0]
    shares = to_original / own if own > 0 else np.zeros_like(to_original)
    kept = _kept(similarities, {row} | duplicates.of(index, row))
    return [Found(float(s), int(r), k) for s, r, k in zip(shares, ranks, kept, strict=True)]


def _kept(similarities: NDArray[np.float32], left_out: set[int]) -> list[float]:
    """Which share of the first query's ten each query's ten have [shape=(queries,)]."""
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
    """A track unchanged and in every change that some representation is measured by."""
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
    """Whether a copy is taken for its track or a duplicate of that."""
    if own & embeddings.copies_by(name):
        return True
    return bool(own & embeddings.copies_at_other_speeds_by(name))


def _look(index: Index, name: str, row: int, made: Mapping[str, _Copy]) -> dict[str, Found]:
    """How the copies of a track were known again by one representation; nothing where it embeds none."""
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
    low, high = bootstrap_interval(values, np.arange(len(values)))
    return {"mean": round(float(np.mean(values)), 6), "low": round(low, 6), "high": round(high, 6)}
