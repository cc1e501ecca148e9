"""A query: the clip that is asked about, as embeddings, predicted genres and what is known of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import representations, threads
from soundalike.audio import decoding
from soundalike.audio.decoding import Clip
from soundalike.errors import ModelError
from soundalike.features import fingerprint
from soundalike.index import duplicates as recordings
from soundalike.index.index import Index
from soundalike.models import ModelStore, musicnn_features, vgg_features, yamnet_features
from soundalike.playlist.clip_embeddings import ClipEmbeddings, Turn

STEPS = ("Decoding the audio", "Drawing the spectrogram", "Running the network", "Searching")
"""What a query from audio goes through, in order, as a visitor reads it."""
LAST_STEP = "Predicting genres"
"""What may come after a first answer; see `complete`."""
BY_VGG16 = ("vgg_mel", "genre_head")
"""What `complete` looks at: whether the library has the clip, and its genres."""

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Query:
    """A clip to find music for.

    Attributes
    ----------
    embeddings : vectors by stored representation
    genres : predicted genres, likeliest first
    row : the row of the index that this clip is, or None for a clip that the library does not have
    duration : of the whole clip, in seconds; None for a track of the library
    notes : sentences a listener may want to know
    is_complete : False while its genres are still to be predicted, by `complete`
    """

    embeddings: Mapping[str, NDArray[np.float32]]
    genres: dict[str, float]
    row: int | None = None
    duration: float | None = None
    notes: tuple[str, ...] = field(default=())
    is_complete: bool = True

    @property
    def in_library(self) -> bool:
        """Whether the query is a track of the library itself, not a clip that turned out to be one."""
        return self.row is not None and self.duration is None


def from_library(index: Index, track_id: str) -> Query:
    """The query for a track of the library; nothing is computed.

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
    """Decode and embed a clip, see whether the library has it, and predict its genres.

    Raises
    ------
    AudioError, IndexFolderError, ModelError
        As `first_answer`.
    """
    return complete(first_answer(source, index, models, recorded=recorded), index, models)


def first_answer(
    source: str | Path | bytes,
    index: Index,
    models: ModelStore,
    on_step: OnStep = lambda step: None,
    turn: Turn = nullcontext,
    decode: Callable[[Any], Clip] = decoding.decode,
    recorded: bool = False,
) -> Query:
    """As `from_audio`, but only what a playlist needs; `complete` makes the rest.

    By default that is what the tagger hears, where predicted genres are VGG16's, which takes three
    times as long.

    Parameters
    ----------
    source : path, or the bytes of a file
    index : the library to recommend from
    models : the networks that the index was built with
    on_step : called with each of the first three `STEPS` as it begins
    turn : waits for the networks, now and for what is asked of the clip later
    decode : of `source`; `sandbox.decode` for what a stranger sent
    recorded : whether the clip came through a microphone, so that its source is looked for

    Raises
    ------
    AudioError
        If the clip cannot be used.
    IndexFolderError, ModelError
        If the models are missing or are not those of the index.
    """
    index.check_models(models)
    on_step(STEPS[0])
    clip = decoding.analysis_window(decode(source))
    embeddings = ClipEmbeddings(clip, index, models, turn, recorded)
    _hear(index, embeddings, on_step)
    row = index.row_of_file(_sha256(source))
    if row is None:
        row = _same_recording(index, embeddings)
    if recorded and row is not None:
        embeddings.recognise(row)
    first = Query(embeddings, {}, row, clip.source_duration, clip.notes, is_complete=False)
    return first if _says_more(first, index, models) else _with_genres(first, index, models)


@threads.single_threaded_blas()
def complete(query: Query, index: Index, models: ModelStore, turn: Turn = nullcontext) -> Query:
    """A query from audio with its genres predicted, and looked for in the library by `vgg_mel` too.

    Parameters
    ----------
    query : from `first_answer`; any that is complete stays as it is
    index, models : as it was made with
    turn : waits for the networks

    Raises
    ------
    IndexFolderError, ModelError
        If the models are missing or are not those of the index.
    """
    embeddings = query.embeddings
    if query.is_complete or not isinstance(embeddings, ClipEmbeddings):
        return query
    # Drawn before the turn, for which others wait.
    vgg_features.mel_image(embeddings.clip)
    with turn():
        embeddings.compute([name for name in BY_VGG16 if name in embeddings], nullcontext)
        embeddings.look_closer()
        row = query.row if query.row is not None else _same_recording(index, embeddings)
        if embeddings.recorded and row is not None:
            embeddings.recognise(row)
        return _with_genres(replace(query, row=row), index, models)


