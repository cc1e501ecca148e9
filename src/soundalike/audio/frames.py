"""Decoded audio frames as blocks of float samples; broken packets are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from soundalike.errors import AudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

_MAX_BROKEN_PACKETS = 200


def blocks(
    container: InputContainer, channels: int, sample_rate: int, broken: list[int]
) -> Iterator[NDArray[Any]]:
    """Yield float samples [shape=(n, channels)] in blocks of one second.

    Parameters
    ----------
    container : the open file
    channels, sample_rate : from its header
    broken : list of one counter, increased for every packet that cannot be decoded

    Raises
    ------
    AudioError
        If the file changes its format half-way.
    """
    import av

    # Collect frames first: some last 20 ms, and converting each costs more than decoding it.
    fifo = av.AudioFifo()
    # Interleaved, because PyAV reads past the end of eight planes.
    to_float = av.AudioResampler(format="flt")
    sample_format = None
    for frame in _frames(container, broken):
        sample_format = sample_format or frame.format.name
        unchanged = (frame.sample_rate, frame.layout.nb_channels) == (sample_rate, channels)
        if not unchanged or frame.format.name != sample_format:
            raise AudioError("This file changes its format half-way. Convert it and try again.")
        frame.pts = None
        fifo.write(frame)
        for block in fifo.read_many(sample_rate):
            yield from _interleaved(to_float.resample(block), channels)
    if remaining := fifo.read():
        yield from _interleaved(to_float.resample(remaining), channels)


def _interleaved(frames: list[AudioFrame], channels: int) -> Iterator[NDArray[Any]]:
    """Frames as arrays [shape=(n, channels)]."""
    for frame in frames:
        yield frame.to_ndarray().reshape(-1, channels)


def _frames(container: InputContainer, broken: list[int]) -> Iterator[AudioFrame]:
    """Yield decoded frames; skip broken packets and count them in broken[0]."""
    import av

    stream = container.streams.audio[0]
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            yield from packet.decode()
        except (StopIteration, EOFError):
            return
        except (av.FFmpegError, ValueError):
            broken[0] += 1
            if broken[0] > _MAX_BROKEN_PACKETS:
                return
