"""Bounded caches of statistics and pictures of an index's dimensions, shared between sessions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import activation_maps, dimension_profile, dimension_stats, receptive_fields
from soundalike.analysis.dimension_profile import Portrait
from soundalike.analysis.dimension_stats import Groups, Matrix, Summary, Table
from soundalike.datasets import artists
from soundalike.errors import AudioError, LibraryError
from soundalike.features import thumbnail
from soundalike.features.thumbnail import Thumbnail
from soundalike.index import genre_groups, track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore

CHANNELS = "channels"
"""Name of the `vgg_mel` channels averaged over their cells, for statistics."""
DIMENSIONS = ("vgg_mel", "genre_head")
"""Representations whose dimensions can be explored."""
BLANK = Thumbnail(b"", 0.0)
"""Placeholder picture of a track that cannot be decoded."""
_MATRIX_BYTES = 128 * 2**20
_MOST_BYTES = 512 * 2**20
"""Amount that can be read in some seconds: 10,000 tracks of `vgg_mel`."""

T = TypeVar("T")


class Shelf(Generic[T]):
    """Least-recently-used cache of bounded size; thread-safe."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        """The value for a key, or None if it isn't cached."""
        with self._lock:
            if key not in self._things:
                return None
            self._things.move_to_end(key)
            return self._things[key]

    def put(self, key: Hashable, thing: T) -> T:
        """Cache a value, and evict the least recently used one."""
        with self._lock:
            self._things[key] = thing
            self._things.move_to_end(key)
            while len(self._things) > self.capacity:
                self._things.popitem(last=False)
        return thing


