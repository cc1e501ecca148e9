"""Profile of one dimension: what activates it, how strongly, and a suggested label.

The label is derived from measurements only (`dimension_names`). If nothing holds, the label says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import dimension_names, dimension_sets, dimension_stats, receptive_fields
from soundalike.analysis.dimension_names import Name, Properties
from soundalike.analysis.dimension_sets import WORDS, DimensionSets
from soundalike.analysis.dimension_stats import Groups, Summary
from soundalike.features import track_descriptors
from soundalike.features.track_descriptors import Descriptor
from soundalike.index.index import nearest

TELLING = 0.3
"""Minimum correlation with a descriptor that stands out."""
_INTERVAL = 2.576
"""Number of standard errors in a 99 % interval."""
SHOWN = 5
"""Number of tracks with the highest values, and with the lowest."""


@dataclass(frozen=True)
class Finding:
    """A dimension's correlation with a descriptor, and its 99 % interval."""

    descriptor: Descriptor
    correlation: float
    low: float
    high: float

    @property
    def telling(self) -> bool:
        """Whether it is strong and significant."""
        return abs(self.correlation) >= TELLING and self.low * self.high > 0


@dataclass(frozen=True, eq=False)
class Portrait:
    """One dimension of an embedding; `paint` makes one.

    Attributes
    ----------
    name, dimension : set (`dimension_sets`) and dimension
    cell : its cell, or None for a dimension that covers the whole picture
    values : activation of every track [shape=(n,)]
    summary : statistics of this dimension alone
    means, errors : activation and standard error of each genre [shape=(genres,)]
    findings : descriptors, strongest correlation first
    names : words and descriptors that go with it, those that don't hold on held-out tracks among them
    top : rows of the tracks with the highest values, highest first; tracks at zero are left out
    least : rows of the tracks with the lowest values, lowest first; empty if some tracks are at zero
    """

    name: str
    dimension: int
    cell: receptive_fields.Cell | None
    values: NDArray[np.float32]
    summary: Summary
    means: NDArray[np.float64]
    errors: NDArray[np.float64]
    findings: tuple[Finding, ...]
    names: tuple[Name, ...]
    top: tuple[int, ...]
    least: tuple[int, ...]

    @property
    def dead(self) -> bool:
        """Whether the activation is the same for every track."""
        return bool(self.summary.dead[0])

    @property
    def sparse(self) -> bool:
        """Whether the activation is zero for nearly every track."""
        return bool(self.summary.sparse[0])

    @property
    def active(self) -> int:
        """Number of tracks with nonzero activation."""
        return int(np.count_nonzero(self.values))

    @property
    def genres(self) -> list[tuple[str, float, float]]:
        """Genres that stand out, strongest first: name, enrichment and its standard error."""
        return dimension_stats.outstanding_genres(self.summary)

    def score(self, row: int) -> float:
        """A track's activation, in standard deviations above the library's mean."""
        return float(dimension_stats.scores(self.values[row : row + 1], self.summary)[0])

    def share_below(self, value: float) -> float:
        """Share of the library with a lower value [range 0 to 1]."""
        return float(np.mean(self.values < value))

    def label(self) -> str:
        """A plain label, from measurements only."""
        if self.name == WORDS:
            word = dimension_sets.word(self.dimension).name
            return word[:1].upper() + word[1:]
        if self.dead:
            return "Silent: no clip in this library activates it"
        if self.sparse:
            return f"Rare: active for {self.active} of {len(self.values)} clips"
        return dimension_names.label(self.names) or "No name found"


