"""Why a track is in a playlist: its similarity taken apart into what it adds up from.

Every split is exact, an additive feature attribution without an estimate in it (local accuracy, as
Lundberg and Lee, 2017, "A unified approach to interpreting model predictions", call that the parts sum
to what is explained). Cosine similarity is a sum over dimensions d,

    sum_d w_d^2 q_d x_d / (|q| |x|),

and whatever the dimensions stand for, sums of its terms are shares of the similarity: of `vgg_mel` the
cells (5 bands x 10 times) and the channels of the network, of a joined representation its parts, of the
tags each tag. Where a part is a mean over time, as both of `soundalike`'s are, x = sum_t u_t x_t over
stretches of 3 s with weights u (`models.stretches`), the product splits into all pairs of
stretches s of the query and t of the track,

    <q, x> = sum_st u_s u_t <q_s, x_t>.

What centres and scales a vector (`scaling`) is the same for all of its stretches, so the split stays
exact. Those of several parts add up.

What an index adds to a track's cosine (`Index.bias`) is a part of its own.

VGG16 pads a picture with zeros, so that its edge is strong in every clip: the first and the last stretch
contribute twice what the others do, whichever two tracks are compared. Where two clips agree best is
therefore told by how far a cell's share exceeds the usual one, its share of what the query has in common
with the library's mean direction. The contributions themselves are left as they are.

Conventions: contributions are in units of the similarity (-1 to 1) and may be negative; times are in
seconds of the clip's analysed 30 s (`audio.analysis_window`), which in a longer file begin later.
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
from soundalike.audio.decoding import N_FRAMES
from soundalike.index.index import Index
from soundalike.models import stretches, tagger
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.playlist.query import Query
from soundalike.representations import fma518

LISTEN = 4.0
"""Seconds in which a moment can be heard: itself, and a little on either side."""
STRONGEST = 5
"""How many of something are told one by one."""
LIFT = "Hubness correction"

_STRETCH = stretches.SECONDS
_CELL = receptive_fields.TIMELINE[1] / receptive_fields.TIMES
_CLIP = 30.0
_SAMPLE = 128
"""Tracks that the library's mean direction is taken from."""
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
"""What a visitor would call the features of `fma518`."""

Array = NDArray[np.float64]

_directions: WeakKeyDictionary[Index, Array] = WeakKeyDictionary()
"""Of each index, the mean of its `vgg_mel` vectors, each at length 1."""


@dataclass(frozen=True)
class Part:
    """A share of a similarity, named for a visitor."""

    name: str
    value: float


class Meeting(NamedTuple):
    """Where two clips agree best: seconds in the query and in the track, and for how long."""

    query: float
    track: float
    length: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a track is similar to a query; `explain` makes one.

    Attributes
    ----------
    representation : by which they were compared
    similarity : as `Index.similarities` has it; None where the index does not hold it
    parts : they sum to the similarity; none where it cannot be split
    cells : contribution by frequency band (from the top) and time [shape=(5, 10)], or by time alone
        [shape=(1, 10)]; None where neither is kept
    usual : the share of their sum that the 5 x 10 cells usually have; None for others
    moments : contribution by the query's stretch (rows) and the track's [shape=(10, 10)], or None
    channels : of the network, the strongest and what each contributes
    features : of the genre head, likewise
    best : where the two agree best, or None
    sentence : what they have in common, from measured facts (`likeness`)
    notes : sentences a visitor may want to know
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
        """How clearly the query and the track are to be marked, by band and time, or by time alone.

        Two arrays [shape=(5, 10) or (1, 10), range 0 to 1], or None: of moments what each stretch
        contributes over all of the other clip, of cells how far each exceeds its usual share.
        """
        if self.moments is not None:
            return _scaled(self.moments.sum(axis=1)), _scaled(self.moments.sum(axis=0))
        if self.cells is None:
            return None
        above = self.cells if self.usual is None else _over(self.cells, self.usual) - 1
        return _scaled(above), _scaled(above)

    @property
    def main_part(self) -> Part | None:
        """The part that contributes most, where there are several that can be named."""
        named = [part for part in self.parts if part.name != LIFT]
        return max(named, key=lambda part: part.value) if len(named) > 1 else None

    @property
    def stretch(self) -> float:
        """How long a tenth is, in seconds."""
        return _CELL if self.moments is None else _STRETCH


