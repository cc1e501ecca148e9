"""A query: a clip with its embeddings, predicted genres and metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations, threads
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, Clip
from soundalike.errors import ModelError
from soundalike.features import fingerprint
from soundalike.index import duplicates as recordings
from soundalike.index import track_arrays
from soundalike.index.index import Index, TrackEmbeddings
from soundalike.models import ModelStore, musicnn_features, vgg_features, yamnet_features
from soundalike.playlist.clip_embeddings import ClipEmbeddings, Turn
from soundalike.representations import genre_head

STEPS = ("Decoding the audio", "Drawing the spectrogram", "Running the network", "Searching")
"""Steps of a query from audio, in order, as shown to users."""
GENRES_STEP = "Predicting genres"
"""The step of `predict_genres`, as shown to users."""
BY_VGG16 = ("vgg_mel", "genre_head")
"""Representations used by `predict_genres`, to look for the clip in the library and for its genres."""

_TOO_LITTLE_MEMORY = "This server has too little memory to predict the genres of a clip."

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Query:
    """A clip to find music for.

    Attributes
    ----------
    embeddings : vectors by stored representation
    genres : predicted genres, most likely first
    row : the clip's row in the index, or None for a clip that isn't in the library
    duration : duration of the whole clip in seconds; None for a track of the library
    notes : sentences that may interest the listener
    is_complete : False until `predict_genres` has predicted the genres
    recording : the row of the recording that this half minute was chosen of; None if it isn't in the
        library, or if the half minute wasn't chosen. It has no `row`, as what is stored for the
        recording is about its loudest half minute.
    """

    embeddings: Mapping[str, NDArray[np.float32]]
    genres: dict[str, float]
    row: int | None = None
    duration: float | None = None
    notes: tuple[str, ...] = field(default=())
    is_complete: bool = True
    recording: int | None = None

    @property
    def in_library(self) -> bool:
        """Whether the query was made from a library track, rather than from a clip identified as one."""
        return self.row is not None and self.duration is None


def from_library(index: Index, track_id: str) -> Query:
    """Make the query for a track of the library; nothing is computed.

    Raises
    ------
    IndexFolderError
        If the index has no such track.
    """
    row = index.row(track_id)
    genres = index.genre_probabilities(row) if index.genres else {}
    return Query(index.embeddings(row), genres, row)


def from_audio(
    source: str | Path | bytes, index: Index, models: ModelStore, recorded: bool = False
) -> Query:
    """Decode and embed a clip, look for it in the library, and predict its genres.

    Raises
    ------
    AudioError, IndexFolderError, ModelError
        As `embed_query`.
    """
    first = embed_query(source, index, models, recorded=recorded)
    return predict_genres(look_closer(first, index, models), index, models)


def embed_query(
    source: str | Path | bytes,
    index: Index,
    models: ModelStore,
    on_step: OnStep = lambda step: None,
    turn: Turn = nullcontext,
    decode: Callable[[Any], Clip] = decoding.decode,
    recorded: bool = False,
    chosen: bool = False,
) -> Query:
    """Like `from_audio`, but computes only what a playlist needs.

    `look_closer` and `predict_genres` add the rest. Genres need VGG16, which takes twice as long as the
    networks of the default representation.

    Parameters
    ----------
    source : path, or the bytes of a file
    index : the library to recommend from
    models : the networks that the index was built with
    on_step : called with each of the first three `STEPS` as it begins
    turn : waits for the networks, now and for later computations on the clip
    decode : decoder for `source`; use `sandbox.decode` for untrusted files
    recorded : whether the clip was recorded with a microphone; if so, its source is looked for
    chosen : whether `decode` gives a half minute that the visitor chose of a longer clip

    Raises
    ------
    AudioError
        If the clip is unusable.
    IndexFolderError, ModelError
        If the models are missing or don't match the index.
    """
    index.check_models(models)
    on_step(STEPS[0])
    clip = analysis_window(decode(source))
    embeddings = ClipEmbeddings(clip, index, models, turn, recorded)
    _compute_default_embeddings(index, embeddings, on_step)
    file_row = index.row_of_file(_sha256(source))
    row, recording = (None, file_row) if chosen else (file_row, None)
    if row is None:
        row = _same_recording(index, embeddings)
    if recorded and row is not None:
        embeddings.recognise(row)
    first = Query(
        embeddings,
        {},
        row,
        clip.source_duration,
        clip.notes,
        is_complete=False,
        recording=recording,
    )
    return first if _needs_vgg16(first, index, models) else _with_genres(first, index, models)


def look_closer(query: Query, index: Index, models: ModelStore) -> Query:
    """Also look for the query's recording among tracks that are slightly faster or slower.

    No network runs. The query is returned unchanged if it was recognised before, or if there is no such
    track.

    Parameters
    ----------
    query : from `embed_query`
    index, models : as passed to `embed_query`

    Raises
    ------
    IndexFolderError
        If the index is damaged.
    """
    embeddings = query.embeddings
    if query.row is not None or not isinstance(embeddings, ClipEmbeddings):
        return query
    embeddings.look_closer()
    row = _same_recording(index, embeddings)
    if row is None:
        return query
    if embeddings.recorded:
        embeddings.recognise(row)
    return _with_genres(replace(query, row=row), index, models)


@threads.single_threaded_blas()
def predict_genres(query: Query, index: Index, models: ModelStore, turn: Turn = nullcontext) -> Query:
    """Predict the genres of a query from audio, and look for it in the library by `vgg_mel` too.

    Parameters
    ----------
    query : from `embed_query`; a complete one is returned unchanged
    index, models : as passed to `embed_query`
    turn : waits for the networks

    Raises
    ------
    IndexFolderError, ModelError
        If the models are missing or don't match the index.
    """
    embeddings = query.embeddings
    if query.is_complete or not isinstance(embeddings, ClipEmbeddings):
        return query
    # Compute the image before waiting for the networks, to hold them for less time.
    vgg_features.mel_image(embeddings.clip)
    if not models.has_run(embeddings.clip, ("vgg16",)):
        with turn():
            vgg_features.feature_map(embeddings.clip, models)
    embeddings.compute([name for name in BY_VGG16 if name in embeddings], nullcontext)
    found = look_closer(query, index, models)
    return found if found.is_complete else _with_genres(query, index, models)


def waiting(query: Query, index: Index, names: Iterable[str]) -> list[str]:
    """Those representations for which a large network has yet to run on the query's clip."""
    embeddings = query.embeddings
    if not isinstance(embeddings, ClipEmbeddings):
        return []
    return [
        name
        for name in names
        if any(part in embeddings and embeddings.needs_a_pass(part) for part in index.parts(name))
    ]


