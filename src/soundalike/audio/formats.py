"""Which containers and codecs are read, within which limits, and what is said of others.

FFmpeg gets these names as its allow-lists. It would otherwise follow playlists to other files and hosts,
and open decoders that nobody has fuzzed (docs/reliability.md).
"""

from __future__ import annotations

from soundalike.audio import media_types
from soundalike.errors import AudioError

CONTAINERS = "wav,w64,flac,ogg,mp3,mov,matroska,aac,aiff,caf,asf"
CODECS = (
    "flac,vorbis,libvorbis,opus,libopus,mp3,mp3float,mp2,mp2float,aac,aac_fixed,alac,ac3,eac3,"
    "wmav1,wmav2,adpcm_ms,adpcm_ima_wav,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,"
    "pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw"
)
EXTENSIONS = tuple(ending.removeprefix(".") for ending in media_types.BY_ENDING)
"""File name endings offered for upload and found in folders, in lower case."""
MAX_CHANNELS = 8
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8_000, 384_000

SENTENCE = "WAV, FLAC, Ogg, Opus, MP3, M4A, AAC, AIFF, WMA or WebM"
_CONVERT = "Convert it to FLAC or MP3 and try again."
_OTHERS = {
    b"wvpk": "WavPack",
    b"MAC ": "Monkey's Audio",
    b"MPCK": "Musepack",
    b"MP+": "Musepack",
    b"TTA1": "True Audio",
    b"OFR ": "OptimFROG",
    b"tBaK": "TAK",
    b"#!AMR": "AMR",
    b"DSD ": "DSD",
    b"FRM8": "DSD",
    b".RMF": "RealMedia",
    b".snd": "AU",
    b"MThd": "MIDI",
    b"\x0b\x77": "bare AC-3",
    b"\x7f\xfe\x80\x01": "bare DTS",
}
"""Audio files that are not read, by their first bytes."""


def unreadable(head: bytes) -> AudioError:
    """The error for a file that cannot be read, by its first bytes."""
    other = next((name for begin, name in _OTHERS.items() if head.startswith(begin)), None)
    if other is not None:
        return AudioError(f"This is a {other} file, which we don't read. {_CONVERT}")
    if media_types.is_audio(head):
        return AudioError("This audio file is damaged or incomplete. Try another copy of it.")
    return AudioError(f"We couldn't read this as audio. Try {SENTENCE}.")


def codec_refused(codec: str) -> AudioError:
    """The error for a file whose container is read but not its codec, by the codec's full name."""
    return AudioError(f"The sound of this file is coded as {codec}, which we don't read. {_CONVERT}")