def paint(
    sets: DimensionSets,
    name: str,
    dimension: int,
    groups: Groups,
    descriptors: NDArray[np.float32] | None,
) -> Portrait:
    """Compute the profile of a dimension; no network runs.

    Parameters
    ----------
    sets : the sets of dimensions of an index
    name : one of them
    dimension : dimension of the set
    groups : the library's tracks by genre and artist
    descriptors : descriptors of the library, or None if the index has none
    """
    values = sets.column(name, dimension)
    summary, means, errors = dimension_stats.summarise_one(values, groups)
    cell = receptive_fields.cell(dimension) if name == "vgg_mel" else None
    varies = bool(summary.deviation[0] > 0)
    return Portrait(
        name,
        dimension,
        cell,
        values,
        summary,
        means,
        errors,
        () if descriptors is None else _findings(sets, name, values, cell, descriptors),
        _names(sets, name, values, cell, descriptors) if varies and not summary.sparse[0] else (),
        _rows(values) if varies else (),
        _rows(-values) if varies and summary.zeros[0] == 0 else (),
    )


def _rows(values: NDArray[np.float32]) -> tuple[int, ...]:
    """Rows of the highest values, highest first; those at zero are left out."""
    return tuple(int(row) for row in nearest(values, SHOWN) if values[row] != 0)


def _findings(
    sets: DimensionSets,
    name: str,
    values: NDArray[np.float32],
    cell: receptive_fields.Cell | None,
    descriptors: NDArray[np.float32],
) -> tuple[Finding, ...]:
    rows = sets.sample(name)
    independent = len({sets.index.artist_keys[row] for row in rows})
    return compare(values[rows], descriptors[rows], cell, independent)


def _names(
    sets: DimensionSets,
    name: str,
    values: NDArray[np.float32],
    cell: receptive_fields.Cell | None,
    descriptors: NDArray[np.float32] | None,
) -> tuple[Name, ...]:
    if name == WORDS:
        return ()
    known = properties(sets, name, cell, descriptors)
    if known is None:
        return ()
    rows = sets.sample(name)
    keys = [sets.index.artist_keys[row] for row in rows]
    return dimension_names.find(values[rows, np.newaxis], known, keys)[0]


def properties(
    sets: DimensionSets,
    name: str,
    cell: receptive_fields.Cell | None,
    descriptors: NDArray[np.float32] | None,
) -> Properties | None:
    """What a set's dimensions can be named after, for the tracks in `DimensionSets.sample`.

    Parameters
    ----------
    sets, name, descriptors : as in `paint`
    cell : of a dimension that covers one cell of the picture only
    """
    rows = sets.sample(name)
    scores = None if sets.words is None else sets.words.scores[rows]
    place = None if cell is None else (cell.band, cell.time)
    return dimension_names.properties(scores, None if descriptors is None else descriptors[rows], place)


def compare(
    values: NDArray[np.float32],
    descriptors: NDArray[np.float32],
    cell: receptive_fields.Cell | None,
    independent: int,
) -> tuple[Finding, ...]:
    """Correlate a dimension with each descriptor, strongest first.

    Parameters
    ----------
    values : activations [shape=(n,)]
    descriptors : descriptors of the same tracks
    cell : the dimension's cell, if it has one
    independent : number of independent observations; tracks of one artist count once
    """
    place = None if cell is None else (cell.band, cell.time)
    known, measured = track_descriptors.of_dimension(descriptors, place)
    column = values[:, np.newaxis]
    found = dimension_stats.correlations(column, measured, column.std(axis=0))[:, 0]
    findings = [
        Finding(descriptor, float(r), *interval(float(r), independent))
        for descriptor, r in zip(known, found, strict=True)
    ]
    return tuple(sorted(findings, key=lambda finding: -abs(finding.correlation)))


def interval(correlation: float, n: int) -> tuple[float, float]:
    """The 99 % interval of a correlation over n independent pairs, by Fisher's transformation."""
    if n <= 3:
        return -1.0, 1.0
    centre = math.atanh(max(min(correlation, 1 - 1e-9), -1 + 1e-9))
    half = _INTERVAL / math.sqrt(n - 3)
    return math.tanh(centre - half), math.tanh(centre + half)
