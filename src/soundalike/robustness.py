"""Robustness: does a representation know a clip again after what happens to recordings on their way?

A clip of the index is changed, embedded again, and looked for. Per change and representation,

- similarity is that of the changed clip to the original, as a share of the unchanged clip's similarity
  to the original; 1 where the change goes unnoticed;
- rank is the place of the original when all tracks of the index are ranked for the changed clip: 1 is
  best, and tracks that tie with the original count as before it.

The changes (Urbano et al., 2014, ask the same of MFCC, chroma and lossy encodings):

- `shift_1_s`, `shift_3_s`, `shift_7_s` : another excerpt that begins that much later. Where the source
  goes on beyond the analysed 30 s the window moves, later where it can and earlier where it cannot; a
  source of 30 s loses its first seconds, and what is left is repeated to fill 30 s, as for any clip;
- `gain_6_db` : 6 dB more. Samples are floats and may exceed full scale, so that none is clipped;
- `mp3_64_kbit` : encoded as mono MP3 at 44.1 kHz and 64 kbit/s by LAME, and decoded;
- `other_30_s` : 30 s of the same source that share nothing with the analysed ones: the loudest half
  minute of the longer part before or after; only where that part is long enough.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import audio, rankings, representations
from soundalike.audio import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.errors import AudioError, SoundalikeError
from soundalike.evaluation import bootstrap_interval
from soundalike.index import Embeddings, Index
from soundalike.models import ModelStore

SHIFTS = (1, 3, 7)
GAIN_DB = 6.0
MP3_BIT_RATE = 64_000
_ENCODER = "libmp3lame"
_MP3_RATE = 44_100

Change = Callable[[Clip, Clip], Clip | None]
"""From a whole source and its analysed window to the changed window; None where it cannot be made."""

OnTrack = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """How a changed clip was known again.

    Attributes
    ----------
    similarity : to the original, as a share of the original's to itself
    rank : of the original, 1 is best
    """

    similarity: float
    rank: int


def shifted(seconds: float) -> Change:
    """Another excerpt that begins `seconds` later."""
    moved_by = round(seconds * SAMPLE_RATE)

    def change(source: Clip, window: Clip) -> Clip | None:
        start = round(window.start * SAMPLE_RATE)
        for moved in (start + moved_by, start - moved_by):
            if 0 <= moved <= len(source.samples) - ANALYSIS_SAMPLES:
                return Clip(source.samples[moved : moved + ANALYSIS_SAMPLES])
        rest = source.samples[start : start + ANALYSIS_SAMPLES][moved_by:]
        if len(rest) < audio.MIN_SECONDS * SAMPLE_RATE:
            return None
        return audio.analysis_window(Clip(rest))

    return change


def louder(source: Clip, window: Clip) -> Clip:
    """The window with 6 dB more."""
    return replace(window, samples=window.samples * np.float32(10 ** (GAIN_DB / 20)))


def through_mp3(source: Clip, window: Clip) -> Clip | None:
    """The window encoded as MP3 and decoded; None without an encoder or with nothing audible left."""
    import av

    if _ENCODER not in av.codecs_available:
        return None
    try:
        return audio.analysis_window(audio.decode(_mp3(window.samples)))
    except AudioError:
        return None


def other_half_minute(source: Clip, window: Clip) -> Clip | None:
    """Another 30 s of the source that share nothing with the window; None in a short source."""
    start = round(window.start * SAMPLE_RATE)
    parts = source.samples[:start], source.samples[start + ANALYSIS_SAMPLES :]
    longer = max(parts, key=len)
    return audio.analysis_window(Clip(longer)) if len(longer) >= ANALYSIS_SAMPLES else None


CHANGES: dict[str, Change] = {
    **{f"shift_{seconds}_s": shifted(seconds) for seconds in SHIFTS},
    "gain_6_db": louder,
    "mp3_64_kbit": through_mp3,
    "other_30_s": other_half_minute,
}
_WHY_NOT = {
    "mp3_64_kbit": "this installation of FFmpeg cannot encode MP3",
    "other_30_s": "no source is long enough to hold another 30 s",
}


def choose(index: Index, count: int, seed: int) -> list[int]:
    """Rows of some tracks, drawn without replacement, in the order of the index."""
    count = min(count, len(index))
    return sorted(map(int, np.random.default_rng(seed).choice(len(index), count, replace=False)))


def measure(
    index: Index,
    names: Sequence[str],
    rows: Sequence[int],
    models: ModelStore,
    on_track: OnTrack = lambda file: None,
) -> dict[str, dict[str, Any]]:
    """Change tracks in every way and look for them, by every representation.

    Parameters
    ----------
    index : with the tracks' audio at hand
    names : representations of the index
    rows : of the tracks
    models : the networks that the index was built with
    on_track : called after each track

    Returns
    -------
    by representation and change, ready for JSON: `similarity` (mean over tracks, with a 95 % bootstrap
    interval), `least`, `ranked_first` (share of tracks), `median_rank`, and the number of `tracks`; with
    `reason` in their place where nothing could be measured

    Raises
    ------
    IndexFolderError, ModelError
        If the networks are missing or are not the index's.
    """
    index.check_models(models)
    found: dict[str, dict[str, list[Found]]] = {
        name: {change: [] for change in CHANGES} for name in names
    }
    failures: dict[str, str] = {}
    for row in rows:
        try:
            source = audio.decode(index.path(row))
        except AudioError as error:
            failures |= dict.fromkeys(representations.stored(names), str(error))
        else:
            clips = copies(source)
            vectors = embed(index, names, list(clips.values()), models, failures)
            for name in names:
                if all(part in vectors for part in index.parts(name)):
                    for change, result in zip(clips, find(index, name, row, vectors), strict=True):
                        found[name].setdefault(change, []).append(result)
        on_track(str(index.tracks["file"].iloc[row]))
    return {
        name: {
            change: _summary(of_change[change], _reason(change, index.parts(name), failures))
            for change in CHANGES
        }
        for name, of_change in found.items()
    }


def copies(source: Clip) -> dict[str, Clip]:
    """The analysed window of a source as `""`, and after it every change of it that can be made."""
    window = audio.analysis_window(source)
    changed = {name: change(source, window) for name, change in CHANGES.items()}
    return {"": window} | {name: clip for name, clip in changed.items() if clip is not None}


def embed(
    index: Index,
    names: Sequence[str],
    clips: Sequence[Clip],
    models: ModelStore,
    failures: dict[str, str],
) -> dict[str, NDArray[np.float32]]:
    """Vectors of clips by stored part, as the index compares them, each [shape=(clips, dim)].

    A part that cannot embed them is left out, and `failures` says why.
    """
    vectors = {}
    for part in representations.stored(names):
        own_embed = representations.get(part).embed
        try:
            vectors[part] = np.stack([index.prepare(part, own_embed(clip, models)) for clip in clips])
        except SoundalikeError as error:
            failures[part] = str(error)
    return vectors


def find(index: Index, name: str, row: int, vectors: Embeddings) -> list[Found]:
    """How alike copies of a track are to it, and where they rank it.

    Parameters
    ----------
    row : of the track
    vectors : of the copies by stored part, each [shape=(copies, dim)]; the first is the track unchanged
    """
    similarities = index.similarities(name, vectors)[:, row].astype(np.float64)
    ranking = rankings.ranking_matrix(index, name, vectors)
    ranks = (ranking >= ranking[:, row, np.newaxis]).sum(axis=1)
    own = float(similarities[0])
    shares = similarities / own if own > 0 else np.zeros_like(similarities)
    return [Found(float(share), int(rank)) for share, rank in zip(shares, ranks, strict=True)]


def _reason(change: str, parts: Iterable[str], failures: dict[str, str]) -> str:
    failed = [failures[part] for part in parts if part in failures]
    return failed[0] if failed else _WHY_NOT.get(change, "the clips are too short")


def _summary(values: Sequence[Found], reason: str) -> dict[str, Any]:
    if not values:
        return {"tracks": 0, "similarity": None, "reason": f"Not measured: {reason.rstrip('.')}."}
    similarities = np.array([found.similarity for found in values])
    ranks = np.array([found.rank for found in values])
    low, high = bootstrap_interval(similarities, np.arange(len(values)))
    return {
        "tracks": len(values),
        "similarity": {
            "mean": round(float(similarities.mean()), 6),
            "low": round(low, 6),
            "high": round(high, 6),
        },
        "least": round(float(similarities.min()), 6),
        "ranked_first": round(float((ranks == 1).mean()), 6),
        "median_rank": float(np.median(ranks)),
    }


def _mp3(samples: NDArray[np.float32]) -> bytes:
    import av

    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    target = io.BytesIO()
    with av.open(target, "w", format="mp3") as file:
        stream = file.add_stream(_ENCODER, rate=_MP3_RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = MP3_BIT_RATE
        resampler = av.AudioResampler(stream.format.name, "mono", _MP3_RATE, stream.frame_size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return target.getvalue()
