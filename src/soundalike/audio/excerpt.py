"""Decode one half minute of a file, without decoding what comes before it.

A visitor who moves through a clip gets an answer at once, however long the clip is.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decoding, downmix, frames, ogg_links
from soundalike.audio.analysis_window import CHOSEN, analysis_window, check_start, span
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip, is_silent
from soundalike.audio.decoding import Header, _header, _open, _reopened
from soundalike.audio.frames import Faults
from soundalike.audio.resampling import Levels, Stream
from soundalike.errors import AudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

_SECONDS = ANALYSIS_SAMPLES / SAMPLE_RATE
_LATE_S = 0.5
"""Seconds that are decoded after the half minute, for the resampler."""


def decode(source: str | Path | bytes, start: float) -> Clip:
    """Decode the half minute of a file that starts there.

    The channels' DC offset and the choice of channels are those of this part of the file. If the file is
    decoded as a whole, as one without times has to be, they are the file's.

    Parameters
    ----------
    source : path, or the bytes of a file
    start : seconds; at most where the last whole half minute of the file starts

    Returns
    -------
    Clip with 661,504 samples at 22,050 Hz, like `analysis_window`; a shorter file is looped

    Raises
    ------
    AudioError
        As `decoding.decode`, and if this half minute is silent.
    ValueError
        If `start` is negative or not finite.
    """
    check_start(start)
    clip = _part(source, start)
    if clip is None:
        clip = analysis_window(decoding.decode(source), start)
    if is_silent(clip.samples):
        raise AudioError("This half minute is silent. Choose another one.")
    return clip


def _part(source: str | Path | bytes, start: float) -> Clip | None:
    """The half minute; None if the whole file has to be decoded for it."""
    decoded = _decode(source, start, None)
    if decoded is not None and (alone := decoded[2].alone) is not None:
        decoded = _decode(source, start, alone)
    if decoded is None:
        return None
    samples, begins, _, header = decoded
    # A file may end a few samples before its last whole half minute does.
    first = min(round((start - begins) * SAMPLE_RATE), len(samples) - ANALYSIS_SAMPLES)
    if first < 0:
        return None
    window = samples[first : first + ANALYSIS_SAMPLES].copy()
    begins += first / SAMPLE_RATE
    length = header.duration or begins + _SECONDS
    return Clip(window, SAMPLE_RATE, (f"{CHOSEN}, {span(begins)}.",), begins, length)


def _decode(
    source: str | Path | bytes, start: float, channel: int | None
) -> tuple[NDArray[np.float32], float, Levels, Header] | None:
    """The samples around a half minute, where they begin, their levels, and the file's header."""
    with _open(source) as container:
        header = _header(container, source)
        if not _has_times(source, container, header):
            return None
        stream = Stream(downmix.weights(header.layout), header.sample_rate, SAMPLE_RATE, channel, False)
        first: list[int] = []
        sound = _noted(frames.decoded_from(container, start, _SECONDS + _LATE_S), first)
        left_out = 0
        for number, block in enumerate(
            frames.blocks(sound, header.channels, header.sample_rate, Faults())
        ):
            if number == 0:
                # Resampled, the part begins where a sample of the whole file does.
                left_out = -first[0] % (header.sample_rate // gcd(header.sample_rate, SAMPLE_RATE))
            stream.add(block[left_out:] if number == 0 else block)
        if not first:
            return None
        samples, _ = stream.finish()
    return samples, (first[0] + left_out) / header.sample_rate, stream.levels, header


def _has_times(source: str | Path | bytes, container: InputContainer, header: Header) -> bool:
    """Whether the file is one piece, and FFmpeg decodes it by itself."""
    if header.codec != container.streams.audio[0].codec_context.name:
        return False
    if header.container != "ogg":
        return True
    with _reopened(source) as file:
        return len(ogg_links.starts(file)) == 1


def _noted(sound: Iterator[AudioFrame], first: list[int]) -> Iterator[AudioFrame]:
    """The same frames; the number of the first one's first sample is added to a list."""
    for frame in sound:
        if not first:
            first.append(int(frame.pts or 0))
        yield frame
