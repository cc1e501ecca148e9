"""Sounds and files for the tests of audio: known signals, formats, and headers that lie."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from mutations import BIT_RATES
from mutations import FORMATS as FORMATS
from numpy.typing import ArrayLike

from soundalike.audio import decoding
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.errors import AudioError

Encode = Callable[..., bytes]


def encoded(
    samples: ArrayLike,
    sample_rate: int = 48_000,
    container: str = "wav",
    codec: str = "pcm_s16le",
    layout: str | None = None,
    tags: dict[str, str] | None = None,
) -> bytes:
    """An audio file, as bytes.

    Parameters
    ----------
    samples : [shape=(n,) or (channels, n)], in [-1, 1]
    container, codec : FFmpeg's names; "vorbis" takes stereo only
    layout : FFmpeg's name of the channel layout; by default mono, stereo or 7.1
    """
    channels = np.atleast_2d(np.asarray(samples, np.float32))
    layout = layout or {1: "mono", 2: "stereo", 8: "7.1"}[len(channels)]
    frame = av.AudioFrame.from_ndarray(channels.T.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), 0
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        output.metadata.update(tags or {})
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        stream = output.add_stream(codec, rate=sample_rate, layout=layout, options=options)
        if codec in BIT_RATES:
            stream.bit_rate = BIT_RATES[codec]
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()


def sine(seconds: float, sample_rate: int = 48_000, hertz: float = 440.0, amplitude: float = 0.5):
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def stereo(left, right=None):
    return np.stack([left, left if right is None else right])


def clip_of(samples) -> Clip:
    samples = np.asarray(samples, np.float32)
    return Clip(samples, source_duration=len(samples) / SAMPLE_RATE)


def peak_hertz(clip: Clip) -> float:
    spectrum = np.abs(np.fft.rfft(clip.samples))
    return float(np.argmax(spectrum) * clip.sample_rate / len(clip.samples))


def rms(clip: Clip) -> float:
    return float(np.sqrt(np.mean(np.square(clip.samples, dtype=np.float64))))


def wav(
    data: bytes,
    channels: int = 1,
    sample_rate: int = SAMPLE_RATE,
    bits: int = 16,
    floating: bool = False,
    data_size: int | None = None,
    byte_rate: int | None = None,
    block_align: int | None = None,
) -> bytes:
    """A WAV file whose header says whatever it is told to."""
    align = channels * bits // 8 if block_align is None else block_align
    rate = min(sample_rate * align, 2**32 - 1) if byte_rate is None else byte_rate
    size = len(data) if data_size is None else data_size
    header = struct.pack("<HHIIHH", 3 if floating else 1, channels, sample_rate, rate, align, bits)
    return (
        b"RIFF" + struct.pack("<I", min(size + 36, 2**32 - 1)) + b"WAVE"
        b"fmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", size) + data
    )  # fmt: skip


def pcm(samples) -> bytes:
    return (np.asarray(samples) * 32_767).astype("<i2").tobytes()


def refusal(source: str | Path | bytes) -> str:
    """The message with which a file is refused, checked for its form."""
    with pytest.raises(AudioError) as caught:
        decoding.decode(source)
    message = str(caught.value)
    check_message(message)
    if isinstance(source, bytes):
        assert "/" not in message
    return message


def check_message(message: str) -> None:
    assert message.endswith(".")
    assert len(message.splitlines()) == 1
    assert "Traceback" not in message
    assert "Errno" not in message
