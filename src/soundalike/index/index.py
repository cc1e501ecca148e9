"""The index: a folder with a library's embeddings, ready for search.

    manifest.json                 schema version, library, representations, model checksums, files
    tracks.parquet                one row per track
    <name>.npy                    embeddings, float16 [shape=(n, dim)], memory-mapped
    <name>_norms.npy              Euclidean norms, float32 [shape=(n,)]
    <name>_top_tracks.npy         for each dimension, the five tracks with the highest values, int32
    <name>_raw.npy                unscaled embeddings of a scaled representation, float32
    <name>_scale.npy              offset and divisor of its scaling (`scaling`), float32 [shape=(2, dim)]
    <name>_bias.npy               bias added to the cosine with each track, float32 [shape=(n,)]
    <name>_neighbours.npy         each track's nearest neighbours, nearest first, int32
    <name>_similarities.npy       their similarities, float32
    genre_probabilities.npy       predicted genres, float32 [shape=(n, genres)]
    genre_head_heldout.npy        genre_head features from the fold trained without the track
    map_<name>_<setting>.npy      each track's position on a map, float32 [shape=(n, 2 or 3)]
    skipped.csv                   skipped files and the reasons
    model_<name>.npz, .md         a model included in the index, and its model card

The manifest may have a `name` for the library, `own_models` (model to file) for the included models,
and `partial` (files `done` of `files`) if indexing was stopped.

The similarity measure is cosine similarity. A joined representation stores no vectors of its own, and
its weights can change at query time (`similarity`). For many long vectors the index also has `_pca.npy`
and `_codes.npy` (`pca_prefilter`), and only the best and worst similarities are exact; for many that
aren't very long also `_columns.npy` (`columns`). Very large libraries may also have `_approximate.faiss`
(`ann`).

A heavy representation may have only its neighbours. It can then compare the library's tracks, but not a
new clip.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from soundalike import representations
from soundalike.errors import IndexFolderError
from soundalike.index import columns, similarity, storage
from soundalike.index.joined_codes import JoinedCodes
from soundalike.index.metadata import IndexFacts
from soundalike.index.music_files import MusicFolders
from soundalike.index.pca_prefilter import FirstPass
from soundalike.index.row_reader import RowReader, Rows
from soundalike.index.similarity import nearest as nearest
from soundalike.index.vectors import Vectors
from soundalike.models import ModelStore, vgg_features
from soundalike.representations import scaling

if TYPE_CHECKING:
    from soundalike.index.ann import Approximate

SCHEMA = storage.SCHEMA
MANIFEST = storage.MANIFEST
TRACKS = storage.TRACKS
NEIGHBOURS = 100
TOP_TRACKS = 5
_KEPT = 16
"""Number of searches whose results are kept, 4 bytes per track each."""

Embeddings = Mapping[str, NDArray[np.float32]]
"""A query's vectors by stored representation."""


class TrackEmbeddings(Mapping[str, NDArray[np.float32]]):
    """A track's vectors by stored representation, read on demand."""

    def __init__(self, index: Index, row: int) -> None:
        self._index = index
        self.row = row

    def is_of(self, index: Index) -> bool:
        """Whether it is a track of this index."""
        return self._index is index

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name not in self._index.stored:
            raise KeyError(name)
        vector: NDArray[np.float32] = self._index.vectors(name, [self.row])[0]
        return vector

    def __iter__(self) -> Iterator[str]:
        return iter(self._index.stored)

    def __len__(self) -> int:
        return len(self._index.stored)


