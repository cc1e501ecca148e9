"""Words for what is measured: tempo, loudness, brightness, key and mode.

The values are those of the index's descriptors and keys (`index.track_arrays`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.features import descriptors, track_descriptors
from soundalike.index import track_arrays
from soundalike.index.index import Index

TEMPO, LOUDNESS, BRIGHTNESS, ONSETS = "tempo", "loudness", "brightness", "onsets"
_COLUMNS = {
    name: next(i for i, item in enumerate(track_descriptors.CLIP) if item.name.startswith(start))
    for name, start in (
        (TEMPO, "tempo"),
        (LOUDNESS, "loudness"),
        (BRIGHTNESS, "spectral centroid"),
        (ONSETS, "onsets"),
    )
}


@dataclass(frozen=True)
class Measure:
    """A word for a high or a low value of a measured quantity, or for a mode.

    Attributes
    ----------
    name : the word
    quantity : one of the four above, or "mode"
    high : whether it means a high value; for the mode, whether it means minor
    synonyms : other words for it
    """

    name: str
    quantity: str
    high: bool
    synonyms: tuple[str, ...]


MEASURES = (
    Measure("fast", TEMPO, True, ("quick", "rapid", "uptempo", "up-tempo", "speedy", "high tempo")),
    Measure("slow", TEMPO, False, ("downtempo", "down-tempo", "low tempo", "sluggish", "ballad")),
    Measure("loud", LOUDNESS, True, ("noisy", "compressed")),
    Measure("quiet", LOUDNESS, False, ("silent", "hushed", "soft volume")),
    Measure("bright", BRIGHTNESS, True, ("brilliant", "shiny", "trebly", "crisp")),
    Measure("dark", BRIGHTNESS, False, ("dull", "muffled", "warm", "bassy", "deep")),
    Measure("busy", ONSETS, True, ("dense", "hectic")),
    Measure("sparse", ONSETS, False, ("minimal", "minimalist", "empty")),
    Measure("major", "mode", False, ("major key",)),
    Measure("minor", "mode", True, ("minor key",)),
)


def values(index: Index, measure: Measure) -> NDArray[np.float64] | None:
    """Each track's value, larger where the word applies better [shape=(n,)].

    NaN where it is unknown; None if the index has no measurements.
    """
    if measure.quantity == "mode":
        keys = track_arrays.keys(index)
        if keys is None:
            return None
        mode = np.where(keys[:, 0] >= 0, keys[:, 1].astype(np.float64), np.nan)
        return mode if measure.high else 1 - mode
    found = quantity(index, measure.quantity)
    if found is None:
        return None
    return found if measure.high else -found


def quantity(index: Index, name: str) -> NDArray[np.float64] | None:
    """A measured quantity of each track [shape=(n,)]: BPM, LUFS, Hz or onsets per second."""
    measured = track_arrays.descriptors(index)
    if measured is None:
        return None
    column = np.asarray(measured[:, _COLUMNS[name]], np.float64)
    return np.where(column > 0, column, np.nan) if name == TEMPO else column


def near_tempo(index: Index, bpm: float) -> NDArray[np.float64] | None:
    """Minus the distance of each track's tempo from one in BPM, in octaves [shape=(n,)]."""
    tempos = quantity(index, TEMPO)
    return None if tempos is None else -np.abs(np.log2(tempos / bpm))


def in_key(index: Index, tonic: int, mode: int | None) -> NDArray[np.float64] | None:
    """1 for tracks in a key, 0 for others, NaN where it is unknown [shape=(n,)]."""
    keys = track_arrays.keys(index)
    if keys is None:
        return None
    same = (keys[:, 0] == tonic) & ((keys[:, 1] == mode) if mode is not None else True)
    return np.where(keys[:, 0] >= 0, same.astype(np.float64), np.nan)


def key_name(tonic: int, mode: int | None) -> str:
    """A key's name, as "C minor"."""
    suffix = {0: " major", 1: " minor", None: ""}[mode]
    return f"{descriptors.PITCH_CLASSES[tonic]}{suffix}"
