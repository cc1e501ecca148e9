"""Explain why a track is in a playlist: its similarity, split into additive contributions.

Every split is exact: it is an additive feature attribution without estimates. (Lundberg and Lee, 2017,
"A unified approach to interpreting model predictions", define local accuracy as parts that sum to the
explained value.) Cosine similarity is a sum over dimensions d,

    sum_d w_d^2 q_d x_d / (|q| |x|),

so any grouping of its terms gives shares of the similarity: for `vgg_mel` the cells (5 bands x 10 times)
and the channels of the network, for a joined representation its parts, for the tags each tag. For a part
that is a mean over time, as both of `soundalike`'s are, x = sum_t u_t x_t over 3 s segments with weights
u (`models.stretches`). The product then splits into all pairs of segments s of the query and t of the
track,

    <q, x> = sum_st u_s u_t <q_s, x_t>.

Centring and scaling (`scaling`) are the same for all segments of a vector, so the split stays exact. The
splits of several parts add up.

The index's correction of a track's cosine (`Index.bias`) is a part of its own.

VGG16 pads pictures with zeros, which makes the edge strong in every clip: the first and the last segment
contribute twice as much as the others, for any two tracks. The best match of two clips is therefore
found by how far a cell's share exceeds its usual share, which is its share of the query's product with
the library's mean direction. The contributions themselves aren't adjusted.

Conventions: contributions are in units of the similarity (-1 to 1) and may be negative. Times are
in seconds of the clip's analysed 30 s (`audio.analysis_window`), which may begin later in
a longer file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from soundalike import representations
from soundalike.analysis import receptive_fields, shared_traits
from soundalike.audio.clip import N_FRAMES
from soundalike.index import track_arrays
from soundalike.index.index import Index
from soundalike.models import stretches, tagger
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.representations import fma518

LISTEN = 4.0
"""Duration for listening to a moment, in seconds: the segment, and a little on either side."""
STRONGEST = 5
"""Number of items listed individually."""
LIFT = "Hubness correction"

_STRETCH = stretches.SECONDS
_CELL = receptive_fields.TIMELINE[1] / receptive_fields.TIMES
_CLIP = 30.0
_SAMPLE = 128
"""Number of tracks that the library's mean direction is estimated from."""
_TITLES = {
    "vgg_mel": "Picture",
    "genre_head": "Genre",
    "musicnn": "Instruments and voices",
    "musicnn_mid": "Instruments and voices",
    "yamnet": "Sound and scene",
}
_TELLS_OF = {
    "chroma_cens": "Notes",
    "chroma_cqt": "Notes",
    "chroma_stft": "Notes",
    "mfcc": "Timbre",
    "rmse": "Loudness",
    "spectral_bandwidth": "Brightness",
    "spectral_centroid": "Brightness",
    "spectral_contrast": "Tone versus noise",
    "spectral_rolloff": "Brightness",
    "tonnetz": "Harmony",
    "zcr": "Brightness",
}
"""Names of the feature groups of `fma518`, for users."""

Array = NDArray[np.float64]

_directions: WeakKeyDictionary[Index, Array] = WeakKeyDictionary()
"""Mean of each index's unit-length `vgg_mel` vectors."""


@dataclass(frozen=True)
class Part:
    """A named share of a similarity."""

    name: str
    value: float