@dataclass(frozen=True, eq=False)
class Index(IndexFacts):
    """A loaded index, ready for search; created by `load`."""

    @property
    def stored(self) -> list[str]:
        """The representations with vectors in the folder, including parts of joined ones."""
        without = set(self.manifest.get("neighbours_only", []))
        return [name for name in representations.stored(self.names) if name not in without]

    def has_vectors(self, name: str) -> bool:
        """Whether a representation can compare new clips, not only the library's tracks."""
        return set(self.parts(name)) <= set(self.stored)

    def array(self, name: str) -> NDArray[Any]:
        """One of the folder's arrays, by file name without `.npy`, memory-mapped."""
        if name not in self._arrays:
            self._arrays[name] = storage.open_array(self.folder / f"{name}.npy")
        return self._arrays[name]

    def optional(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any] | None:
        """An optional array, such as those of `soundalike measure`; None if it is missing.

        Parameters
        ----------
        name : file name without `.npy`
        shape : expected shape; -1 for any length

        Raises
        ------
        IndexFolderError
            If the shape or type differs, as for an array of another library or version.
        """
        path = self.folder / f"{name}.npy"
        if not path.is_file():
            return None
        array = self.array(name)
        lengths = zip(shape, array.shape, strict=False)
        fits = array.ndim == len(shape) and all(wanted in (-1, own) for wanted, own in lengths)
        if not fits or array.dtype != dtype:
            raise storage.damaged(path)
        return array

    def embeddings(self, row: int) -> Embeddings:
        """A track's vectors by stored representation."""
        return TrackEmbeddings(self, row)

    def prepare(self, name: str, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale a new clip's vector as the stored vectors are scaled.

        Parameters
        ----------
        name : a stored representation
        vector : the result of its `embed` [shape=(..., dim)]
        """
        kind = representations.get(name).scaling
        if kind is None:
            return vector
        return scaling.apply(kind, vector, np.asarray(self.array(f"{name}_scale")))

    def genre_probabilities(self, row: int) -> dict[str, float]:
        """A track's held-out genre predictions, most likely first."""
        values = map(float, self.array("genre_probabilities")[row])
        return dict(sorted(zip(self.genres, values, strict=True), key=lambda pair: -pair[1]))

    def similarities(
        self, name: str, query: Embeddings, weights: Mapping[str, float] | None = None
    ) -> NDArray[np.float32]:
        """Cosine similarity of a query to every track, plus the tracks' bias if there is one.

        Parameters
        ----------
        name : a representation of this index
        query : vectors of the representation's parts, one per part [shape=(dim,)] or several
            [shape=(m, dim)]
        weights : weights of a joined representation's parts; the index's by default

        Returns
        -------
        float32 [shape=(n,)] or [shape=(m, n)]; 0 (before the bias) if either vector is all zeros

        Raises
        ------
        IndexFolderError
            If the index does not store the representation's vectors.
        """
        return self.cosines(name, query, weights) + self.bias(name)

    def similarities_of_track(self, name: str, row: int) -> NDArray[np.float32]:
        """As `similarities`, for one of the tracks; read-only, and the last few are kept.

        Most clicks on a page are about the same track as the click before.

        Raises
        ------
        IndexFolderError
            If the index does not store the representation's vectors.
        """
        return self._search_of_track(name, row)

    @cached_property
    def _search_of_track(self) -> Callable[[str, int], NDArray[np.float32]]:
        def search(name: str, row: int) -> NDArray[np.float32]:
            found = self.similarities(name, self.embeddings(row))
            found.flags.writeable = False
            return found

        return lru_cache(_KEPT)(search)

    def cosines(
        self, name: str, query: Embeddings, weights: Mapping[str, float] | None = None
    ) -> NDArray[np.float32]:
        """As `similarities`, without the bias.

        Raises
        ------
        IndexFolderError
            If the index does not store the representation's vectors, or its approximate search (`ann`)
            needs a package that is not installed.
        """
        self.check_vectors(name)
        own = self.parts(name)
        chosen = weights or own
        one = all(np.ndim(query[part]) == 1 for part in chosen)
        if one and chosen == own and f"{name}_approximate.faiss" in self.manifest["files"]:
            return self._approximate_cosines(name, query)
        return self.similarities_of_parts(chosen, query)

    def _approximate_cosines(self, name: str, query: Embeddings) -> NDArray[np.float32]:
        from soundalike.index import ann  # only needed here; requires faiss

        if name not in self._approximate:
            self._approximate[name] = ann.Approximate(self.folder / ann.file_name(name))
        found, weights = self._approximate[name], self.parts(name)
        stores = {part: self.store(part) for part in weights}
        vector = ann.joined(stores, weights, query)
        first = found.nearest(vector, similarity.BEST)
        last = np.setdiff1d(found.nearest(-vector, similarity.WORST), first)
        return similarity.similarities_of_candidates(stores, weights, query, first, last)

    def bias(self, name: str) -> NDArray[np.float32]:
        """The bias added to each track's cosine [shape=(n,)]; zeros for most representations.

        It is positive for a track that would otherwise be in no neighbour list, and brings it into two
        (`hubness_correction`).
        """
        if f"{name}_bias.npy" not in self.manifest["files"]:
            return np.zeros(len(self), np.float32)
        return np.asarray(self.array(f"{name}_bias"))

    def similarities_of_parts(
        self,
        weights: Mapping[str, float],
        query: Embeddings,
        best: int = similarity.BEST,
        worst: int = similarity.WORST,
    ) -> NDArray[np.float32]:
        """As `similarities`, for stored representations joined with the given weights.

        Parameters
        ----------
        weights : weights by stored representation
        query : one vector per part [shape=(dim,)], or several [shape=(m, dim)]
        best, worst : number of exact similarities of each query, if there is a first pass

        Returns
        -------
        float32 [shape=(n,)], or [shape=(m, n)]
        """
        stores = {part: self.store(part) for part in weights}
        joined = self._joined(weights) if all(np.ndim(query[part]) == 1 for part in weights) else None
        return similarity.similarities(stores, weights, query, best, worst, joined)

    def _joined(self, weights: Mapping[str, float]) -> JoinedCodes | None:
        """Codes for a first pass with these weights; None if there is none, or for unusual weights."""
        stores = {part: self.store(part) for part in weights}
        if all(part.first_pass is None for part in stores.values()):
            return None
        key = tuple(weights.items())
        if key not in self._joined_codes:
            usual = (tuple(self.parts(name).items()) for name in self.names)
            if key not in usual:
                return None
            self._joined_codes[key] = JoinedCodes(stores, weights, similarity.lengths(stores, weights))
        return self._joined_codes[key]

    def vectors(self, name: str, rows: Rows) -> NDArray[np.float32]:
        """The vectors of some tracks in a stored representation [shape=(m, dim)].

        Unlike rows of `array`, they free their memory when no longer used.
        """
        return self.store(name).rows(rows)

    def exact(self, name: str) -> bool:
        """Whether all similarities in a representation are exact, not only the best and worst."""
        files = {f"{part}_codes.npy" for part in self.parts(name)} | {f"{name}_approximate.faiss"}
        return not files & self.manifest["files"].keys()

    def column(self, name: str, dimension: int) -> NDArray[np.float32]:
        """One dimension of a representation, of every track [shape=(n,)].

        A joined representation's dimensions are those of its parts in turn, without their weights.
        """
        part, own = self.part_of(name, dimension)
        if (file := columns.file_name(part)) not in self.manifest["files"]:
            return self.store(part).column(own)
        copied = RowReader(self.folder / file)
        if copied.shape != self.array(part).shape[::-1]:
            raise storage.damaged(self.folder / file)
        return np.asarray(copied.rows([own])[0])

    def part_of(self, name: str, dimension: int) -> tuple[str, int]:
        """The stored part of a representation that a dimension belongs to, and its number there.

        Raises
        ------
        IndexError
            If the representation has no such dimension.
        """
        for part in [name] if name in self.stored else self.parts(name):
            size = representations.get(part).dim or int(self.array(part).shape[1])
            if dimension < size:
                return part, dimension
            dimension -= size
        raise IndexError(f"{name} has no such dimension")

    def parts(self, name: str) -> dict[str, float]:
        """The stored parts of a representation and their weights.

        Raises
        ------
        IndexFolderError
            If the index does not have the representation.
        """
        if name not in self.manifest["representations"]:
            raise IndexFolderError(
                f"This index does not hold {representations.get(name).name!r}; it has "
                f"{', '.join(self.names)}. Add it with `soundalike index --representation {name}`."
            )
        return dict(self.manifest["representations"][name]["parts"]) or {name: 1.0}

    def check_vectors(self, name: str) -> None:
        """Check that a representation can compare new clips.

        Raises
        ------
        IndexFolderError
            If the index stores only its neighbours, or nothing of it.
        """
        if not self.has_vectors(name):
            raise IndexFolderError(
                f"For {name}, this index stores only the neighbours of its own tracks. For anything "
                "else, build a full index with `soundalike index`."
            )

    def neighbours(self, name: str, row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """A track's precomputed neighbours, nearest first: rows and similarities."""
        self.parts(name)
        return self.array(f"{name}_neighbours")[row], self.array(f"{name}_similarities")[row]

    def check_models(self, models: ModelStore) -> None:
        """Check that the models for new clips are those that embedded the tracks.

        Raises
        ------
        IndexFolderError
            If a model's checksum differs from the manifest's.
        """
        drawing = vgg_features.DRAWING
        if self.manifest.get("drawing", drawing) != drawing:
            raise IndexFolderError(
                f"The index {self.folder} was built with other spectrogram settings. "
                "Build it again with `soundalike index`."
            )
        for name, checksum in self.manifest["models"].items():
            if name not in models.names:
                # A missing model trained by the user; code that needs it raises an error.
                continue
            if models.checksum(name) != checksum:
                raise IndexFolderError(
                    f"The index {self.folder} was built with a different {name} model. "
                    "Build it again with `soundalike index`."
                )

    def store(self, name: str) -> Vectors:
        """The vectors of a stored representation."""
        if name not in self._stores:
            first = None
            if f"{name}_codes.npy" in self.manifest["files"]:
                codes = RowReader(self.folder / f"{name}_codes.npy")
                first = FirstPass(self.array(f"{name}_pca"), codes)
            reader = RowReader(self.folder / f"{name}.npy")
            self._stores[name] = Vectors(reader, np.asarray(self.array(f"{name}_norms")), first)
        return self._stores[name]

    @cached_property
    def _approximate(self) -> dict[str, Approximate]:
        return {}

    @cached_property
    def _joined_codes(self) -> dict[tuple[tuple[str, float], ...], JoinedCodes]:
        return {}

    @cached_property
    def _stores(self) -> dict[str, Vectors]:
        return {}

    @cached_property
    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {}


def load(folder: Path, *, checksums: bool = False, music: MusicFolders | None = None) -> Index:
    """Open an index and check it, without reading large files.

    Parameters
    ----------
    folder : the index folder
    checksums : also compare every file's SHA-256 with the manifest's, which reads all files
    music : the folders that a server hands out files from; it opens no index with links out of it

    Raises
    ------
    IndexFolderError
        If the folder is missing or of another schema version, or if a file is missing, damaged or
        differs in shape from the manifest.
    """
    if music is not None:
        storage.check_links(folder)
    manifest = storage.read_manifest(folder)
    storage.check_files(folder, manifest, checksums)
    storage.own_models(folder, manifest)
    return Index(folder, manifest, storage.read_tracks(folder, manifest), music)


def is_index(folder: Path) -> bool:
    """Whether a folder is an index of any schema version, which may be overwritten."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and {"schema", "representations", "files"} <= manifest.keys()
