"""A new clip's embeddings, and what else is known of it, each computed when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property

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
"""Waits until the network may be used, which is until the end of the block."""


class ClipEmbeddings(Mapping[str, NDArray[np.float32]]):
    """A new clip's vectors by stored representation, each computed when it is first asked for.

    Some take a second and are of use only to who compares by them.

    Parameters
    ----------
    clip : 30 s of it
    index : whose representations they are, scaled as it scales its tracks
    models : the networks
    turn : waits for the networks
    recorded : whether the clip came through a microphone (`representations.recorded`)
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
        """Compute those of these vectors that were not before, all in one turn."""
        missing = [name for name in names if name not in self._vectors]
        if not missing:
            return
        with (turn or self._turn)():
            for name in missing:
                self._vectors[name] = self._index.prepare(name, self._embed(name))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def has_computed(self, name: str) -> bool:
        """Whether a vector is there already."""
        return name in self._vectors

    def similarities(self, name: str) -> NDArray[np.float32]:
        """Similarity to every track by a representation, searched once [shape=(n,)]."""
        if name not in self._similarities:
            self._similarities[name] = self._index.similarities(name, self)
            self._similarities[name].flags.writeable = False
        return self._similarities[name]

    def part_similarities(self, name: str) -> NDArray[np.float32]:
        """As `similarities`, by one stored representation alone, be it compared by or not."""
        key = f"part {name}"
        if key not in self._similarities:
            self._similarities[key] = self._index.similarities_of_parts({name: 1.0}, self)
        return self._similarities[key]

    def is_of(self, index: Index) -> bool:
        """Whether these are vectors for that index."""
        return self._index is index

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
        """`copies_by` the representation that is compared by unless told otherwise."""
        return self.copies_by(representations.default(self._index.names))

    def copies_by(self, name: str) -> frozenset[int]:
        """Rows of the index whose fingerprint says that they are this recording.

        Only the nearest tracks by a representation are compared, which should not mind where a clip
        begins.
        """
        return self._copies_of(self.fingerprint, name)

    @cached_property
    def copies_at_other_speeds(self) -> frozenset[int]:
        """`copies_at_other_speeds_by` the representation that is compared by unless told otherwise."""
        return self.copies_at_other_speeds_by(representations.default(self._index.names))

    def copies_at_other_speeds_by(self, name: str) -> frozenset[int]:
        """As `copies_by`, of tracks that the clip plays a little faster or slower than they are."""
        prints = (fingerprint.of(self._clip, speed) for speed in fingerprint.SPEEDS)
        return frozenset().union(*(self._copies_of(own, name) for own in prints))

    def look_closer(self) -> None:
        """From now on also look for copies at other speeds, where there is none at this one."""
        self._closer = True

    @property
    def found_copies(self) -> frozenset[int]:
        """Copies as far as they were looked for."""
        return self.copies if self.copies or not self._closer else self.copies_at_other_speeds

    def _copies_of(self, own: NDArray[np.uint32], name: str) -> frozenset[int]:
        prints = track_arrays.fingerprints(self._index)
        if prints is None or not self._index.has_vectors(name):
            return frozenset()
        rows = self._candidates(name)
        distances = fingerprint.distances(own, prints[rows])
        most = fingerprint.SAME_RECORDED if self.recorded else fingerprint.SAME
        return frozenset(rows[distances <= most].tolist())

    def _candidates(self, name: str) -> NDArray[np.intp]:
        """Rows of the tracks that may be this recording, nearest by an embedding."""
        similarities = self.similarities(name)
        if self.recorded:
            return nearest(similarities, recordings.NEAREST_RECORDED)
        rows = nearest(similarities, recordings.NEAREST)
        if name == representations.DEFAULT:
            rows = rows[similarities[rows] >= recordings.LEAST_ALIKE]
        return rows

    @cached_property
    @threads.single_threaded_blas()
    def fingerprint(self) -> NDArray[np.uint32]:
        """The clip's fingerprint, as `fingerprint.of` gives it [shape=(315,)]."""
        return fingerprint.of(self._clip)

    @threads.single_threaded_blas()
    def moments(self, name: str) -> NDArray[np.float32] | None:
        """The clip by stretches of 3 s, as the network gives it [shape=(10, dim)].

        None for a representation that is no mean over stretches.

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
        """Compare a recording by the vectors of the track that it is, and not by estimates."""
        self._track = row
        self._similarities.clear()
        for name in correction.PARTS:
            if name in self._index.stored:
                self._vectors[name] = self._index.vectors(name, [row])[0]

    def _moments_of_track(self, name: str) -> NDArray[np.float32] | None:
        """Those of the library's track that a recording is, if that is known and the index has them."""
        if self._track is None:
            return None
        stored = track_arrays.moments(self._index, name)
        return None if stored is None else stored[self._track].astype(np.float32)

    def _embed(self, name: str) -> NDArray[np.float32]:
        """The clip's vector as the network gives it, or as is estimated of a recording's source."""
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
        """The clip in plain quantities, as `spectral_summary.summarise` gives them [shape=(108,)]."""
        return track_descriptors.summarise(self._clip)

    @cached_property
    @threads.single_threaded_blas()
    def picture(self) -> Thumbnail:
        """The clip's mel spectrogram."""
        return thumbnail.draw(self._clip)