class Meeting(NamedTuple):
    """The best match of two clips: seconds in the query and in the track, and its duration."""

    query: float
    track: float
    length: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """Explanation of a track's similarity to a query; `explain` makes one.

    Attributes
    ----------
    representation : representation used for the comparison
    similarity : as in `Index.similarities`; None if the index doesn't have it
    parts : contributions that sum to the similarity; empty if it cannot be split
    cells : contribution by frequency band (from the top) and time [shape=(5, 10)], or by time alone
        [shape=(1, 10)]; None if neither is available
    usual : usual share of each of the 5 x 10 cells in their sum; otherwise None
    moments : contribution by segment of the query (rows) and of the track [shape=(10, 10)], or None
    channels : the strongest network channels and their contributions
    features : the strongest features of the genre head and their contributions
    best : the best match of the two, or None
    sentence : shared traits, from measurements (`shared_traits`)
    notes : sentences that may interest the user
    """

    representation: str
    similarity: float | None
    parts: tuple[Part, ...] = ()
    cells: Array | None = None
    usual: Array | None = None
    moments: Array | None = None
    channels: tuple[tuple[int, float], ...] = ()
    features: tuple[tuple[int, float], ...] = ()
    best: Meeting | None = None
    sentence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def shades(self) -> tuple[Array, Array] | None:
        """How strongly to mark the query and the track, by band and time, or by time alone.

        Two arrays [shape=(5, 10) or (1, 10), range 0 to 1], or None. For moments, each segment's
        contribution over all of the other clip; for cells, each cell's excess over its usual share.
        """
        if self.moments is not None:
            return _scaled(self.moments.sum(axis=1)), _scaled(self.moments.sum(axis=0))
        if self.cells is None:
            return None
        above = self.cells if self.usual is None else _excess_ratio(self.cells, self.usual) - 1
        return _scaled(above), _scaled(above)

    @property
    def main_part(self) -> Part | None:
        """The part that contributes most, if there are several with names."""
        named = [part for part in self.parts if part.name != LIFT]
        return max(named, key=lambda part: part.value) if len(named) > 1 else None

    @property
    def stretch(self) -> float:
        """Duration of a segment (a tenth of the clip), in seconds."""
        return _CELL if self.moments is None else _STRETCH


def explain(
    index: Index,
    query: Query,
    row: int,
    representation: str,
    weights: Mapping[str, float] | None = None,
) -> Explanation:
    """Split the similarity of a query and a track into contributions.

    Parameters
    ----------
    index : the library
    query : from `query.from_library` or `query.from_audio`
    row : row of the track
    representation : a representation of the index
    weights : weights of a joined representation's parts; the index's by default

    Raises
    ------
    ValueError
        If the index has no such row.
    IndexFolderError
        If it lacks the representation, or its data is damaged.
    """
    if not 0 <= row < len(index):
        raise ValueError(f"the index has rows 0 to {len(index) - 1}, not {row}")
    weights = weights or index.parts(representation)
    sentence = shared_traits.sentence(index, query, row)
    if not index.has_vectors(representation):
        return _unsplit(index, query, row, representation, sentence)
    pairs = _pairs(index, query, row, weights)
    terms = {name: pair.terms for name, pair in pairs.items()}
    lift = float(index.bias(representation)[row])
    parts = (*_parts(terms), *([Part(LIFT, lift)] if lift else []))
    by_cell = _by_cell(terms)
    usual = _usual_shares(index, pairs["vgg_mel"].asked) if "vgg_mel" in pairs else None
    by_moment = _by_moment(index, query, row, pairs)
    in_moments = all(representations.get(name).moments for name in pairs)
    return Explanation(
        representation,
        sum(part.value for part in parts),
        parts,
        by_cell,
        usual,
        by_moment,
        _strongest(_by_channel(terms["vgg_mel"])) if "vgg_mel" in terms else (),
        _strongest(terms["genre_head"]) if "genre_head" in terms else (),
        _best_match(by_cell, usual, by_moment),
        sentence,
        tuple(_notes(index, pairs, lift, in_moments and by_moment is None)),
    )