def rehearse(models: ModelStore) -> None:
    """Go once, with noise, through what a clip goes through, so that no visitor waits for first times.

    A model that is missing is passed over; who needs it is told.
    """
    noise = np.random.default_rng(0).normal(0.0, 0.1, decoding.ANALYSIS_SAMPLES)
    clip = Clip(noise.astype(np.float32))
    for name in ("vgg_mel", "genre_head", representations.default(list(representations.REGISTRY))):
        with suppress(ModelError):
            representations.get(name).embed(clip, models)
    fingerprint.of(clip)


def duplicates(index: Index, query: Query) -> NDArray[np.intp]:
    """Rows of the index that are the query's own recording (`soundalike.index.duplicates` says how)."""
    same = set() if query.row is None else {query.row} | recordings.of(index, query.row)
    if not query.in_library:
        same |= _copies(index, query.embeddings)
    return np.array(sorted(same), np.intp)


@threads.single_threaded_blas()
def _hear(index: Index, embeddings: ClipEmbeddings, on_step: OnStep) -> None:
    """Compute what a first answer needs; what needs no network goes on beside it."""
    clip, names = embeddings.clip, _first_asked(index, embeddings)
    networks = {model for name in names for model in representations.get(name).models}
    with ThreadPoolExecutor(2) as aside:
        beside: list[Future[Any]] = [aside.submit(lambda: embeddings.descriptors)]
        if fingerprint.load(index) is not None:
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


def _first_asked(index: Index, embeddings: ClipEmbeddings) -> list[str]:
    """What a first answer needs: what is compared by unless told otherwise, and how copies are known."""
    wanted = [*index.parts(representations.default(index.names))]
    if fingerprint.load(index) is None:
        wanted.append("vgg_mel")
    return [name for name in index.stored if name in wanted and name in embeddings]


def _says_more(first: Query, index: Index, models: ModelStore) -> bool:
    """Whether VGG16 would say more of a clip than is known."""
    unasked = "vgg_mel" in index.stored and not _is_there("vgg_mel", first.embeddings)
    return first.row is None and not models.light and (unasked or bool(index.genres))


def _with_genres(query: Query, index: Index, models: ModelStore) -> Query:
    """Complete, with what is known of its genres."""
    genres: dict[str, float] = {}
    notes = query.notes
    if index.genres and query.row is not None:
        # The head may have been trained on this very track; the index has a held-out prediction.
        genres = index.genre_probabilities(query.row)
    elif index.genres and models.light:
        notes += ("This server has too little memory to predict the genres of a clip.",)
    elif index.genres and isinstance(query.embeddings, ClipEmbeddings):
        genres = representations.genre_head.genre_probabilities(query.embeddings.clip, models)
    return replace(query, genres=genres, notes=notes, is_complete=True)


def _same_recording(index: Index, embeddings: ClipEmbeddings) -> int | None:
    """The row that a new clip is a copy of, if there is one; the most alike where there are several."""
    copies = sorted(_copies(index, embeddings))
    if not copies:
        return None
    by = "vgg_mel" if _is_there("vgg_mel", embeddings) else representations.default(index.names)
    similarities = index.similarities(by, embeddings)
    return max(copies, key=lambda row: float(similarities[row]))


def _copies(index: Index, embeddings: Mapping[str, NDArray[np.float32]]) -> set[int]:
    """Rows that are the same recording as a new clip, by either check.

    `vgg_mel` is asked where it is there anyway: it knows next to nothing that the fingerprint misses.
    """
    same: set[int] = set()
    if _is_there("vgg_mel", embeddings):
        similarities = index.similarities_of_parts({"vgg_mel": 1.0}, embeddings)
        same = set(np.flatnonzero(similarities >= recordings.SIMILARITY).tolist())
    return same | (set(embeddings.found_copies) if isinstance(embeddings, ClipEmbeddings) else set())


def _is_there(name: str, embeddings: Mapping[str, NDArray[np.float32]]) -> bool:
    """Whether a vector needs no computing."""
    computed = not isinstance(embeddings, ClipEmbeddings) or embeddings.has_computed(name)
    return computed and name in embeddings


def _sha256(source: str | Path | bytes) -> str:
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    return hashlib.sha256(content).hexdigest()
