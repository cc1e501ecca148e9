"""Profile of one dimension: what activates it, how strongly, and a suggested label.

The label is derived from measurements only: descriptors whose correlation with the activation is at
least 0.3 with an interval that excludes zero, and genres whose enrichment is at least half a standard
deviation and four standard errors. If nothing passes, the label says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import dimension_stats, receptive_fields
from soundalike.analysis.dimension_stats import Groups, Summary
from soundalike.features import track_descriptors
from soundalike.features.track_descriptors import Descriptor
from soundalike.index.index import Index

TELLING = 0.3
"""Minimum correlation with a descriptor for a label."""
_INTERVAL = 2.576
"""Number of standard errors in a 99 % interval."""
_WORDS = 2


@dataclass(frozen=True)
class Finding:
    """A dimension's correlation with a descriptor, and its 99 % interval."""

    descriptor: Descriptor
    correlation: float
    low: float
    high: float

    @property
    def telling(self) -> bool:
        """Whether it is significant enough for a label."""
        return abs(self.correlation) >= TELLING and self.low * self.high > 0

    @property
    def words(self) -> str:
        """Description of the clips that activate the dimension."""
        return self.descriptor.more if self.correlation > 0 else self.descriptor.less


@dataclass(frozen=True, eq=False)
class Portrait:
    """One dimension of an embedding; `paint` makes one.

    Attributes
    ----------
    name, dimension : representation and dimension
    cell : its cell, or None for a dimension that covers the whole picture
    values : activation of every track [shape=(n,)]
    summary : statistics of this dimension alone
    means, errors : activation and standard error of each genre [shape=(genres,)]
    findings : descriptors, strongest correlation first
    top : rows of the tracks that activate it most, strongest first; tracks at zero are left out
    """

    name: str
    dimension: int
    cell: receptive_fields.Cell | None
    values: NDArray[np.float32]
    summary: Summary
    means: NDArray[np.float64]
    errors: NDArray[np.float64]
    findings: tuple[Finding, ...]
    top: tuple[int, ...]

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

    @property
    def telling(self) -> list[Finding]:
        """The descriptors used for the label, strongest correlation first; empty if it is sparse."""
        if self.dead or self.sparse:
            return []
        return [finding for finding in self.findings if finding.telling][:_WORDS]

    def score(self, row: int) -> float:
        """A track's activation, in standard deviations above the library's mean."""
        return float(dimension_stats.scores(self.values[row : row + 1], self.summary)[0])

    def label(self) -> str:
        """A plain label, from measurements only."""
        if self.dead:
            return "Silent: no clip in this library activates it"
        if self.sparse:
            return f"Rare: active for {self.active} of {len(self.values)} clips"
        words = [finding.words for finding in self.telling]
        genres = [genre for genre, _, _ in self.genres][:_WORDS]
        if not words and not genres:
            return "No clear label: no measured property stands out"
        clips = f"Clips that are {' and '.join(words)}" if words else ""
        if not genres:
            return clips
        return f"{clips}; mostly {' and '.join(genres)}" if clips else " and ".join(genres)


def paint(
    index: Index,
    name: str,
    dimension: int,
    groups: Groups,
    descriptors: NDArray[np.float32] | None,
) -> Portrait:
    """Compute the profile of a dimension; no network runs.

    Parameters
    ----------
    index : the library
    name : a stored representation
    dimension : dimension of the representation
    groups : the library's tracks by genre and artist
    descriptors : descriptors of the library, or None if the index has none
    """
    values = index.column(name, dimension)
    summary = dimension_stats.summarise(values[:, np.newaxis], groups)
    means, errors = groups.means(values[:, np.newaxis])
    cell = receptive_fields.cell(dimension) if name == "vgg_mel" else None
    top = index.array(f"{name}_top_tracks")[dimension]
    return Portrait(
        name,
        dimension,
        cell,
        values,
        summary,
        means[:, 0],
        errors[:, 0],
        () if descriptors is None else compare(values, descriptors, cell, groups.n_artists),
        tuple(int(row) for row in top if values[row] != 0 and summary.deviation[0] > 0),
    )


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
    whole = dimension_stats.group([""] * len(values), [""] * len(values))
    found = dimension_stats.correlations(column, measured, dimension_stats.summarise(column, whole))[
        :, 0
    ]
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
