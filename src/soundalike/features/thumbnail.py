"""Thumbnails: a clip's mel spectrogram as a small picture, in the colours of VGG16's input."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.features import spectral, spectrogram_image

SIZE = (480, 108)
"""Width and height in pixels; a row shows two mel bands."""
_QUALITY = 50


@dataclass(frozen=True)
class Thumbnail:
    """A picture of a track's mel spectrogram.

    Attributes
    ----------
    content : a WebP file
    offset : start of the picture within the track's file, in seconds
    """

    content: bytes
    offset: float


def draw(clip: Clip) -> Thumbnail:
    """Draw the mel spectrogram of a 30 s clip (`audio.analysis_window`)."""
    from PIL import Image

    mel = spectral.mel_spectrogram(clip)
    levels = Image.fromarray(np.ascontiguousarray(mel[::-1]))
    resized = np.asarray(levels.resize(SIZE, Image.Resampling.BOX))
    coloured = spectrogram_image.colour(resized, float(mel.min()), float(mel.max()))
    file = io.BytesIO()
    Image.fromarray(coloured).save(file, "WEBP", quality=_QUALITY, method=4)
    return Thumbnail(file.getvalue(), clip.start)


def draw_file(path: Path) -> Thumbnail:
    """Draw the thumbnail of an audio file, which takes a fifth of a second.

    Raises
    ------
    AudioError
        If the file cannot be decoded.
    """
    return draw(analysis_window(decoding.decode(path)))
