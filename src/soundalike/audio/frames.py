"""Frames: what a container's decoder gives, as blocks of float samples; what is broken is skipped."""

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
    """Float samples [shape=(n, channels)] in blocks of a second.

    Parameters
    ----------
    container : the file, opened
    channels, sample_rate : as its header has them
    broken : its one number grows by the packets that cannot be decoded

    Raises
    ------
    AudioError
        If the file changes its format half-way.
    """
    import av

    # Frames are gathered first: some hold 20 ms, and converting each costs more than decoding it.
    gathered = av.AudioFifo()
    # Interleaved, since PyAV reads past the end of eight planes.
    to_float = av.AudioResampler(format="flt")
    kind = None
    for frame in _frames(container, broken):
        kind = kind or frame.format.name
        same = (frame.sample_rate, frame.layout.nb_channels) == (sample_rate, channels)
        if not same or frame.format.name != kind:
            raise AudioError("This file changes its format half-way. Convert it and try again.")
        frame.pts = None
        gathered.write(frame)
        for block in gathered.read_many(sample_rate):
            yield from _interleaved(to_float.resample(block), channels)
    if rest := gathered.read():
        yield from _interleaved(to_float.resample(rest), channels)


def _interleaved(frames: list[AudioFrame], channels: int) -> Iterator[NDArray[Any]]:
    """Frames as arrays [shape=(n, channels)]."""
    for frame in frames:
        yield frame.to_ndarray().reshape(-1, channels)


def _frames(container: InputContainer, broken: list[int]) -> Iterator[AudioFrame]:
    """Decoded frames; a packet that cannot be decoded is skipped and counted in broken[0]."""
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