def _unsplit(index: Index, query: Query, row: int, representation: str, sentence: str) -> Explanation:
    """Explanation without stored vectors: the similarity only, if the two are neighbours."""
    similarity = None
    if query.row is not None:
        rows, similarities = index.neighbours(representation, query.row)
        similarity = next((float(value) for value in similarities[rows == row]), None)
    note = (
        "For this method, the library stores only each track's neighbours and not the embeddings, so we "
        "can't break the similarity down."
    )
    return Explanation(representation, similarity, sentence=sentence, notes=(note,))


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two vectors [shape=(dim,) each], and the factor of their product: w^2 / (|q| |x|)."""

    asked: Array
    track: Array
    factor: float

    @property
    def terms(self) -> Array:
        """Contribution of each dimension."""
        return self.factor * self.asked * self.track


def _pairs(index: Index, query: Query, row: int, weights: Mapping[str, float]) -> dict[str, _Pair]:
    """The vectors to compare, by stored part."""
    asked = {name: np.asarray(query.embeddings[name], np.float64) for name in weights}
    track = {name: np.asarray(index.vectors(name, [row])[0], np.float64) for name in weights}
    scale = _norm(asked, weights) * _norm(track, weights)
    return {
        name: _Pair(asked[name], track[name], weight**2 / scale if scale > 0 else 0.0)
        for name, weight in weights.items()
    }


def _norm(vectors: Mapping[str, Array], weights: Mapping[str, float]) -> float:
    squares = [weight**2 * float(np.square(vectors[name]).sum()) for name, weight in weights.items()]
    return math.sqrt(sum(squares))


def _parts(terms: Mapping[str, Array]) -> list[Part]:
    """The parts of a joined representation, or the groups of dimensions of a single one."""
    if len(terms) > 1:
        sums: dict[str, float] = {}
        for name, term in terms.items():
            sums[_title(name)] = sums.get(_title(name), 0.0) + float(term.sum())
        return [Part(title, value) for title, value in sums.items()]
    ((name, term),) = terms.items()
    if name == "vgg_mel":
        return _grouped(
            _bands(), np.arange(len(term)) // (receptive_fields.TIMES * receptive_fields.CHANNELS), term
        )
    if name == "musicnn_tags":
        return _grouped(tagger.TAGS, np.arange(len(term)), term)
    if name == "fma518":
        kinds = list(dict.fromkeys(_TELLS_OF.values()))
        kind_of = [kinds.index(_TELLS_OF[feature]) for feature, _, _ in fma518.COLUMNS]
        return _grouped(kinds, kind_of, term)
    return [Part(_title(name), float(term.sum()))]


def _title(name: str) -> str:
    return _TITLES.get(name) or representations.get(name).title


def _bands() -> list[str]:
    """Names of the frequency bands, from the top."""
    shares = [
        receptive_fields.share(receptive_fields.Cell(band, 0, 0))
        for band in range(receptive_fields.BANDS)
    ]
    return [receptive_fields.pitch_range(*share.hertz) for share in shares]


def _grouped(names: Sequence[str], group_of: ArrayLike, term: Array) -> list[Part]:
    """Sum of each group of dimensions; of many groups, the strongest, and the rest combined."""
    sums = np.bincount(np.asarray(group_of), weights=term, minlength=len(names))
    parts = [Part(name, float(value)) for name, value in zip(names, sums, strict=True)]
    if len(parts) <= STRONGEST + 1:
        return parts
    parts.sort(key=lambda part: -part.value)
    others = sum(part.value for part in parts[STRONGEST:])
    return [*parts[:STRONGEST], Part(f"The other {len(parts) - STRONGEST}", others)]


def _by_cell(terms: Mapping[str, Array]) -> Array | None:
    """Contributions by band and time [shape=(5, 10)], or by time alone [shape=(1, 10)]."""
    if "vgg_mel" in terms:
        return _cells_of(terms["vgg_mel"])
    if "mfcc_flat" in terms:
        frames = terms["mfcc_flat"].reshape(-1, N_FRAMES).sum(axis=0)
        begins = np.linspace(0, N_FRAMES, stretches.COUNT, endpoint=False).astype(np.intp)
        return np.add.reduceat(frames, begins)[np.newaxis]
    return None


def _cells_of(term: Array) -> Array:
    """Terms of `vgg_mel` summed over channels [shape=(5, 10)]."""
    return np.asarray(
        term.reshape(receptive_fields.BANDS, receptive_fields.TIMES, receptive_fields.CHANNELS).sum(
            axis=2
        )
    )


def _usual_shares(index: Index, asked: Array) -> Array:
    """The cells' shares of a query's product with the library's mean direction."""
    if index not in _directions:
        rows = np.unique(np.linspace(0, len(index) - 1, _SAMPLE).astype(np.intp))
        norms = np.maximum(index.array("vgg_mel_norms")[rows], np.finfo(np.float32).tiny)
        vectors = index.vectors("vgg_mel", rows) / norms[:, np.newaxis]
        _directions[index] = vectors.mean(axis=0, dtype=np.float64)
    common = _cells_of(asked * _directions[index])
    total = common.sum()
    return common / total if total > 0 else np.full_like(common, 1 / common.size)


