"""Decoded audio frames as blocks of float samples.

Broken packets are skipped. If the format changes half-way (mono to stereo, another sample rate), what
follows is converted to the first format, as players do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import downmix, formats

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

EARLY_S = 1.0
"""Seconds that are decoded before a part, and not used: a decoder starts with an echo of nothing."""
_MAX_BROKEN_PACKETS = 200
_TAGS = (b"ID3", b"TAG", b"APETAGEX")
"""The beginnings of tags, which lie between the parts of concatenated files."""
_PADDING = 1_024
"""Number of bytes that make a packet padding if they are zeros."""


@dataclass
class Faults:
    """What went wrong while a file was decoded.

    Attributes
    ----------
    broken : number of packets that could not be decoded
    first_part_only : whether the format changed to one that is not read
    """

    broken: int = 0
    first_part_only: bool = False


def blocks(
    frames: Iterator[AudioFrame], channels: int, sample_rate: int, faults: Faults
) -> Iterator[NDArray[Any]]:
    """Yield float samples [shape=(n, channels)] in blocks of about one second.

    Parameters
    ----------
    frames : decoded frames, of any formats
    channels, sample_rate : of the blocks, from the file's header
    faults : updated when the format changes to one that is not read
    """
    part: _Part | None = None
    for frame in frames:
        if part is None or not part.fits(frame):
            if part is not None:
                yield from part.finish()
            if not _is_read(frame):
                faults.first_part_only = True
                return
            part = _Part(frame, channels, sample_rate)
        yield from part.add(frame)
    if part is not None:
        yield from part.finish()


class _Part:
    """Consecutive frames of one format, converted to blocks.

    Parameters
    ----------
    first : the first frame
    channels, sample_rate : of the blocks
    """

    def __init__(self, first: AudioFrame, channels: int, sample_rate: int) -> None:
        import av

        self._form = _form(first)
        self._channels = channels
        self._own_rate = first.sample_rate
        self._is_resampled = first.sample_rate != sample_rate
        # Collect frames first: some last 20 ms, and converting each costs more than decoding it.
        self._fifo = av.AudioFifo()
        # Interleaved, because PyAV reads past the end of eight planes.
        self._to_float = av.AudioResampler(
            format="flt", rate=sample_rate if self._is_resampled else None
        )
        self._weights = downmix.weights([channel.name for channel in first.layout.channels])

    def fits(self, frame: AudioFrame) -> bool:
        """Whether a frame has the same format."""
        return _form(frame) == self._form

    def add(self, frame: AudioFrame) -> Iterator[NDArray[Any]]:
        """Take another frame; yield the blocks that are complete."""
        frame.pts = None
        self._fifo.write(frame)
        for block in self._fifo.read_many(self._own_rate):
            yield from self._converted(block)

    def finish(self) -> Iterator[NDArray[Any]]:
        """Yield what is left."""
        if remaining := self._fifo.read():
            yield from self._converted(remaining)
        if self._is_resampled:
            yield from self._converted(None)

    def _converted(self, frame: AudioFrame | None) -> Iterator[NDArray[Any]]:
        own_channels = len(self._weights)
        for converted in self._to_float.resample(frame):
            samples = converted.to_ndarray().reshape(-1, own_channels)
            if own_channels == self._channels:
                yield samples
            else:
                # No linear algebra, because its rounding depends on the number of threads.
                mix = np.einsum("nc,c->n", samples, self._weights / (self._weights.sum() or 1.0))
                yield np.repeat(mix[:, np.newaxis], self._channels, axis=1)


def _form(frame: AudioFrame) -> tuple[str, int, int]:
    return frame.format.name, frame.layout.nb_channels, frame.sample_rate


def _is_read(frame: AudioFrame) -> bool:
    """Whether a frame's format is within the limits of a file's."""
    rates = formats.MIN_SAMPLE_RATE, formats.MAX_SAMPLE_RATE
    return (
        1 <= frame.layout.nb_channels <= formats.MAX_CHANNELS
        and rates[0] <= frame.sample_rate <= rates[1]
    )


def decoded(
    container: InputContainer, faults: Faults, decoder: AudioCodecContext | None = None
) -> Iterator[AudioFrame]:
    """Yield the decoded frames of a file; skip broken packets and count them.

    Parameters
    ----------
    container : the open file
    faults : updated while decoding
    decoder : to be used instead of the stream's own
    """
    import av

    packets = container.demux(container.streams.audio[0])
    has_begun = False
    packet = None
    while True:
        try:
            packet = next(packets)
            for frame in packet.decode() if decoder is None else decoder.decode(packet):
                has_begun = True
                yield frame
        except (StopIteration, EOFError):
            return
        except (av.FFmpegError, ValueError):
            if packet is None or not _is_no_sound(bytes(packet), has_begun):
                faults.broken += 1
            if faults.broken > _MAX_BROKEN_PACKETS:
                return


def decoded_from(container: InputContainer, start: float, seconds: float) -> Iterator[AudioFrame]:
    """Yield the frames of a part of a file, each with its time; packets before it are not decoded.

    Decoders need some packets before the part, so it begins early. Broken packets are skipped.

    Parameters
    ----------
    container : the open file
    start : of the part, in seconds of what decoding the whole file gives
    seconds : length of the part

    Yields
    ------
    frames whose `pts` is their time from the beginning, in samples; none if the file doesn't say the
    time of its packets
    """
    import av

    stream = container.streams.audio[0]
    origin: float | None = None
    has_skipped = False
    for packet in container.demux(stream):
        if origin is not None and packet.size:
            if packet.pts is None or packet.time_base is None:
                return
            if float(packet.pts * packet.time_base) - origin < start - EARLY_S:
                has_skipped = True
                continue
        if has_skipped:
            stream.codec_context.flush_buffers()
            has_skipped = False
        with suppress(av.FFmpegError, ValueError):
            for frame in packet.decode():
                if frame.time is None:
                    return
                origin = frame.time if origin is None else origin
                begins = frame.time - origin
                if begins > start + seconds:
                    return
                if begins >= start - EARLY_S:
                    frame.pts = round(begins * frame.sample_rate)
                    yield frame


def _is_no_sound(packet: bytes, has_begun: bool) -> bool:
    """Whether a packet that could not be decoded is a tag, or padding before the first sound."""
    return packet.startswith(_TAGS) or not (has_begun or any(packet[:_PADDING]))
