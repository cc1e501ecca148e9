"""Projection: a representation's space laid out as a map in two or three dimensions.

The layout is UMAP's (McInnes, Healy & Melville 2018, arXiv:1802.03426). UMAP only uses each track's
nearest neighbours. They are computed exactly, by comparing every pair of tracks in the full space,
without PCA or approximate search. Maps have no natural orientation, so each map is rotated (and mirrored
if need be) onto the default map of its representation. It is never stretched.

Distances are cosine (1 minus the similarity that playlists use) or Euclidean (between unnormalised
vectors, which takes their lengths into account; unitless). Positions on a map have no unit.

Trustworthiness (Venna & Kaski 2001, "Neighborhood preservation in nonlinear projection methods")
measures how reliable neighbours on a map are: every false neighbour costs by its rank in the full space.
It is 1 without false neighbours, and about 0.5 for random positions.

A new clip is placed among its nearest tracks, without UMAP (`placement`): at the geometric median of
their positions, weighted as UMAP weights neighbours. UMAP's own `transform` starts from the mean with
the same weights and refines it. Unlike the mean, the median doesn't fall in the gap between two groups.
In a library of more than `FITTED` tracks, UMAP lays out a sample of that size, and the other tracks are
placed like new clips.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.errors import MissingPackageError
from soundalike.index import similarity
from soundalike.index.index import Embeddings, Index, nearest
from soundalike.models.tensorflow_import import import_tensorflow
from soundalike.projection import placement

Metric = Literal["cosine", "euclidean"]

MIN_TRACKS = 16
"""Minimum number of tracks for a map; smaller libraries have no meaningful neighbourhoods."""

SEED = 0

PLACE_NEIGHBOURS = 15
FITTED = 15_000
"""Maximum number of tracks that UMAP lays out, about 20 s per map; the rest are placed."""
_COMPARED = 64
"""Number of sample tracks compared exactly with each placed track, if the index has a first pass."""
_LANDMARKS = 64
_BLOCK = 256


@dataclass(frozen=True, order=True)
class Setting:
    """Parameters of a map.

    Attributes
    ----------
    dims : 2 or 3
    metric : the distance in the full space
    n_neighbors : number of neighbours per track; low values show detail, high values the overall shape
    min_dist : minimum distance of points in UMAP (0 packs clusters tightly)
    """

    dims: int = 2
    metric: Metric = "cosine"
    n_neighbors: int = 15
    min_dist: float = 0.1

    @property
    def name(self) -> str:
        """Name for files and URLs, for example `2d_cosine_n15_d10` (d in hundredths)."""
        return f"{self.dims}d_{self.metric}_n{self.n_neighbors}_d{round(self.min_dist * 100)}"


DEFAULT = Setting()
SETTINGS = (
    *(Setting(2, "cosine", n, d) for n in (5, 15, 50) for d in (0.0, 0.1, 0.5)),
    *(Setting(2, "euclidean", n, 0.1) for n in (5, 15, 50)),
    *(Setting(3, "cosine", n, 0.1) for n in (5, 15, 50)),
)
"""Precomputed settings: all combinations for the distance of playlists, the rest at UMAP's 0.1."""


PREFIX = "map_"


def array_name(representation: str, setting: Setting) -> str:
    """Name of the index array that holds a map, for example `map_vgg_genre_2d_cosine_n15_d10`."""
    return f"{PREFIX}{representation}_{setting.name}"


def settings_of(index: Index, representation: str) -> list[Setting]:
    """The settings of the maps that an index has for a representation."""
    names = [field.name for field in fields(Setting)]
    return sorted(
        Setting(**{name: facts[name] for name in names})
        for facts in index.maps.values()
        if facts["representation"] == representation
    )


@dataclass(frozen=True)
class Neighbours:
    """Each track's nearest neighbours in the full space, itself first.

    Attributes
    ----------
    rows : int32 [shape=(n, k)]
    distances : float32 [shape=(n, k)]
    landmarks : distances to a few reference tracks, float32 [shape=(n, 64)]; UMAP uses them to
        initialise groups that aren't connected to each other
    """

    rows: NDArray[np.int32]
    distances: NDArray[np.float32]
    landmarks: NDArray[np.float32]


