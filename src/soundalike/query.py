"""A query: the clip that is asked about, as embeddings, predicted genres and what is known of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike import audio, fingerprint, moments, representations, spectral_summary
from soundalike import duplicates as recordings
from soundalike.audio import Clip
from soundalike.errors import ModelError
from soundalike.index import Index, nearest
from soundalike.models import ModelStore
from soundalike.moments import Picture

STEPS = ("Decoding the audio", "Drawing the spectrogram", "Running the network", "Searching")
"""What a query from audio goes through, in order, as a visitor reads it."""

OnStep = Callable[[str], None]
Turn = Callable[[], AbstractContextManager[object]]
"""Waits until the network may be used, which is until the end of the block."""


class ClipEmbeddings(Mapping[str, NDArray[np.float32]]):
    """A new clip's vectors by stored representation, each computed when it is first asked for.

    Some take a second and are of use only to who compares by them.
    """

    def __init__(self, clip: Clip, index: Index, models: ModelStore, turn: Turn = nullcontext) -> None:
        self._clip = clip
        self._index = index
        self._models = models
        self._turn = turn
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name not in self._index.stored:
            raise KeyError(name)
        self.compute([name])
        return self._vectors[name]

    def compute(self, names: Iterable[str]) -> None:
        """Compute those of these vectors that were not before, all in one turn."""
        missing = [name for name in names if name not in self._vectors]
        if not missing:
            return
        with self._turn():
            for name in missing:
                vector = representations.get(name).embed(self._clip, self._models)
                self._vectors[name] = self._index.prepare(name, vector)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _names(self) -> list[str]:
        """What there is of the clip: all that is stored, but for what a light store cannot compute."""
        return [
            name
            for name in self._index.stored
            if not (self._models.light and "vgg16" in representations.get(name).models)
        ]

    @property
    def clip(self) -> Clip:
        """The clip itself, 30 s of it."""
        return self._clip

    @cached_property
    def copies(self) -> frozenset[int]:
        """Rows of the index whose fingerprint says that they are this recording.

        Only the nearest tracks are looked at, by what does not mind where a clip begins, and only if
        they are as alike as copies are.
        """
        prints = fingerprint.load(self._index)
        default = representations.default(self._index.names)
        if prints is None or not self._index.has_vectors(default):
            return frozenset()
        similarities = self._index.similarities(default, self)
        rows = nearest(similarities, recordings.NEAREST)
        if default == representations.DEFAULT:
            rows = rows[similarities[rows] >= recordings.LEAST_ALIKE]
        if not len(rows):
            return frozenset()
        distances = fingerprint.distances(fingerprint.of(self._clip), prints[rows])
        return frozenset(rows[distances <= fingerprint.SAME].tolist())

    @cached_property
    def soundalike_moments(self) -> NDArray[np.float32]:
        """The clip's `soundalike` vector by stretches of 3 s [shape=(10, 64)]; their mean is the vector.

        Raises
        ------
        ModelError
            If the network is missing.
        """
        return representations.soundalike.moments(self._clip, self._models)

    @cached_property
    def descriptors(self) -> NDArray[np.float32]:
        """The clip in plain quantities, as `spectral_summary.summarise` gives them [shape=(108,)]."""
        return spectral_summary.summarise(self._clip)

    @cached_property
    def picture(self) -> Picture:
        """The clip's mel spectrogram."""
        return moments.draw(self._clip)


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
    """

    embeddings: Mapping[str, NDArray[np.float32]]
    genres: dict[str, float]
    row: int | None = None
    duration: float | None = None
    notes: tuple[str, ...] = field(default=())

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
    source: str | Path | bytes,
    index: Index,
    models: ModelStore,
    on_step: OnStep = lambda step: None,
    turn: Turn = nullcontext,
    decode: Callable[[Any], Clip] = audio.decode,
) -> Query:
    """Decode and embed a clip, and see whether the library has it.

    Parameters
    ----------
    source : path, or the bytes of a file
    index : the library to recommend from
    models : the networks that the index was built with
    on_step : called with each of the first three `STEPS` as it begins
    turn : waits for the networks, now and for what is asked of the clip later
    decode : of `source`; `sandbox.decode` for what a stranger sent

    Raises
    ------
    AudioError
        If the clip cannot be used.
    IndexFolderError, ModelError
        If the models are missing or are not those of the index.
    """
    index.check_models(models)
    on_step(STEPS[0])
    clip = audio.analysis_window(decode(source))
    embeddings = ClipEmbeddings(clip, index, models, turn)
    if "vgg_mel" in embeddings:
        on_step(STEPS[1])
        representations.vgg_features.mel_image(clip)
    on_step(STEPS[2])
    _hear(index, embeddings)
    row = index.row_of_file(_sha256(source))
    if row is None:
        row = _same_recording(index, embeddings)
    genres: dict[str, float] = {}
    notes = clip.notes
    if index.genres and row is not None:
        # The head may have been trained on this very track; the index has a held-out prediction.
        genres = index.genre_probabilities(row)
    elif index.genres and models.light:
        notes += ("This server has too little memory to predict the genres of a clip.",)
    elif index.genres:
        genres = representations.genre_head.genre_probabilities(clip, models)
    return Query(embeddings, genres, row, clip.source_duration, notes)


def rehearse(models: ModelStore) -> None:
    """Go once, with noise, through what a clip goes through, so that no visitor waits for first times.

    A model that is missing is passed over; who needs it is told.
    """
    noise = np.random.default_rng(0).normal(0.0, 0.1, audio.ANALYSIS_SAMPLES)
    clip = Clip(noise.astype(np.float32))
    for name in ("vgg_mel", "genre_head", representations.default(list(representations.REGISTRY))):
        with suppress(ModelError):
            representations.get(name).embed(clip, models)
    fingerprint.of(clip)


def duplicates(index: Index, query: Query) -> NDArray[np.intp]:
    """Rows of the index that are the query's own recording (`soundalike.duplicates` says how)."""
    same = set() if query.row is None else {query.row} | recordings.of(index, query.row)
    if not query.in_library:
        same |= _copies(index, query.embeddings)
    return np.array(sorted(same), np.intp)