class FeatureStore:
    """Statistics of an index's dimensions, each computed once.

    Parameters
    ----------
    index : the library
    models : the networks; only used for activation maps
    """

    def __init__(self, index: Index, models: ModelStore) -> None:
        self.index = index
        self._models = models
        self._matrices: Shelf[NDArray[np.float32]] = Shelf(2)
        self._summaries: Shelf[Summary] = Shelf(4)
        self._overviews: Shelf[tuple[Table, int]] = Shelf(16)
        self._portraits: Shelf[Portrait] = Shelf(64)
        self._relatives: Shelf[NDArray[np.float32]] = Shelf(64)
        self._pictures: Shelf[Thumbnail] = Shelf(512)
        self._features: Shelf[NDArray[np.float16]] = Shelf(64)
        self._maps: Shelf[NDArray[np.float32]] = Shelf(512)

    @property
    def names(self) -> list[str]:
        """Those of `DIMENSIONS` that the index has and that can be read quickly enough."""
        return [name for name in self._stored if name not in self.too_large]

    @cached_property
    def too_large(self) -> list[str]:
        """Those of `DIMENSIONS` whose vectors take too long to read while a user waits."""
        return [name for name in self._stored if self.index.array(name).nbytes > _MOST_BYTES]

    @property
    def _stored(self) -> list[str]:
        return [name for name in DIMENSIONS if name in self.index.stored]

    @cached_property
    def groups(self) -> Groups:
        """The library's tracks by genre and artist; rare genres count for the library only."""
        shown = genre_groups.of_tracks(self.index)
        genres = ["" if genre == genre_groups.OTHER else genre for genre in shown]
        return dimension_stats.group(genres, artists.keys(self.index.tracks))

    @cached_property
    def _descriptors(self) -> NDArray[np.float32] | None:
        return track_arrays.descriptors(self.index)

    def _matrix(self, name: str) -> Matrix:
        """A stored matrix; in float32 if small enough to cache, since the conversion takes longer than
        any of the statistics."""
        stored: Matrix = self.index.array(name)
        if stored.size * 4 > _MATRIX_BYTES:
            return stored
        if (kept := self._matrices.get(name)) is None:
            kept = self._matrices.put(name, stored.astype(np.float32))
        return kept

    def summary(self, name: str) -> Summary:
        """Statistics of every dimension of a stored representation (or of `CHANNELS`)."""
        if (kept := self._summaries.get(name)) is not None:
            return kept
        matrix = (
            dimension_stats.gather(self._matrix("vgg_mel")) if name == CHANNELS else self._matrix(name)
        )
        return self._summaries.put(name, dimension_stats.summarise(matrix, self.groups))

    def overview(
        self, name: str, kind: str, genre: str | None, order: str, most: int
    ) -> tuple[Table, int]:
        """The first rows of `dimension_stats.overview`, and the total number of rows.

        Parameters
        ----------
        name : a stored representation, or `CHANNELS`
        kind, genre, order : filter and order of the rows
        most : maximum number of rows
        """
        key = (name, kind, genre, order, most)
        if (kept := self._overviews.get(key)) is not None:
            return kept
        table = dimension_stats.overview(self.summary(name), name, kind, genre, order)
        return self._overviews.put(key, (table.head(most).copy(), len(table)))

    def portrait(self, name: str, dimension: int) -> Portrait:
        """Profile of a dimension."""
        if (kept := self._portraits.get((name, dimension))) is not None:
            return kept
        painted = dimension_profile.paint(self.index, name, dimension, self.groups, self._descriptors)
        return self._portraits.put((name, dimension), painted)

    def siblings(self, painted: Portrait) -> Summary:
        """The dimensions shown beside one in the grid: its channel's cells, or all features."""
        matrix = self.index.array(painted.name)
        if painted.cell is not None:
            matrix = matrix[:, painted.cell.channel :: receptive_fields.CHANNELS]
        return dimension_stats.summarise(matrix, self.groups)

    def relatives(
        self, painted: Portrait, count: int
    ) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """The dimensions most and least correlated with one, with their correlations.

        For `vgg_mel`, only dimensions of other channels: cells of a channel resemble each other anyway.
        """
        key = (painted.name, painted.dimension)
        if (found := self._relatives.get(key)) is None:
            matrix, summary = self._matrix(painted.name), self.summary(painted.name)
            found = self._relatives.put(
                key, dimension_stats.correlations(matrix, painted.values, summary)
            )
        others = np.ones(len(found), bool)
        others[painted.dimension] = False
        if painted.cell is not None:
            others[painted.cell.channel :: receptive_fields.CHANNELS] = False
        order = np.argsort(-found, kind="stable")
        order = order[others[order]]
        similar = [(int(d), float(found[d])) for d in order[:count] if found[d] > 0]
        opposite = [(int(d), float(found[d])) for d in order[::-1][:count] if found[d] < 0]
        return similar, opposite

    def strongest(self, name: str, row: int, count: int) -> list[tuple[int, float]]:
        """The dimensions that a track activates most relative to the library, with their scores."""
        return dimension_stats.strongest(self.index.array(name)[row], self.summary(name), count)

    def loudest_cell(self, channel: int) -> int:
        """The dimension of `vgg_mel` where a channel is most active across the library."""
        means = dimension_stats.by_cell(self.summary("vgg_mel").mean, channel).ravel()
        return int(np.argmax(means)) * receptive_fields.CHANNELS + channel

    def picture(self, row: int) -> Thumbnail | None:
        """A track's picture if stored or cached; `BLANK` if the track cannot be decoded."""
        return track_arrays.thumbnail(self.index, row) or self._pictures.get(row)

    def draw(self, row: int) -> Thumbnail:
        """Draw a track's picture, which takes a fifth of a second."""
        try:
            return self._pictures.put(row, thumbnail.draw_file(self.index.file(row)))
        except (AudioError, LibraryError):
            return self._pictures.put(row, BLANK)

    def look_inside(self, row: int) -> None:
        """Run the network on a track, which takes a second or two, and keep the result for `map_of`.

        Raises
        ------
        AudioError, IndexFolderError, LibraryError, ModelError
            If the clip or the network cannot be read, or the network doesn't match the index.
        """
        if self._features.get(row) is None:
            self.index.check_models(self._models)
            self._features.put(row, activation_maps.feature_map(self.index.file(row), self._models))

    def map_of(self, painted: Portrait, row: int) -> NDArray[np.float32] | None:
        """Activation map of a dimension for a track, if the network has been run on it."""
        features = self._features.get(row)
        if features is None:
            return None
        if painted.cell is not None:
            return activation_maps.channel_map(features, painted.cell.channel)
        if (kept := self._maps.get((row, painted.dimension))) is not None:
            return kept
        silenced = activation_maps.silencing_map(features, painted.dimension, self._models)
        return self._maps.put((row, painted.dimension), silenced)
