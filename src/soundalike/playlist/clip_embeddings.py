"""A new clip's embeddings, fingerprint and descriptors, each computed on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from soundalike import representations, threads
from soundalike.audio.clip import Clip
from soundalike.features import fingerprint, thumbnail, track_descriptors
from soundalike.features.thumbnail import Thumbnail
from soundalike.index import duplicates as recordings
from soundalike.index import track_arrays
from soundalike.index.index import Index, nearest
from soundalike.models import ModelStore
from soundalike.representations import recorded as correction

Turn = Callable[[], AbstractContextManager[object]]
"""Context manager that waits for the networks and holds them until the end of the block."""
_OF_MEL_SPECTROGRAM = ("vgg_mel", "genre_head")
"""Representations by VGG16 that take its output for the mel spectrogram."""


class ClipEmbeddings(Mapping[str, NDArray[np.float32]]):
    """A new clip's vectors by stored representation, each computed on first use.

    Some take a second and are only needed to compare by that representation.

    Parameters
    ----------
    clip : 30 s of audio
    index : the library; vectors are scaled like its tracks
    models : the networks
    turn : waits for the networks
    recorded : whether the clip was recorded with a microphone (`representations.recorded`)
    """

    def __init__(
        self,
        clip: Clip,
        index: Index,
        models: ModelStore,
        turn: Turn = nullcontext,
        recorded: bool = False,
    ) -> None:
        self.recorded = recorded
        self._clip = clip
        self._index = index
        self._models = models
        self._turn = turn
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._closer = False
        self._track: int | None = None
        self._similarities: dict[str, NDArray[np.float32]] = {}

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name not in self._index.stored:
            raise KeyError(name)
        self.compute([name])
        return self._vectors[name]

    def compute(self, names: Iterable[str], turn: Turn | None = None) -> None:
        """Compute any of these vectors that are missing.

        The networks are held once, or not at all if what they gave for the clip is at hand.
        """
        missing = [name for name in names if name not in self._vectors]
        waiting = [name for name in missing if self.needs_a_pass(name)]
        with (turn or self._turn)() if waiting else nullcontext():
            for name in missing:
                self._vectors[name] = self._index.prepare(name, self._embed(name))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def has_computed(self, name: str) -> bool:
        """Whether a vector has been computed."""
        return name in self._vectors

    def similarities(self, name: str) -> NDArray[np.float32]:
        """Similarity to every track by a representation [shape=(n,)]; computed once."""
        if name not in self._similarities:
            self._similarities[name] = self._index.similarities(name, self)
            self._similarities[name].flags.writeable = False
        return self._similarities[name]

    def part_similarities(self, name: str) -> NDArray[np.float32]:
        """Like `similarities`, but by a single stored part, even one that isn't offered by itself."""
        key = f"part {name}"
        if key not in self._similarities:
            self._similarities[key] = self._index.similarities_of_parts({name: 1.0}, self)
        return self._similarities[key]

    def is_of(self, index: Index) -> bool:
        """Whether these vectors belong to an index."""
        return self._index is index

    @cached_property
    def _names(self) -> list[str]:
        """Names of the available representations: all stored ones that the models can compute."""
        return [
            name
            for name in self._index.stored
            if not (self._models.light and "vgg16" in representations.get(name).models)
        ]

    @property
    def clip(self) -> Clip:
        """The 30 s clip itself."""
        return self._clip

    @property
    def models(self) -> ModelStore:
        """The networks that embed the clip."""
        return self._models

    @cached_property
    def copies(self) -> frozenset[int]:
        """Copies of the clip, with candidates from the default representation; see `copies_by`."""
        return self.copies_by(representations.default(self._index.names))

    def copies_by(self, name: str) -> frozenset[int]:
        """Rows of the index whose fingerprint matches this recording.

        Only the nearest tracks by a representation are compared. The representation should be robust to
        where a clip begins.
        """
        return self._copies_of(lambda: [self.fingerprint], name)

    @cached_property
    def copies_at_other_speeds(self) -> frozenset[int]:
        """Copies at other speeds, with candidates from the default representation."""
        return self.copies_at_other_speeds_by(representations.default(self._index.names))

    def copies_at_other_speeds_by(self, name: str) -> frozenset[int]:
        """Like `copies_by`, for tracks that the clip plays slightly faster or slower."""
        return self._copies_of(self._fingerprints_at_other_speeds, name)

    def look_closer(self) -> None:
        """Also look for copies at other speeds from now on, if there is none at the same speed."""
        self._closer = True

    @property
    def found_copies(self) -> frozenset[int]:
        """The copies found by the searches done up to now."""
        return self.copies if self.copies or not self._closer else self.copies_at_other_speeds

    def _copies_of(self, own: Callable[[], list[NDArray[np.uint32]]], name: str) -> frozenset[int]:
        """Rows that match one of the clip's own fingerprints, which are computed if a track is near."""
        prints = track_arrays.fingerprints(self._index)
        if prints is None or not self._index.has_vectors(name):
            return frozenset()
        rows = self._candidates(name)
        if not len(rows):
            return frozenset()
        most = fingerprint.SAME_RECORDED if self.recorded else fingerprint.SAME
        distances = np.min([fingerprint.distances(each, prints[rows]) for each in own()], axis=0)
        return frozenset(rows[distances <= most].tolist())

    def _candidates(self, name: str) -> NDArray[np.intp]:
        """Rows of the tracks that may be this recording: the nearest by an embedding."""
        similarities = self.similarities(name)
        if self.recorded:
            return nearest(similarities, recordings.NEAREST_RECORDED)
        rows = nearest(similarities, recordings.NEAREST)
        if name == representations.DEFAULT:
            rows = rows[similarities[rows] >= recordings.MIN_SIMILARITY]
        return rows

    @cached_property
    @threads.single_threaded_blas()
    def fingerprint(self) -> NDArray[np.uint32]:
        """The clip's fingerprint, as `fingerprint.of` gives it [shape=(315,)]."""
        return fingerprint.of(self._clip)

    def _fingerprints_at_other_speeds(self) -> list[NDArray[np.uint32]]:
        with ThreadPoolExecutor(len(fingerprint.SPEEDS)) as aside:
            return list(aside.map(partial(fingerprint.of, self._clip), fingerprint.SPEEDS))

    @threads.single_threaded_blas()
    def moments(self, name: str) -> NDArray[np.float32] | None:
        """The network's output for each 3 s segment of the clip [shape=(10, dim)].

        None for a representation that isn't a mean over segments.

        Raises
        ------
        ModelError
            If the network is missing.
        """
        if self.recorded and name in correction.PARTS:
            known = self._moments_of_track(name)
            return self._corrected[name] if known is None else known
        of = representations.get(name).moments
        return None if of is None else of(self._clip, self._models)

    def recognise(self, row: int) -> None:
        """Use the vectors of the library track that was recorded instead of estimated ones."""
        self._track = row
        self._similarities.clear()
        for name in correction.PARTS:
            if name in self._index.stored:
                self._vectors[name] = self._index.vectors(name, [row])[0]

    def _moments_of_track(self, name: str) -> NDArray[np.float32] | None:
        """The segments of the recognised library track, if there is one and the index has them."""
        if self._track is None:
            return None
        stored = track_arrays.moments(self._index, name)
        return None if stored is None else stored[self._track].astype(np.float32)

    def needs_a_pass(self, name: str) -> bool:
        """Whether a large network has yet to run for a vector."""
        if name in self._vectors:
            return False
        networks = set(representations.get(name).models)
        if self.recorded and name in correction.PARTS:
            networks.update(*(representations.get(part).models for part in correction.PARTS))
        other_picture = "vgg16" in networks and name not in _OF_MEL_SPECTROGRAM
        return other_picture or not self._models.has_run(self._clip, networks)

    def _embed(self, name: str) -> NDArray[np.float32]:
        """The clip's vector from the network, or for a recording the estimate of its source's."""
        weights = representations.get(name).moment_weights
        if self.recorded and name in correction.PARTS and weights is not None:
            return np.asarray(weights() @ self._corrected[name], np.float32)
        return representations.get(name).embed(self._clip, self._models)

    @cached_property
    @threads.single_threaded_blas()
    def _corrected(self) -> dict[str, NDArray[np.float32]]:
        return correction.moments(self._clip, self._models)

    @cached_property
    @threads.single_threaded_blas()
    def descriptors(self) -> NDArray[np.float32]:
        """The clip's spectral descriptors, from `track_descriptors.summarise` [shape=(108,)]."""
        return track_descriptors.summarise(self._clip)

    @cached_property
    @threads.single_threaded_blas()
    def picture(self) -> Thumbnail:
        """The clip's mel spectrogram."""
        return thumbnail.draw(self._clip)