@threads.single_threaded_blas()
def compute(query: Query, index: Index, names: Iterable[str], turn: Turn) -> None:
    """Compute a clip's vectors by some representations, with the networks held once for each.

    Parameters
    ----------
    query : from `embed_query`
    index : as passed to `embed_query`
    names : representations
    turn : waits for the networks

    Raises
    ------
    ModelError
        If a network is missing.
    """
    if isinstance(query.embeddings, ClipEmbeddings):
        for name in names:
            query.embeddings.compute(index.parts(name), turn)


def warm_up(models: ModelStore) -> None:
    """Run the pipeline once on noise, to move one-off start-up costs out of the first request.

    Missing models are skipped; a query that needs one raises the error.
    """
    noise = np.random.default_rng(0).normal(0.0, 0.1, ANALYSIS_SAMPLES)
    clip = Clip(noise.astype(np.float32))
    for name in ("vgg_mel", "genre_head", representations.default(list(representations.REGISTRY))):
        with suppress(ModelError):
            representations.get(name).embed(clip, models)
    fingerprint.of(clip)


def duplicates(index: Index, query: Query) -> NDArray[np.intp]:
    """Rows of the index that are the query's own recording (see `soundalike.index.duplicates`)."""
    known = {row for row in (query.row, query.recording) if row is not None}
    same = known.union(*(recordings.of(index, row) for row in known))
    if not query.in_library:
        same |= _copies(index, query.embeddings)
    return np.array(sorted(same), np.intp)


