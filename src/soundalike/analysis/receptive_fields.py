"""Receptive fields of the dimensions of `vgg_mel`: the cell of each, in seconds and hertz.

Dimension d = (band * 10 + time) * 512 + channel: five bands from the top of the picture (high
frequencies) to its bottom, ten segments of three seconds, 512 channels. A cell is the maximum over
3 x 2 positions of VGG16's last feature map. Each cell has two boxes: its own share of the picture, after
which bands and times are named, and its larger receptive field, which covers every pixel that can
change it. The field follows from the network's layers (Araujo, Norris and Sim, 2019, "Computing
receptive fields of convolutional neural networks"). Pixels in its middle have more influence than
pixels at its edge (Luo et al., 2016).

Pixels are counted from the top left of the 480 x 640 picture. The mel scale is Slaney's, as in librosa.
"""

from __future__ import annotations

from dataclasses import dataclass

from soundalike.audio.clip import HOP_LENGTH, N_FRAMES, SAMPLE_RATE
from soundalike.features.psychoacoustics import hz_to_mel, mel_to_hz
from soundalike.features.spectral import N_MELS
from soundalike.features.spectrogram_image import HEIGHT, WIDTH
from soundalike.models import vgg16
from soundalike.representations import vgg_mel

BANDS, TIMES = vgg_mel.GRID
CHANNELS = vgg16.CHANNELS
POOL = (vgg16.GRID[0] // BANDS, vgg16.GRID[1] // TIMES)
"""Rows and columns of the feature map that are pooled into a cell."""
TIMELINE = (-0.5 * HOP_LENGTH / SAMPLE_RATE, N_FRAMES * HOP_LENGTH / SAMPLE_RATE)
"""Time at the picture's left edge, and duration of its width, in seconds. Frames are centred on their
time, so half of the first frame lies before the clip."""

_LAST_SECOND = (N_FRAMES - 1) * HOP_LENGTH / SAMPLE_RATE


@dataclass(frozen=True)
class Cell:
    """Band (0 is the highest), time (0 is the first) and channel of a dimension of `vgg_mel`."""

    band: int
    time: int
    channel: int

    @property
    def dimension(self) -> int:
        """Its index in the embedding."""
        return (self.band * TIMES + self.time) * CHANNELS + self.channel


@dataclass(frozen=True)
class Box:
    """A rectangle in the picture, edges in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def seconds(self) -> tuple[float, float]:
        """Start and end in the clip."""
        return _second(self.left), _second(self.right)

    @property
    def hertz(self) -> tuple[float, float]:
        """Lowest and highest frequency."""
        return _hertz(self.bottom), _hertz(self.top)

    @property
    def words(self) -> str:
        """Range in words: "1.4 to 2.8 kHz, 9 to 12 s"."""
        begin, end = self.seconds
        return f"{pitch_range(*self.hertz)}, {begin:.0f} to {end:.0f} s"

    def clipped(self) -> Box:
        """The intersection with the picture."""
        return Box(max(self.left, 0), max(self.top, 0), min(self.right, WIDTH), min(self.bottom, HEIGHT))

    def percent(self) -> dict[str, float]:
        """Position for CSS, in percent of the picture."""
        return {
            "left": 100 * self.left / WIDTH,
            "top": 100 * self.top / HEIGHT,
            "width": 100 * (self.right - self.left) / WIDTH,
            "height": 100 * (self.bottom - self.top) / HEIGHT,
        }


def cell(dimension: int) -> Cell:
    """The cell and channel of a dimension of `vgg_mel`.

    Raises
    ------
    ValueError
        If there is no such dimension.
    """
    if not 0 <= dimension < vgg_mel.DIM:
        raise ValueError(f"vgg_mel has dimensions 0 to {vgg_mel.DIM - 1}, not {dimension}.")
    place, channel = divmod(dimension, CHANNELS)
    band, time = divmod(place, TIMES)
    return Cell(band, time, channel)


def share(of: Cell) -> Box:
    """The cell's own share of the picture, 96 x 64 pixels."""
    height, width = HEIGHT // BANDS, WIDTH // TIMES
    return Box(of.time * width, of.band * height, (of.time + 1) * width, (of.band + 1) * height)


def field_of_view(of: Cell) -> Box:
    """The cell's receptive field within the picture: every pixel that can change it."""
    rows = receptive_field(of.band * POOL[0], (of.band + 1) * POOL[0] - 1)
    columns = receptive_field(of.time * POOL[1], (of.time + 1) * POOL[1] - 1)
    return Box(columns[0], rows[0], columns[1], rows[1]).clipped()


def pitch_range(low: float, high: float) -> str:
    """Format a frequency range: "0.7 to 1.4 kHz", "50 to 670 Hz"."""
    if high < 1_000:
        return f"{low:.0f} to {high:.0f} Hz"
    return f"{low / 1000:.1f} to {high / 1000:.1f} kHz"


def receptive_field(first: int, last: int) -> tuple[int, int]:
    """Pixels along one axis that positions `first` to `last` of the feature map depend on.

    Each 3 x 3 convolution widens the field by one step of its input on either side. Each 2 x 2 pooling
    widens it by one step on the far side, and doubles the step.

    Returns
    -------
    first pixel, and one past the last; outside the picture is the layers' padding
    """
    size = step = 1
    before = 0
    for _, convolutions in vgg16.BLOCKS:
        size += 2 * step * convolutions
        before += step * convolutions
        size += step
        step *= 2
    return first * step - before, last * step - before + size


def _second(column: int) -> float:
    start, span = TIMELINE
    return min(max(start + span * column / WIDTH, 0.0), _LAST_SECOND)


def _hertz(row: int) -> float:
    """Frequency at a pixel's upper edge.

    Band m's triangle peaks at point m + 1 of N_MELS + 2 points spaced evenly in mel, and the picture
    shows it from m to m + 1.
    """
    bands_below = (HEIGHT - row) * N_MELS / HEIGHT
    point = min(max(bands_below + 0.5, 0.0), N_MELS + 1.0)
    return mel_to_hz(point / (N_MELS + 1) * hz_to_mel(SAMPLE_RATE / 2))