def _excess_ratio(contributions: Array, usual: Array) -> Array:
    """Ratio of each contribution to its usual share; 1 where that is unknown."""
    total = contributions.sum()
    share = contributions / total if total > 0 else usual
    return np.divide(share, usual, out=np.ones_like(share), where=usual > 0)


def _scaled(values: Array) -> Array:
    """Positive values scaled to a maximum of 1 [shape=(rows, 10)]."""
    positive = np.maximum(np.atleast_2d(values), 0.0)
    return positive / (positive.max() or 1.0)


def _by_channel(term: Array) -> Array:
    return np.asarray(term.reshape(-1, receptive_fields.CHANNELS).sum(axis=0))


def _by_moment(index: Index, query: Query, row: int, pairs: Mapping[str, _Pair]) -> Array | None:
    """Contributions by segment of the query and of the track [shape=(10, 10)], if all are known."""
    total = np.zeros((stretches.COUNT, stretches.COUNT))
    for name, pair in pairs.items():
        stored = track_arrays.moments(index, name)
        asked = None if stored is None else _moments_of(query, name, stored)
        weights_of = representations.get(name).moment_weights
        if stored is None or asked is None or weights_of is None:
            return None
        weights = weights_of()
        mean = np.asarray(index.array(f"{name}_scale"))[0].astype(np.float64)
        one = _weighted(asked, weights, mean, pair.asked)
        total += pair.factor * one @ _weighted(stored[row], weights, mean, pair.track).T
    return total


def _moments_of(
    query: Query, name: str, stored: NDArray[np.float16]
) -> NDArray[np.floating[Any]] | None:
    if isinstance(query.embeddings, ClipEmbeddings):
        return query.embeddings.moments(name)
    return None if query.row is None else stored[query.row]


def _weighted(moments: NDArray[np.floating[Any]], weights: Array, mean: Array, vector: Array) -> Array:
    """Contribution of each segment to a vector [shape=(10, dim)]; they sum to it exactly.

    Parameters
    ----------
    moments : the network's output per segment [shape=(10, dim)]
    weights : weights of the segments [shape=(10,)]
    mean : mean subtracted from the index's vectors [shape=(dim,)]
    vector : the centred unit vector, which may have been rounded to float16; the rounding error is
        distributed by weight
    """
    centred = weights[:, np.newaxis] * (moments.astype(np.float64) - mean)
    length = float(np.linalg.norm(centred.sum(axis=0)))
    scaled = centred / length if length > 0 else np.zeros_like(centred)
    return np.asarray(scaled + weights[:, np.newaxis] * (vector - scaled.sum(axis=0)))


def _strongest(values: Array) -> tuple[tuple[int, float], ...]:
    """The largest positive contributions with their indices, largest first."""
    order = np.argsort(-values, kind="stable")[:STRONGEST]
    return tuple((int(place), float(values[place])) for place in order if values[place] > 0)


def _best_match(by_cell: Array | None, usual: Array | None, by_moment: Array | None) -> Meeting | None:
    """The pair of segments that contributes most, or the same segment of both clips."""
    if by_moment is not None:
        one, other = np.unravel_index(np.argmax(by_moment), by_moment.shape)
        best, stretch = by_moment[one, other], _STRETCH
    elif by_cell is not None:
        by_time = by_cell.sum(axis=0)
        one = other = np.argmax(by_time if usual is None else _excess_ratio(by_time, usual.sum(axis=0)))
        best, stretch = by_time[one], _CELL
    else:
        return None
    if best <= 0:
        return None
    return Meeting(_listen_from(int(one) * stretch), _listen_from(int(other) * stretch), LISTEN)


def _listen_from(stretch_begins: float) -> float:
    """Where to start playback to centre a segment, within the clip."""
    middle = stretch_begins + _STRETCH / 2
    return min(max(middle - LISTEN / 2, 0.0), _CLIP - LISTEN)


def _notes(index: Index, names: Iterable[str], lift: float, whole: bool) -> Iterator[str]:
    if lift:
        yield f"{lift:.3f} of it is a correction for a track that would otherwise appear in no list."
    if whole and any(track_arrays.moments(index, name) is None for name in names):
        yield "This library has no data on which moments agree. `soundalike measure INDEX` adds it."
    elif whole:
        yield "We can show which moments agree only for a single clip."
