"""The anatomy of a clip: all its measurements, compact enough to send to a browser.

Shown is the clip's representative half minute (`audio.analysis_window`), or all of a
shorter clip without repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis import panels
from soundalike.analysis.panels import Panel
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, HOP_LENGTH, SAMPLE_RATE, Clip
from soundalike.features import descriptors, spectral, spectrogram_image
from soundalike.models import ModelStore

DecodeStereo = Callable[[Any], tuple[Clip, NDArray[np.float32] | None]]


@dataclass(frozen=True)
class Facts:
    """Descriptors of a clip; None where unavailable.

    `stereo` is True if loudness was measured on both channels rather than on the mix.
    """

    tempo: descriptors.Tempo | None
    key: descriptors.Key | None
    loudness: float | None
    stereo: bool
    centroid: float


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Measurements of a clip.

    Attributes
    ----------
    start, duration, source_duration : the part shown, within its source, in seconds
    envelope : int16 [shape=(2, n)], smallest and largest sample; 32,767 is full scale
    rms : int16 [shape=(t,)], on the same scale
    panels : panels by name, those of `panels.MAIN`
    vgg_levels : uint8 [shape=(216, 640)], VGG16's input image from `vgg_levels`
    notes : sentences about what was done to the audio
    """

    start: float
    duration: float
    source_duration: float
    envelope: NDArray[np.int16]
    rms: NDArray[np.int16]
    panels: dict[str, Panel]
    facts: Facts
    vgg_levels: NDArray[np.uint8]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """The part of a clip that Anatomy shows.

    Attributes
    ----------
    clip : the network's 30 s, or all of a shorter clip without repeats
    window : the network's 30 s
    sides : both channels of `clip`, if its source has two [shape=(n, 2)]
    """

    clip: Clip
    window: Clip
    sides: NDArray[np.float32] | None = None


def part_shown(
    whole: Clip, sides: NDArray[np.float32] | None = None, start: float | None = None
) -> Shown:
    """The part of a decoded clip to show.

    Parameters
    ----------
    whole, sides : as from `decoding.decode_stereo`
    start : of the half minute to show, as in `analysis_window`; the loudest by default
    """
    window = analysis_window(whole, start)
    clip = whole if len(whole.samples) < ANALYSIS_SAMPLES else window
    spectral.begins(clip, window)
    if sides is None:
        return Shown(clip, window)
    begin = round(clip.start * clip.sample_rate)
    # A copy, so that the rest of a long file can be freed.
    return Shown(clip, window, sides[begin : begin + len(clip.samples)].copy())


def analyse(
    source: Path | bytes,
    decode_stereo: DecodeStereo = decoding.decode_stereo,
    start: float | None = None,
) -> Anatomy:
    """Measure a file or its bytes; pass `sandbox.decode_stereo` for untrusted files.

    `start` is that of the half minute to show, as in `part_shown`.

    Raises
    ------
    AudioError
        If the clip is unusable.
    """
    whole, sides = decode_stereo(source)
    return measure(part_shown(whole, sides, start))


def measure(shown: Shown) -> Anatomy:
    """Measure a decoded clip."""
    clip, sides = shown.clip, shown.sides
    with ThreadPoolExecutor(2) as aside:
        # The longest first. It needs no spectrogram, and everything else waits for that.
        loudness = aside.submit(descriptors.loudness, clip.samples if sides is None else sides)
        spectral.power(clip)
        chromagram = aside.submit(spectral.chroma, clip)
        tempo = aside.submit(descriptors.tempo, clip)
        centroid = aside.submit(descriptors.centroid, clip)
        picture = vgg_levels(shown.window)
        drawn = panels.main(clip, chromagram.result())
        key = descriptors.key(chromagram.result())
    facts = Facts(tempo.result(), key, loudness.result(), sides is not None, centroid.result())
    return Anatomy(
        clip.start,
        clip.duration,
        clip.source_duration,
        _integers(descriptors.envelope(clip.samples)),
        _integers(descriptors.rms(clip)),
        {panel.name: panel for panel in drawn},
        facts,
        picture,
        shown.window.notes,
    )


def front_end(shown: Shown, name: str) -> Panel:
    """Compute one of `panels.FRONT_ENDS` for a decoded clip."""
    return panels.front_end(name, shown.clip)


def reconstruction(shown: Shown, models: ModelStore) -> Panel:
    """A clip's standardised MFCC as reconstructed by the autoencoder from its 512-dimensional code.

    Raises
    ------
    ModelError
        If the autoencoder is missing.
    """
    matrix = spectral.standardise(spectral.mfcc(shown.window))
    frames = 1 + len(shown.clip.samples) // HOP_LENGTH
    return panels.reconstruction(matrix, models.autoencoder.reconstruct(matrix), frames)


def vgg_levels(window: Clip) -> NDArray[np.uint8]:
    """Colour indices of VGG16's input image for a 30 s clip, into the magma colormap [shape=(216, 640)].

    Rows are mel bands, the lowest first; the image's 480 rows, from the top, repeat them.
    """
    return spectrogram_image.canvas_levels(spectral.mel_spectrogram(window))


def warm() -> None:
    """Load and compile everything that the first analysis needs, which takes seconds."""
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE * 4).astype(np.float32)
    clip = Clip(noise)
    panels.main(clip, spectral.chroma(clip))
    descriptors.tempo(clip)
    descriptors.centroid(clip)


def _integers(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.round(np.clip(samples, -1.0, 1.0) * 32_767).astype(np.int16)
