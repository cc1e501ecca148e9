"""Encode clips in common formats."""

from __future__ import annotations

import io

import av
import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import SAMPLE_RATE


def encode(
    samples: NDArray[np.float32], container: str, codec: str, layout: str, bit_rate: int | None = None
) -> bytes:
    """Mono samples at 22,050 Hz as a file, at 48 kHz for Opus and 44.1 kHz otherwise."""
    rate = 48_000 if "opus" in codec else 44_100
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        resampler = av.AudioResampler(stream.format.name, layout, rate, stream.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return target.getvalue()
