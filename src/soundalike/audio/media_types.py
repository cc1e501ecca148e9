"""Media types of audio files by their endings, and whether a file's first bytes are audio.

A server hands out only files with these endings, as these types: a browser must never get a library's
file as a page. The first bytes are those of the containers that `decoding` opens, and keep other files
with an audio ending from being handed out.
"""

from __future__ import annotations

from collections.abc import Mapping

BY_ENDING: Mapping[str, str] = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".mp2": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".mp4": "audio/mp4",
    ".3gp": "audio/3gpp",
    ".aac": "audio/aac",
    ".webm": "audio/webm",
    ".weba": "audio/webm",
    ".mka": "audio/webm",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".caf": "audio/x-caf",
    ".wma": "audio/x-ms-wma",
}
OTHER = "audio/wav"
"""The type of bytes whose name has another ending."""
HEAD_BYTES = 4_096
"""Number of first bytes that `is_audio` needs."""

_BEGINNINGS = (
    *(b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3", b"riff\x2e\x91\xcf\x11", b"caff\0\x01\0\0"),
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
)
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def is_audio(head: bytes) -> bool:
    """Whether a file that begins with these bytes is in one of the accepted containers."""
    if head[:4] in (b"RIFF", b"RF64"):
        return head[8:12] == b"WAVE"
    if head.startswith(b"FORM"):
        return head[8:12] in (b"AIFF", b"AIFC")
    return head.startswith(_BEGINNINGS) or head[4:8] in _BOXES or _is_mpeg(head.lstrip(b"\0"))


def _is_mpeg(head: bytes) -> bool:
    """Whether a frame header of MPEG audio or AAC comes first; some encoders pad it with zeros."""
    if len(head) < 3 or head[0] != 0xFF:
        return False
    is_aac = head[1] & 0xF6 == 0xF0
    # Layer II or III; version and bit rate must not have their reserved values.
    is_layer = head[1] & 0xE6 in (0xE2, 0xE4)
    return is_aac or (is_layer and head[1] & 0x18 != 0x08 and head[2] >> 4 != 15)