@dataclass(frozen=True)
class Placement:
    """Position of a new clip on a map, and the rows and weights (sum 1) that determine it."""

    position: NDArray[np.float32]
    rows: NDArray[np.intp]
    weights: NDArray[np.float64]


def distances(
    index: Index, name: str, metric: Metric, queries: Embeddings, compared: int = similarity.BEST
) -> NDArray[np.float32]:
    """Distance of queries to every track in the full space.

    Parameters
    ----------
    index : the library
    name : a representation of the index
    metric : `cosine` or `euclidean`
    queries : by stored representation, one vector [shape=(dim,)] or several [shape=(m, dim)]
    compared : number of nearest tracks with exact distances, if the index has a first pass

    Returns
    -------
    float32 [shape=(n,)], or [shape=(m, n)]
    """
    # Leave out the hubness bias, which would make distances asymmetric.
    similarities = index.similarities_of_parts(index.parts(name), queries, compared, worst=0)
    if metric == "cosine":
        angular: NDArray[np.float32] = np.maximum(1.0 - similarities, 0.0).astype(np.float32)
        return angular
    query_squares: Any = 0.0
    track_squares: Any = 0.0
    for part, weight in index.parts(name).items():
        vectors = np.asarray(queries[part], np.float32)
        query_squares = query_squares + weight**2 * np.square(vectors).sum(axis=-1, dtype=np.float64)
        track_squares = track_squares + weight**2 * index.array(f"{part}_norms").astype(np.float64) ** 2
    products = similarities * np.sqrt(np.multiply.outer(query_squares, track_squares))
    squares = np.add.outer(query_squares, track_squares) - 2.0 * products
    straight: NDArray[np.float32] = np.sqrt(np.maximum(squares, 0.0)).astype(np.float32)
    return straight


def neighbours(index: Index, name: str, metric: Metric, k: int, seed: int = SEED) -> Neighbours:
    """Each track's k nearest neighbours in the full space, itself included, by exhaustive search."""
    n = len(index)
    k = min(k, n)
    rng = np.random.default_rng(seed)
    landmarks = np.sort(rng.choice(n, min(_LANDMARKS, n), replace=False))
    rows = np.zeros((n, k), np.int32)
    values = np.zeros((n, k), np.float32)
    to_landmarks = np.zeros((n, len(landmarks)), np.float32)
    for start in range(0, n, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, n))
        found = _between(index, name, metric, block)
        to_landmarks[block] = found[:, landmarks]
        found[np.arange(len(block)), block] = -1.0  # sort itself before its copies
        rows[block] = [nearest(-distances_of_row, k) for distances_of_row in found]
        values[block] = np.maximum(np.take_along_axis(found, rows[block].astype(np.intp), axis=1), 0.0)
    return Neighbours(rows, values, to_landmarks)


def fitted_rows(n: int, seed: int = SEED) -> NDArray[np.intp]:
    """Rows that UMAP lays out in a library of n tracks: all, or a sorted sample of `FITTED`."""
    if n <= FITTED:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, FITTED, replace=False))