def _hear(index: Index, embeddings: ClipEmbeddings) -> None:
    """Compute what a first answer needs; what needs no network goes on beside VGG16's long pass."""
    names = [name for name in _first_asked(index) if name in embeddings]
    by_vgg16 = [name for name in names if "vgg16" in representations.get(name).models]
    others = [name for name in names if name not in by_vgg16]
    with ThreadPoolExecutor(1) as aside:
        if by_vgg16 and any("musicnn" in representations.get(name).models for name in others):
            aside.submit(representations.musicnn_features.prepare, embeddings.clip)
        described = aside.submit(lambda: embeddings.descriptors)
        embeddings.compute([*by_vgg16, *others])
        described.result()


def _first_asked(index: Index) -> list[str]:
    """What every query needs: what it is compared by unless told otherwise, and recognised by."""
    default = representations.default(index.names)
    wanted = [*index.parts(default), "vgg_mel", "genre_head"]
    return [name for name in index.stored if name in wanted]


def _same_recording(index: Index, embeddings: Mapping[str, NDArray[np.float32]]) -> int | None:
    """The row that a new clip is a copy of, if there is one; the most alike where there are several."""
    copies = sorted(_copies(index, embeddings))
    if not copies:
        return None
    by = "vgg_mel" if "vgg_mel" in embeddings else representations.default(index.names)
    similarities = index.similarities(by, embeddings)
    return max(copies, key=lambda row: float(similarities[row]))


def _copies(index: Index, embeddings: Mapping[str, NDArray[np.float32]]) -> set[int]:
    """Rows that are the same recording as a new clip, by either check."""
    same: set[int] = set()
    if "vgg_mel" in embeddings:
        similarities = index.similarities_of_parts({"vgg_mel": 1.0}, embeddings)
        same = set(np.flatnonzero(similarities >= recordings.SIMILARITY).tolist())
    return same | (set(embeddings.copies) if isinstance(embeddings, ClipEmbeddings) else set())


def _sha256(source: str | Path | bytes) -> str:
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    return hashlib.sha256(content).hexdigest()