def similarities(
    index: Index, query: Query, representation: str, weights: Mapping[str, float] | None = None
) -> NDArray[np.float32]:
    """Similarity of a query to every track [shape=(n,)]; kept for a new clip and for the last tracks.

    Parameters
    ----------
    index : the library
    query : the query
    representation : a representation of the index
    weights : weights of a joined representation's parts; the index's by default
    """
    embeddings = query.embeddings
    if weights is None and isinstance(embeddings, ClipEmbeddings) and embeddings.is_of(index):
        return embeddings.similarities(representation)
    if weights is None and isinstance(embeddings, TrackEmbeddings) and embeddings.is_of(index):
        return index.similarities_of_track(representation, embeddings.row)
    return index.similarities(representation, embeddings, weights)


@threads.single_threaded_blas()
def _compute_default_embeddings(index: Index, embeddings: ClipEmbeddings, on_step: OnStep) -> None:
    """Compute what a first result needs; work that needs no network runs concurrently."""
    clip, names = embeddings.clip, _default_representations(index, embeddings)
    networks = {model for name in names for model in representations.get(name).models}
    with ThreadPoolExecutor(2) as aside:
        beside: list[Future[Any]] = [aside.submit(lambda: embeddings.descriptors)]
        if track_arrays.fingerprints(index) is not None:
            beside.append(aside.submit(lambda: embeddings.fingerprint))
        on_step(STEPS[1])
        if "musicnn" in networks:
            musicnn_features.prepare(clip)
        if "yamnet" in networks:
            yamnet_features.prepare(clip)
        if "vgg16" in networks:
            vgg_features.mel_image(clip)
        on_step(STEPS[2])
        embeddings.compute(names)
        for task in beside:
            task.result()


def _default_representations(index: Index, embeddings: ClipEmbeddings) -> list[str]:
    """Representations that a first result needs: the default one, and those that find copies."""
    wanted = [*index.parts(representations.default(index.names))]
    if track_arrays.fingerprints(index) is None:
        wanted.append("vgg_mel")
    return [name for name in index.stored if name in wanted and name in embeddings]


def _needs_vgg16(first: Query, index: Index, models: ModelStore) -> bool:
    """Whether the genres of a clip have to be predicted."""
    return first.row is None and not models.light and bool(index.genres)


def _with_genres(query: Query, index: Index, models: ModelStore) -> Query:
    """A complete query, with genres where available."""
    genres: dict[str, float] = {}
    notes = tuple(note for note in query.notes if note != _TOO_LITTLE_MEMORY)
    if index.genres and query.row is not None:
        # The head may have been trained on this track; the index has a held-out prediction.
        genres = index.genre_probabilities(query.row)
    elif index.genres and models.light:
        notes += (_TOO_LITTLE_MEMORY,)
    elif index.genres and isinstance(query.embeddings, ClipEmbeddings):
        genres = genre_head.genre_probabilities(query.embeddings.clip, models)
    return replace(query, genres=genres, notes=notes, is_complete=True)


def _same_recording(index: Index, embeddings: ClipEmbeddings) -> int | None:
    """The row that a new clip is a copy of, or None; the most similar if there are several."""
    copies = sorted(_copies(index, embeddings))
    if not copies:
        return None
    by = "vgg_mel" if _is_computed("vgg_mel", embeddings) else representations.default(index.names)
    alike = similarities(index, Query(embeddings, {}), by)
    return max(copies, key=lambda row: float(alike[row]))


def _copies(index: Index, embeddings: Mapping[str, NDArray[np.float32]]) -> set[int]:
    """Rows of the index that either check identifies as the same recording as a new clip.

    `vgg_mel` is used only if already computed: it finds next to nothing that the fingerprint misses.
    """
    same: set[int] = set()
    if _is_computed("vgg_mel", embeddings):
        similarities = (
            embeddings.part_similarities("vgg_mel")
            if isinstance(embeddings, ClipEmbeddings)
            else index.similarities_of_parts({"vgg_mel": 1.0}, embeddings)
        )
        same = set(np.flatnonzero(similarities >= recordings.SIMILARITY).tolist())
    return same | (set(embeddings.found_copies) if isinstance(embeddings, ClipEmbeddings) else set())


def _is_computed(name: str, embeddings: Mapping[str, NDArray[np.float32]]) -> bool:
    """Whether a vector is available without computing it."""
    computed = not isinstance(embeddings, ClipEmbeddings) or embeddings.has_computed(name)
    return computed and name in embeddings


def _sha256(source: str | Path | bytes) -> str:
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    return hashlib.sha256(content).hexdigest()
