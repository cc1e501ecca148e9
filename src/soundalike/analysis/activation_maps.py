"""The moment at which a dimension fires: a track's picture, and the network's own map over it.

The picture is the mel spectrogram that the network sees, coloured alike and only less tall. The maps
take a pass of the network: for a dimension of `vgg_mel` the activation of its channel at each of
15 x 20 places; for a feature of the genre head, how far it falls when one of the 7 x 10 places that
the head reads is silenced (Zeiler and Fergus, 2014, "Visualizing and understanding convolutional
networks", who cover one patch at a time).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decoding
from soundalike.audio.clip import Clip, analysis_window
from soundalike.errors import IndexFolderError
from soundalike.features import spectral, spectrogram_image
from soundalike.index.index import Index
from soundalike.models import ModelStore, genre_head, vgg_features

PICTURE_SIZE = (480, 108)
"""Width and height in pixels: enough for a strip; two mel bands a row."""
PICTURES, PLACES = "pictures", "picture_places"
"""The arrays of an index that hold them: all files' bytes, end to end (uint8), and for each track where
its own ends and where in its audio it begins, in seconds (float64 [shape=(n, 2)])."""
_QUALITY = 50


@dataclass(frozen=True)
class Picture:
    """A track's mel spectrogram.

    Attributes
    ----------
    content : a WebP file
    offset : where in the track's file the picture begins, in seconds
    """

    content: bytes
    offset: float


def draw(clip: Clip) -> Picture:
    """The mel spectrogram of a 30 s clip (`audio.analysis_window`) as a picture."""
    from PIL import Image

    mel = spectral.mel_spectrogram(clip)
    levels = Image.fromarray(np.ascontiguousarray(mel[::-1]))
    resized = np.asarray(levels.resize(PICTURE_SIZE, Image.Resampling.BOX))
    coloured = spectrogram_image.colour(resized, float(mel.min()), float(mel.max()))
    file = io.BytesIO()
    Image.fromarray(coloured).save(file, "WEBP", quality=_QUALITY, method=4)
    return Picture(file.getvalue(), clip.start)


def draw_file(path: Path) -> Picture:
    """The picture of an audio file: a fifth of a second.

    Raises
    ------
    AudioError
        If the file cannot be decoded.
    """
    return draw(analysis_window(decoding.decode(path)))


def kept(index: Index, row: int) -> Picture | None:
    """A track's picture from its index, or None if the index has none.

    Raises
    ------
    IndexFolderError
        If the pictures are damaged or another library's.
    """
    if not (index.folder / f"{PICTURES}.npy").is_file():
        return None
    content, places = index.array(PICTURES), index.array(PLACES)
    if places.shape != (len(index), 2) or content.shape != (int(places[-1, 0]),):
        raise IndexFolderError(
            f"The index file {index.folder / PICTURES}.npy is damaged; build the index again with "
            "`soundalike index`."
        )
    start = int(places[row - 1, 0]) if row else 0
    return Picture(content[start : int(places[row, 0])].tobytes(), float(places[row, 1]))


def feature_map(path: Path, models: ModelStore) -> NDArray[np.float16]:
    """VGG16's last feature map of a track [shape=(15, 20, 512)]; one pass of the network.

    Raises
    ------
    AudioError, ModelError
        If the file cannot be decoded, or the network is not there.
    """
    clip = analysis_window(decoding.decode(path))
    return vgg_features.feature_map(clip, models).astype(np.float16)


def channel_map(features: NDArray[np.float16], channel: int) -> NDArray[np.float32]:
    """One channel of a feature map [shape=(15, 20)], rows from the top, at least 0."""
    return features[:, :, channel].astype(np.float32)


def silencing_map(
    features: NDArray[np.float16], feature: int, models: ModelStore
) -> NDArray[np.float32]:
    """How far a feature of the genre head falls when each place it reads is set to zero.

    Parameters
    ----------
    features : VGG16's feature map of a track
    feature : 0 to 31
    models : the networks

    Returns
    -------
    float32 [shape=(7, 10)], rows from the top, at least 0; it covers the picture but its lowest 15th
    """
    whole = genre_head.head_input(features.astype(np.float32))
    rows, columns, _ = whole.shape
    batch = np.repeat(whole[np.newaxis], rows * columns + 1, axis=0)
    for place in range(rows * columns):
        batch[place, place // columns, place % columns] = 0.0
    found = models.genre_head(batch)[0][:, feature]
    fallen: NDArray[np.float32] = np.maximum(found[-1] - found[:-1], 0.0).reshape(rows, columns)
    return fallen
