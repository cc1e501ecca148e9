"""Bounded caches of statistics and pictures of an index's dimensions, shared between sessions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import (
    activation_maps,
    dimension_names,
    dimension_profile,
    dimension_sets,
    dimension_stats,
    genre_groups,
    receptive_fields,
)
from soundalike.analysis.dimension_profile import Portrait
from soundalike.analysis.dimension_sets import WORDS, DimensionSets
from soundalike.analysis.dimension_stats import Groups, Matrix, Summary
from soundalike.errors import AudioError, LibraryError
from soundalike.features import thumbnail
from soundalike.features.thumbnail import Thumbnail
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist.query import Query
from soundalike.words import vocabulary

if TYPE_CHECKING:
    import pandas as pd

CHANNELS = "channels"
"""Name of the `vgg_mel` channels averaged over their cells, for statistics."""
NAMED_AT_ONCE = 2_000
"""Number of dimensions that a table or list can name while a visitor waits."""
BLANK = Thumbnail(b"", 0.0)
"""Placeholder picture of a track that cannot be decoded."""

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
    models : the networks; they run for activation maps and for a visitor's clip only

    Attributes
    ----------
    sets : the sets of dimensions
    """

    def __init__(self, index: Index, models: ModelStore) -> None:
        self.index = index
        self.sets = DimensionSets(index, models)
        self._models = models
        self._converted: Shelf[list[NDArray[np.float32]]] = Shelf(5)
        self._deviations: Shelf[NDArray[np.float32]] = Shelf(5)
        self._summaries: Shelf[Summary] = Shelf(4)
        self._overviews: Shelf[tuple[pd.DataFrame, int]] = Shelf(16)
        self._portraits: Shelf[Portrait] = Shelf(64)
        self._relatives: Shelf[NDArray[np.float32]] = Shelf(64)
        self._labels: Shelf[tuple[str, ...]] = Shelf(4)
        self._moments: Shelf[float] = Shelf(1_024)
        self._pictures: Shelf[Thumbnail] = Shelf(512)
        self._features: Shelf[NDArray[np.float16]] = Shelf(64)
        self._maps: Shelf[NDArray[np.float32]] = Shelf(512)

    @property
    def names(self) -> list[str]:
        """The sets of dimensions that can be explored; see `dimension_sets`."""
        return self.sets.names

    @cached_property
    def groups(self) -> Groups:
        """The library's tracks by genre and artist; rare genres count for the library only."""
        shown = genre_groups.of_tracks(self.index)
        genres = ["" if genre == genre_groups.OTHER else genre for genre in shown]
        return dimension_stats.group(genres, self.index.artist_keys)

    @cached_property
    def _descriptors(self) -> NDArray[np.float32] | None:
        return track_arrays.descriptors(self.index)

    def _samples(self, name: str) -> list[NDArray[np.float32]]:
        """A set's values by part, of the tracks in `DimensionSets.sample` [shape=(m, dim) each].

        In float32 and cached, since the conversion takes longer than any of the statistics.
        """
        if (kept := self._converted.get(name)) is not None:
            return kept
        rows = self.sets.sample(name)
        return self._converted.put(
            name, [np.asarray(matrix[rows], np.float32) for matrix in self.sets.whole(name)]
        )

    def _deviation(self, name: str) -> NDArray[np.float32]:
        """Standard deviation of each dimension over these tracks [shape=(dim,)]."""
        if len(self.sets.sample(name)) == len(self.index):
            return self.summary(name).deviation
        if (kept := self._deviations.get(name)) is not None:
            return kept
        parts = [dimension_stats.deviation(matrix) for matrix in self._samples(name)]
        return self._deviations.put(name, np.concatenate(parts).astype(np.float32))

    def _whole(self, name: str) -> Sequence[Matrix]:
        """A set's values by part, of all tracks."""
        is_whole = len(self.sets.sample(name)) == len(self.index)
        return self._samples(name) if is_whole else self.sets.whole(name)

    def summary(self, name: str) -> Summary:
        """Statistics of every dimension of a set (or of `CHANNELS`)."""
        if (kept := self._summaries.get(name)) is not None:
            return kept
        if name == CHANNELS:
            matrices: Sequence[Matrix] = [dimension_stats.gather(self._whole("vgg_mel")[0])]
        else:
            matrices = self._whole(name)
        found = [dimension_stats.summarise(matrix, self.groups) for matrix in matrices]
        return self._summaries.put(name, dimension_stats.joined(found))

    def labels(self, name: str) -> tuple[str, ...]:
        """A label for each dimension of a set, "" for those without a name.

        Too many dimensions have none: see `NAMED_AT_ONCE`.
        """
        if name == WORDS:
            return tuple(word.name for word in vocabulary.words())
        size = self.sets.size(name)
        if size > NAMED_AT_ONCE:
            return ("",) * size
        if (kept := self._labels.get(name)) is not None:
            return kept
        known = dimension_profile.properties(self.sets, name, None, self._descriptors)
        if known is None:
            return self._labels.put(name, ("",) * size)
        values = np.concatenate(self._samples(name), axis=1)
        keys = [self.index.artist_keys[row] for row in self.sets.sample(name)]
        return self._labels.put(
            name, tuple(map(dimension_names.label, dimension_names.find(values, known, keys)))
        )

    def overview(
        self, name: str, kind: str, genre: str | None, order: str, most: int
    ) -> tuple[pd.DataFrame, int]:
        """The first rows of `dimension_stats.overview`, and the total number of rows.

        Parameters
        ----------
        name : a set of dimensions, or `CHANNELS`
        kind, genre, order : filter and order of the rows
        most : maximum number of rows
        """
        key = (name, kind, genre, order, most)
        if (kept := self._overviews.get(key)) is not None:
            return kept
        labels = None if name in (CHANNELS, "vgg_mel") else self.labels(name)
        table = dimension_stats.overview(self.summary(name), name, kind, genre, order, labels)
        return self._overviews.put(key, (table.head(most).copy(), len(table)))

    def portrait(self, name: str, dimension: int) -> Portrait:
        """Profile of a dimension."""
        if (kept := self._portraits.get((name, dimension))) is not None:
            return kept
        painted = dimension_profile.paint(self.sets, name, dimension, self.groups, self._descriptors)
        return self._portraits.put((name, dimension), painted)

    def siblings(self, painted: Portrait) -> Summary:
        """The dimensions shown beside one in the grid: its channel's cells, or all features."""
        if painted.cell is None:
            return self.summary(painted.name)
        matrix = self.sets.matrices(painted.name)[0]
        cells = matrix[:, painted.cell.channel :: receptive_fields.CHANNELS]
        return dimension_stats.summarise(cells, self.groups)

    def relatives(
        self, painted: Portrait, count: int
    ) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
        """The dimensions most and least correlated with one, with their correlations.

        In a large library, over a sample of its tracks (`DimensionSets.sample`). For `vgg_mel`, only
        dimensions of other channels: cells of a channel resemble each other anyway.
        """
        key = (painted.name, painted.dimension)
        if (found := self._relatives.get(key)) is None:
            values = painted.values[self.sets.sample(painted.name)]
            matrices = self._samples(painted.name)
            ends = np.cumsum([matrix.shape[1] for matrix in matrices])
            deviations = np.split(self._deviation(painted.name), ends[:-1])
            parts = [
                dimension_stats.correlations(matrix, values, deviation)
                for matrix, deviation in zip(matrices, deviations, strict=True)
            ]
            found = self._relatives.put(key, np.concatenate(parts))
        others = np.ones(len(found), bool)
        others[painted.dimension] = False
        if painted.cell is not None:
            others[painted.cell.channel :: receptive_fields.CHANNELS] = False
        order = np.argsort(-found, kind="stable")
        order = order[others[order]]
        similar = [(int(d), float(found[d])) for d in order[:count] if found[d] > 0]
        opposite = [(int(d), float(found[d])) for d in order[::-1][:count] if found[d] < 0]
        return similar, opposite

    def strongest(self, name: str, asked: Query, count: int) -> list[tuple[int, float]]:
        """The dimensions that a query activates most relative to the library, with their scores.

        Raises
        ------
        ModelError
            If a network that a visitor's clip needs is missing.
        """
        return dimension_stats.strongest(self.sets.of_query(name, asked), self.summary(name), count)

    def moments(self, name: str, dimensions: Sequence[int], asked: Query) -> list[float]:
        """The second of a query's 30 s clip at which each dimension is highest.

        0 where a set has no values by moments.
        """
        if name == "vgg_mel":
            return [_start_of_cell(dimension) for dimension in dimensions]
        found = self.sets.moments_of_query(name, asked)
        if found is None:
            return [0.0] * len(dimensions)
        return [dimension_sets.start(int(np.argmax(found[:, dimension]))) for dimension in dimensions]

    def moment(self, painted: Portrait, row: int, *, is_high: bool = True) -> float | None:
        """The second at which a dimension is highest in a track, or lowest.

        None if the set has no values by moments, as for a dimension that covers the whole picture.
        """
        if painted.cell is not None:
            return _start_of_cell(painted.dimension)
        key = (painted.name, painted.dimension, row, is_high)
        if (kept := self._moments.get(key)) is not None:
            return kept
        found = self.sets.moments(painted.name, row)
        if found is None:
            return None
        values = found[:, painted.dimension]
        place = int(np.argmax(values if is_high else -values))
        return self._moments.put(key, dimension_sets.start(place))

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


def _start_of_cell(dimension: int) -> float:
    return receptive_fields.share(receptive_fields.cell(dimension)).seconds[0]
