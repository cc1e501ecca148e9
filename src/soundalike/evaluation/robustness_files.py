"""Encode clips as files, to test the full decoding path.

Lossy files are mono at 44.1 kHz. Surround files are WAV with 32-bit floats at 22,050 Hz, to change only
the channels; unused channels are silent.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import SAMPLE_RATE

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

_CHANNELS = {"5.1": 6, "7.1": 8}
LEFT, RIGHT, CENTRE = 0, 1, 2
"""Channel positions, in 5.1 and 7.1 alike."""


@dataclass(frozen=True)
class Lossy:
    """A lossy format.

    Attributes
    ----------
    encoder, container : FFmpeg's names
    bit_rate : bits per second
    """

    encoder: str
    container: str
    bit_rate: int

    @property
    def available(self) -> bool:
        """Whether this installation of FFmpeg can encode it."""
        import av

        return self.encoder in av.codecs_available

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        """Encode samples at 22,050 Hz [shape=(n,)] as a file."""
        return encode(samples, self.container, self.encoder, self.bit_rate)


def encode(
    samples: NDArray[np.float32], container: str, codec: str, bit_rate: int | None = None
) -> bytes:
    """Encode samples at 22,050 Hz [shape=(n,)] as a mono file, at 48 kHz for Opus, otherwise 44.1 kHz.

    Parameters
    ----------
    container, codec : FFmpeg's names
    bit_rate : bits per second; by default the encoder's
    """
    import av

    rate = 48_000 if "opus" in codec else 44_100
    frame = _frame(samples[:, np.newaxis], "mono")
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        resampler = av.AudioResampler(stream.format.name, "mono", rate, stream.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return target.getvalue()


MP3_64 = Lossy("libmp3lame", "mp3", 64_000)
AAC_48 = Lossy("aac", "ipod", 48_000)


def surround(layout: str, channels: dict[int, NDArray[np.float32]]) -> bytes:
    """Encode a 5.1 or 7.1 file.

    Parameters
    ----------
    layout : "5.1" or "7.1"
    channels : samples at 22,050 Hz by position, all of one length; other channels are silent
    """
    import av

    count = len(next(iter(channels.values())))
    samples = np.zeros((count, _CHANNELS[layout]), np.float32)
    for place, channel in channels.items():
        samples[:, place] = channel
    target = io.BytesIO()
    with av.open(target, "w", format="wav") as file:
        stream = file.add_stream("pcm_f32le", rate=SAMPLE_RATE, layout=layout)
        assert isinstance(stream, av.AudioStream)
        file.mux(stream.encode(_frame(samples, layout)))
        file.mux(stream.encode(None))
    return target.getvalue()


def _frame(samples: NDArray[np.float32], layout: str) -> AudioFrame:
    """Samples [shape=(n, channels)] as a frame."""
    import av

    # Interleaved, because PyAV reads past the end of eight planes.
    packed = np.ascontiguousarray(samples, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
    frame.sample_rate = SAMPLE_RATE
    return frame