def nearest_fitted(
    index: Index, fitted: Index, name: str, metric: Metric, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The nearest tracks laid out by UMAP for tracks to be placed, nearest first.

    Parameters
    ----------
    index : the library
    fitted : the part of the index that UMAP laid out (`subset.of`)
    name, metric : representation and metric of the map
    rows : rows of the tracks to place [shape=(m,)]

    Returns
    -------
    rows of `fitted`, and distances [shape=(m, 15), or fewer where fewer were laid out]
    """
    k = min(PLACE_NEIGHBOURS, len(fitted))
    found = np.zeros((len(rows), k), np.intp)
    away = np.zeros((len(rows), k), np.float32)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        queries = {part: index.vectors(part, block) for part in index.parts(name)}
        for place, values in enumerate(distances(fitted, name, metric, queries, _COMPARED), start):
            found[place] = nearest(-values, k)
            away[place] = values[found[place]]
    return found, away


def layout(found: Neighbours, setting: Setting, seed: int = SEED) -> NDArray[np.float32]:
    """Lay out tracks by UMAP; deterministic for given neighbours and seed.

    Parameters
    ----------
    found : at least `setting.n_neighbors` nearest neighbours per track, by the setting's metric
    setting : dimensions and UMAP's parameters
    seed : random seed; UMAP with a seed uses one thread

    Returns
    -------
    float32 [shape=(n, setting.dims)], centred at the origin
    """
    with suppress(MissingPackageError):
        import_tensorflow()  # umap would import it, and with it its log messages
    numba_cache.choose_folder()
    import umap  # slow import; only needed to make a map, never in a request

    n = len(found.rows)
    if n < MIN_TRACKS:
        raise ValueError(f"a map needs at least {MIN_TRACKS} tracks, not {n}")
    k = min(setting.n_neighbors, n - 1)
    if found.rows.shape[1] < k:
        raise ValueError(f"{setting.name} needs {k} neighbours a track, not {found.rows.shape[1]}")
    reducer = umap.UMAP(
        n_neighbors=k,
        n_components=setting.dims,
        min_dist=setting.min_dist,
        metric="euclidean",  # for the landmarks; distances between tracks are given below
        precomputed_knn=(found.rows[:, :k].copy(), found.distances[:, :k].copy()),
        force_approximation_algorithm=True,
        random_state=seed,
        n_jobs=1,
    )
    points = np.asarray(_without_warnings(reducer.fit_transform, found.landmarks), np.float32)
    centred: NDArray[np.float32] = points - points.mean(axis=0)
    return centred


def align(points: NDArray[np.float32], reference: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Rotate a map onto another map of the same tracks, or else to fill a 5:4 picture.

    Uses rotation and reflection only, which preserve distances. A two-dimensional reference aligns the
    first two dimensions of a three-dimensional map.

    Parameters
    ----------
    points : [shape=(n, d)], mean at the origin
    reference : [shape=(n, d or less)], mean at the origin
    """
    if reference is None:
        turn = _filling(points)
    else:
        padded = np.zeros(points.shape)
        padded[:, : reference.shape[1]] = reference
        left, _, right = np.linalg.svd(points.T.astype(np.float64) @ padded)
        turn = left @ right
    turned: NDArray[np.float32] = (points @ turn).astype(np.float32)
    return turned


def _filling(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rotation of the first two axes that maximises the map's scale in a 5:4 picture."""

    def size(turn: NDArray[np.float64]) -> float:
        width, height = np.ptp(points[:, :2] @ turn[:2, :2], axis=0)
        return max(float(width) / 1.25, float(height))

    turns = []
    for angle in np.linspace(0.0, np.pi, 180, endpoint=False):
        turn = np.eye(points.shape[1])
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        turns.append(turn)
    return min(turns, key=size)


def place(
    distances: NDArray[np.float32], points: NDArray[np.float32], k: int = PLACE_NEIGHBOURS
) -> Placement:
    """Place a clip on a map (`placement`); at distance 0 from a track, it gets that track's position.

    Parameters
    ----------
    distances : distances of the clip to every track in the full space [shape=(n,)]
    points : the map [shape=(n, d)]
    k : number of nearest tracks that determine the position
    """
    rows = nearest(-distances, k)
    weights = placement.weights(distances[np.newaxis, rows])
    return Placement(placement.medians(points[np.newaxis, rows], weights)[0], rows, weights[0])


def _between(
    index: Index, name: str, metric: Metric, rows: NDArray[np.integer[Any]]
) -> NDArray[np.float32]:
    queries = {part: index.vectors(part, rows) for part in index.parts(name)}
    return distances(index, name, metric, queries)


def _without_warnings(function: Any, *arguments: Any) -> Any:
    """Call UMAP without warnings about deliberate choices (precomputed neighbours, one thread)."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="umap")
        warnings.filterwarnings("ignore", message=".*n_jobs.*|.*precomputed.*|.*search_index.*")
        return function(*arguments)
