"""Panels: a front end's matrix with its scale, row labels and a text summary, ready to be drawn.

Matrices are quantised to integers between the smallest and largest value drawn, in steps of about half
the precision of the readout. Row 0 is the lowest. Columns are frames with a hop length of 512, centred
on their time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import HOP_LENGTH, SAMPLE_RATE, Clip
from soundalike.features import filterbanks, spectral
from soundalike.features.descriptors import PITCH_CLASSES

MAIN = ("mel", "mfcc", "mfcc_standardised", "chroma", "chroma_standardised")
FRONT_ENDS = ("bark", "gammatone", "wavelet")
RECONSTRUCTION = "autoencoder"
STANDARD_RANGE = 4.0
"""Standardised values are clipped at this many standard deviations."""

_DECIBEL_LEVELS = round(spectral.DYNAMIC_RANGE_DB / 0.5)
_STANDARD_LEVELS = round(2 * STANDARD_RANGE / 0.05)
_MFCC_STEP_DB = 0.05
_BYTE = 255

_AXIS_HERTZ = (63, 125, 250, 500, 1_000, 2_000, 4_000, 8_000)

Matrix = NDArray[np.float32]
Levels = NDArray[np.uint8 | np.uint16]
Axis = tuple[Sequence[str], Sequence[tuple[float, str]]]
"""Names of the rows, and positions of ticks with their labels."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A matrix over time, ready to be drawn.

    Attributes
    ----------
    name, title : identifier, and title for users
    values : uint8 or uint16 [shape=(d, t)]; 0 maps to `low` and `largest` to `high`
    low, high : range of values drawn; with `open_ended`, values beyond are clipped to it
    unit : unit of the values
    diverging : whether 0 is the centre of the scale and both signs are meaningful
    axis : what the rows are, in a word
    rows : label of each row
    ticks : positions along the rows (row i is at i) and their labels
    summary : text alternative that describes the picture
    """

    name: str
    title: str
    values: Levels
    largest: int
    low: float
    high: float
    unit: str
    axis: str
    rows: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]
    summary: str
    diverging: bool = False
    open_ended: bool = False


def main(clip: Clip, chroma: Matrix) -> list[Panel]:
    """The panels of `MAIN`.

    Parameters
    ----------
    clip : the part shown
    chroma : its chromagram [shape=(12, t)]
    """
    mfcc = spectral.mfcc(clip)
    return [
        mel(spectral.mel_spectrogram(clip)),
        _mfcc(mfcc),
        _standardised("mfcc_standardised", "MFCC, each row standardised", mfcc, _coefficients(mfcc)),
        _chroma(chroma),
        _standardised("chroma_standardised", "Chroma, each row standardised", chroma, _PITCHES),
    ]


def front_end(name: str, clip: Clip) -> Panel:
    """Compute one of `FRONT_ENDS`."""
    return {"bark": _bark, "gammatone": _gammatone, "wavelet": _wavelet}[name](clip)


def reconstruction(matrix: Matrix, redrawn: Matrix, shown: int) -> Panel:
    """An autoencoder's reconstruction of a clip's standardised MFCC.

    Parameters
    ----------
    matrix, redrawn : the standardised coefficients and their reconstruction [shape=(20, 1293)]
    shown : number of frames shown
    """
    error = float(np.mean(np.square(matrix - redrawn))) / float(np.mean(np.square(matrix)))
    return _deviations(
        RECONSTRUCTION,
        "MFCC, reconstructed by the autoencoder",
        redrawn[:, :shown],
        "Coefficient",
        _coefficients(matrix),
        f"The squared error is {error:.2f} of the standardised coefficients' variance (1 = predicting "
        "zero everywhere).",
    )


def mel(matrix: Matrix) -> Panel:
    """A mel spectrogram in dB [shape=(216, t)], with the centre frequency of each band."""
    numba_cache.ready()
    import librosa

    centres = librosa.mel_frequencies(n_mels=len(matrix) + 2, fmin=0.0, fmax=SAMPLE_RATE / 2)[1:-1]
    rows = [hertz(centre) for centre in centres]
    return _levels("mel", "Mel spectrogram", matrix, rows, _frequency_ticks(centres))


def quantise(matrix: Matrix, low: float, high: float, largest: int) -> Levels:
    """Quantise values between low and high to integers from 0 to `largest`, in the smallest dtype."""
    kind = np.uint8 if largest <= _BYTE else np.uint16
    span = high - low if high > low else 1.0
    levels: Levels = np.clip(np.round((matrix - low) / span * largest), 0, largest).astype(kind)
    return levels


def hertz(frequency: float) -> str:
    """Format a frequency: `hertz(1234.5)` is "1,234 Hz"."""
    return f"{frequency:,.0f} Hz"


def _levels(
    name: str,
    title: str,
    matrix: Matrix,
    rows: Sequence[str],
    ticks: Sequence[tuple[float, str]],
) -> Panel:
    power = 10 ** (matrix / 10)
    summary = (
        f"The strongest row on average is {rows[int(power.mean(axis=1).argmax())]}; the strongest "
        f"moment is at {_seconds(power.sum(axis=0).argmax()):.1f} s; {np.mean(matrix < -60):.0%} of "
        "the cells are more than 60 dB below the loudest."
    )
    return Panel(
        name,
        title,
        quantise(matrix, -spectral.DYNAMIC_RANGE_DB, 0.0, _DECIBEL_LEVELS),
        _DECIBEL_LEVELS,
        -spectral.DYNAMIC_RANGE_DB,
        0.0,
        "dB",
        "Frequency",
        tuple(rows),
        tuple(ticks),
        summary,
    )


def _bark(clip: Clip) -> Panel:
    limits = np.array(filterbanks.bark_limits())
    rows = [f"{low:,.0f} to {high:,.0f} Hz" for low, high in limits]
    edges = np.array([*limits[:, 0], limits[-1, 1]])
    # A band's limits are half a row below and above it.
    ticks = _frequency_ticks(edges, first=-0.5)
    return _levels("bark", "Bark bands", filterbanks.bark_bands(clip), rows, ticks)


def _gammatone(clip: Clip) -> Panel:
    centres = filterbanks.gammatone_centres()
    rows = [hertz(centre) for centre in centres]
    ticks = _frequency_ticks(centres)
    return _levels("gammatone", "Gammatone bands", filterbanks.gammatone_bands(clip), rows, ticks)


def _wavelet(clip: Clip) -> Panel:
    centres = filterbanks.scalogram_centres()
    rows = [f"{PITCH_CLASSES[i % 12]}{i // 12 + 1}, {hertz(centre)}" for i, centre in enumerate(centres)]
    ticks = _frequency_ticks(centres)
    return _levels("wavelet", "Wavelet scalogram", filterbanks.scalogram(clip), rows, ticks)


_PITCHES = (PITCH_CLASSES, tuple((float(row), PITCH_CLASSES[row]) for row in (0, 2, 4, 7, 9, 11)))


def _coefficients(matrix: Matrix) -> Axis:
    ticks = [(float(row), str(row)) for row in range(0, len(matrix), 5)]
    return [f"coefficient {row}" for row in range(len(matrix))], ticks


def _mfcc(matrix: Matrix) -> Panel:
    rows, ticks = _coefficients(matrix)
    reach = 10.0 * float(np.ceil(np.abs(matrix).max() / 10))
    largest = round(2 * reach / _MFCC_STEP_DB)
    others = matrix[1:]
    summary = (
        f"Coefficient 0, the overall level, runs from {matrix[0].min():.0f} to {matrix[0].max():.0f} "
        f"dB; the other {len(others)} stay between {others.min():.0f} and {others.max():.0f} dB."
    ).replace("-", "−")
    return Panel(
        "mfcc",
        "MFCC",
        quantise(matrix, -reach, reach, largest),
        largest,
        -reach,
        reach,
        "dB",
        "Coefficient",
        tuple(rows),
        tuple(ticks),
        summary,
        diverging=True,
    )


def _chroma(matrix: Matrix) -> Panel:
    strongest = np.argsort(-matrix.mean(axis=1), kind="stable")[:3]
    first, second, third = (PITCH_CLASSES[row] for row in strongest)
    weakest = PITCH_CLASSES[int(matrix.mean(axis=1).argmin())]
    names, ticks = _PITCHES
    return Panel(
        "chroma",
        "Chroma",
        quantise(matrix, 0.0, 1.0, _BYTE),
        _BYTE,
        0.0,
        1.0,
        "of the strongest",
        "Pitch class",
        names,
        ticks,
        f"Strongest on average are {first}, {second} and {third}; weakest is {weakest}.",
    )


def _standardised(name: str, title: str, matrix: Matrix, axis: Axis) -> Panel:
    values = spectral.standardise(matrix)
    row, column = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    moment = _seconds(np.abs(values).mean(axis=0).argmax())
    extreme = float(values[row, column])
    summary = (
        f"The most unusual moment is at {moment:.1f} s. The most extreme value is "
        f"{abs(extreme):.1f} standard deviations {'above' if extreme > 0 else 'below'} its row's mean: "
        f"{axis[0][int(row)]} at {_seconds(column):.1f} s."
    )
    what = "Coefficient" if len(matrix) != len(PITCH_CLASSES) else "Pitch class"
    return _deviations(name, title, values, what, axis, summary)


def _deviations(name: str, title: str, values: Matrix, what: str, axis: Axis, summary: str) -> Panel:
    """A panel of values in standard deviations."""
    rows, ticks = axis
    return Panel(
        name,
        title,
        quantise(values, -STANDARD_RANGE, STANDARD_RANGE, _STANDARD_LEVELS),
        _STANDARD_LEVELS,
        -STANDARD_RANGE,
        STANDARD_RANGE,
        "SD",
        what,
        tuple(rows),
        tuple(ticks),
        summary,
        diverging=True,
        open_ended=True,
    )


def _frequency_ticks(frequencies: NDArray[np.float64], first: float = 0.0) -> list[tuple[float, str]]:
    """Positions of round frequencies among rows at the given frequencies, starting at `first`."""
    where = first + np.arange(len(frequencies))
    kept: list[tuple[float, str]] = []
    # From the top down: labels of the mel scale's closely spaced low bands would overlap.
    for tick in reversed(_AXIS_HERTZ):
        place = float(np.interp(tick, frequencies, where))
        within = frequencies[0] <= tick <= frequencies[-1]
        if within and (not kept or kept[-1][0] - place >= 0.075 * len(frequencies)):
            kept.append((place, _short(tick)))
    return kept[::-1]


def _short(frequency: float) -> str:
    return f"{frequency / 1_000:g} kHz" if frequency >= 1_000 else f"{frequency:g} Hz"


def _seconds(column: np.intp | int) -> float:
    return float(column) * HOP_LENGTH / SAMPLE_RATE
