"""What a file's header says where FFmpeg guesses.

Bare MP3 and AAC have no header for the whole file. FFmpeg then guesses a length from the first frames'
bit rate, which is several times too long for a quiet beginning. It also does so for concatenated MP3. A
guess must not count as the length.

FFmpeg takes WAV samples of 32 bits, of which 24 are valid, for a rare kind of floating point numbers.
"""

from __future__ import annotations

from contextlib import suppress
from typing import BinaryIO

from soundalike.audio.mutagen_errors import DAMAGED

_WITHOUT = ("aac",)
"""Containers, by FFmpeg's names, that never state a length."""
_TOLERANCE_S = 1.0
_EXTENSIBLE = 0xFFFE
"""WAV's format for whole numbers of which not all bits are valid."""


def states_length(container: str, file: BinaryIO, seconds: float) -> bool:
    """Whether a file states its length, rather than leaving it to be guessed.

    Parameters
    ----------
    container : FFmpeg's name of the container
    file : the file's bytes; read from anywhere
    seconds : the length by FFmpeg
    """
    if container in _WITHOUT:
        return False
    if container != "mp3":
        return True
    stated = _length_of_mp3(file)
    return stated is not None and abs(stated - seconds) <= _TOLERANCE_S


def _length_of_mp3(file: BinaryIO) -> float | None:
    """Seconds by the first frame of an MP3 file, if that is a Xing, Info or VBRI header."""
    import mutagen
    from mutagen.mp3 import BitrateMode, MPEGInfo

    with suppress(mutagen.MutagenError, *DAMAGED):
        found = MPEGInfo(file)
        return float(found.length) if found.bitrate_mode != BitrateMode.UNKNOWN else None
    return None


def is_wav_of_24_in_32(file: BinaryIO) -> bool:
    """Whether a WAV file has whole numbers of 32 bits, left-aligned, of which not all are valid."""
    import mutagen
    from mutagen.wave import WaveStreamInfo

    with suppress(mutagen.MutagenError, *DAMAGED):
        found = WaveStreamInfo(file)
        return bool(found.audio_format == _EXTENSIBLE and found.bits_per_sample == 32)
    return False