def explain(
    index: Index,
    query: Query,
    row: int,
    representation: str,
    weights: Mapping[str, float] | None = None,
) -> Explanation:
    """Take the similarity of a query and a track apart.

    Parameters
    ----------
    index : the library
    query : from `query.from_library` or `query.from_audio`
    row : of the track
    representation : a representation of the index
    weights : of a joined representation, other weights than the index's

    Raises
    ------
    ValueError
        If the index has no such row.
    IndexFolderError
        If it does not hold the representation, or what it holds is damaged.
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
    usual = _usual(index, pairs["vgg_mel"].asked) if "vgg_mel" in pairs else None
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
        _meeting(by_cell, usual, by_moment),
        sentence,
        tuple(_notes(index, pairs, lift, in_moments and by_moment is None)),
    )


def stored_moments(index: Index, name: str) -> NDArray[np.float16] | None:
    """The moments of an index's tracks as the network gave them [shape=(n, 10, dim)], or None.

    Raises
    ------
    IndexFolderError
        If they are of another library or another version.
    """
    shape = (len(index), stretches.COUNT, representations.get(name).dim)
    return index.optional(f"{name}{stretches.MOMENTS}", shape, np.float16)


def _unsplit(index: Index, query: Query, row: int, representation: str, sentence: str) -> Explanation:
    """What is known where vectors are not kept: the similarity, if the two are neighbours."""
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
    """Two vectors [shape=(dim,) each], and what a product of them counts for: w^2 / (|q| |x|)."""

    asked: Array
    track: Array
    factor: float

    @property
    def terms(self) -> Array:
        """What each dimension contributes."""
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
    """What was joined, or of a single representation the groups that its dimensions have."""
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
    """The frequency bands in words, from the top."""
    shares = [
        receptive_fields.share(receptive_fields.Cell(band, 0, 0))
        for band in range(receptive_fields.BANDS)
    ]
    return [receptive_fields.pitch_range(*share.hertz) for share in shares]


def _grouped(names: Sequence[str], group_of: ArrayLike, term: Array) -> list[Part]:
    """The sum of each group of dimensions; of many groups the strongest, and the others as one."""
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
    """Dimensions of `vgg_mel`, summed over channels [shape=(5, 10)]."""
    return np.asarray(
        term.reshape(receptive_fields.BANDS, receptive_fields.TIMES, receptive_fields.CHANNELS).sum(
            axis=2
        )
    )


def _usual(index: Index, asked: Array) -> Array:
    """The cells' shares of what a query has in common with the library on the whole."""
    if index not in _directions:
        rows = np.unique(np.linspace(0, len(index) - 1, _SAMPLE).astype(np.intp))
        norms = np.maximum(index.array("vgg_mel_norms")[rows], np.finfo(np.float32).tiny)
        vectors = index.vectors("vgg_mel", rows) / norms[:, np.newaxis]
        _directions[index] = vectors.mean(axis=0, dtype=np.float64)
    common = _cells_of(asked * _directions[index])
    total = common.sum()
    return common / total if total > 0 else np.full_like(common, 1 / common.size)


def _over(contributions: Array, usual: Array) -> Array:
    """How many times its usual share each of some contributions has; 1 where that is not known."""
    total = contributions.sum()
    share = contributions / total if total > 0 else usual
    return np.divide(share, usual, out=np.ones_like(share), where=usual > 0)


def _scaled(values: Array) -> Array:
    """What is above zero, the largest as 1 [shape=(rows, 10)]."""
    positive = np.maximum(np.atleast_2d(values), 0.0)
    return positive / (positive.max() or 1.0)


def _by_channel(term: Array) -> Array:
    return np.asarray(term.reshape(-1, receptive_fields.CHANNELS).sum(axis=0))


def _by_moment(index: Index, query: Query, row: int, pairs: Mapping[str, _Pair]) -> Array | None:
    """Contributions by the query's stretch and the track's [shape=(10, 10)], if all are known."""
    total = np.zeros((stretches.COUNT, stretches.COUNT))
    for name, pair in pairs.items():
        stored = stored_moments(index, name)
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
    """What each stretch adds to a vector [shape=(10, dim)]; they sum to it exactly.

    Parameters
    ----------
    moments : as the network gives them [shape=(10, dim)]
    weights : of the stretches [shape=(10,)]
    mean : what centres the vectors of the index [shape=(dim,)]
    vector : the centred one of length 1, rounded to float16 where it is stored: what is missing of it is
        shared out by weight
    """
    centred = weights[:, np.newaxis] * (moments.astype(np.float64) - mean)
    length = float(np.linalg.norm(centred.sum(axis=0)))
    scaled = centred / length if length > 0 else np.zeros_like(centred)
    return np.asarray(scaled + weights[:, np.newaxis] * (vector - scaled.sum(axis=0)))


def _strongest(values: Array) -> tuple[tuple[int, float], ...]:
    """The largest contributions and which they are, largest first; none that are not above zero."""
    order = np.argsort(-values, kind="stable")[:STRONGEST]
    return tuple((int(place), float(values[place])) for place in order if values[place] > 0)


def _meeting(by_cell: Array | None, usual: Array | None, by_moment: Array | None) -> Meeting | None:
    """The pair of stretches that contributes most, or the same stretch of both clips."""
    if by_moment is not None:
        one, other = np.unravel_index(np.argmax(by_moment), by_moment.shape)
        best, stretch = by_moment[one, other], _STRETCH
    elif by_cell is not None:
        by_time = by_cell.sum(axis=0)
        one = other = np.argmax(by_time if usual is None else _over(by_time, usual.sum(axis=0)))
        best, stretch = by_time[one], _CELL
    else:
        return None
    if best <= 0:
        return None
    return Meeting(_listen_from(int(one) * stretch), _listen_from(int(other) * stretch), LISTEN)


def _listen_from(stretch_begins: float) -> float:
    """Where to begin listening, so that a stretch lies in the middle, and all within the clip."""
    middle = stretch_begins + _STRETCH / 2
    return min(max(middle - LISTEN / 2, 0.0), _CLIP - LISTEN)


def _notes(index: Index, names: Iterable[str], lift: float, whole: bool) -> Iterator[str]:
    if lift:
        yield f"{lift:.3f} of it is a correction for a track that would otherwise appear in no list."
    if whole and any(stored_moments(index, name) is None for name in names):
        yield "This library has no data on which moments agree. `soundalike measure INDEX` adds it."
    elif whole:
        yield "We can show which moments agree only for a single clip."
