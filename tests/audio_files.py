"""Sounds and files for the tests of audio: known signals, formats, and headers that lie."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from mutations import FORMATS as FORMATS

from soundalike.audio import decoding
from soundalike.audio.decoding import SAMPLE_RATE, Clip
from soundalike.errors import AudioError


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
