"""Damaged audio files for fuzzing: small valid ones in every accepted format, and mutations.

The place of damage matters more than its amount. Half of the damage goes to the parts that decoders rely
on most: the first and the last kilobyte, and the `moov` box of MP4. Ogg pages with a wrong checksum are
skipped by decoders, so half of the damaged Ogg files get their checksums corrected.
"""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import av
import numpy as np

FORMATS = {
    "wav-u8": ("wav", "pcm_u8"),
    "wav-s16": ("wav", "pcm_s16le"),
    "wav-s24": ("wav", "pcm_s24le"),
    "wav-f32": ("wav", "pcm_f32le"),
    "wav-f64": ("wav", "pcm_f64le"),
    "wav-alaw": ("wav", "pcm_alaw"),
    "w64": ("w64", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "ogg-vorbis": ("ogg", "vorbis"),
    "ogg-opus": ("ogg", "libopus"),
    "ogg-flac": ("ogg", "flac"),
    "mp3": ("mp3", "libmp3lame"),
    "m4a-aac": ("ipod", "aac"),
    "m4a-alac": ("ipod", "alac"),
    "mp4-aac": ("mp4", "aac"),
    "aac": ("adts", "aac"),
    "webm-opus": ("webm", "libopus"),
    "mka-flac": ("matroska", "flac"),
    "mp2": ("mp2", "mp2"),
    "wav-adpcm-ms": ("wav", "adpcm_ms"),
    "wav-adpcm-ima": ("wav", "adpcm_ima_wav"),
    "mp4-ac3": ("mp4", "ac3"),
    "mka-eac3": ("matroska", "eac3"),
    "wma-1": ("asf", "wmav1"),
    "wma-2": ("asf", "wmav2"),
    "aiff-s16": ("aiff", "pcm_s16be"),
    "aiff-f32": ("aiff", "pcm_f32be"),
    "caf-s24": ("caf", "pcm_s24be"),
    "caf-alac": ("caf", "alac"),
    "3gp-aac": ("3gp", "aac"),
}
"""Container and codec, by FFmpeg's names."""

SECONDS = 3.2
"""Duration of a seed file: slightly more than the shortest accepted clip."""
_RATES = (8_000, 16_000)
_OTHER_RATES = {
    "mp2": (16_000, 24_000),
    "ac3": (32_000, 48_000),
    "eac3": (32_000, 48_000),
    "wmav1": (16_000, 44_100),
    "wmav2": (16_000, 44_100),
}
"""Sample rates of codecs that lack some."""
BIT_RATES = {"wmav1": 64_000, "wmav2": 64_000}
"""Of encoders that have no bit rate of their own."""
_VALID_BITS = 38
"""Where a WAV file with more than 16 bits says how many of them are valid."""
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
_TAGS = {"title": "<b>Title</b>", "artist": "Artist", "comment": "x" * 200}

Damage = Callable[[bytearray, random.Random], None]


@lru_cache
def seeds(name: str) -> list[bytes]:
    """Small valid files of a format: mono and stereo, at two sample rates, one with tags."""
    container, codec = FORMATS[name]
    layouts = ("stereo",) if codec == "vorbis" else ("mono", "stereo")
    made = [
        _encode(container, codec, layout, rate, _TAGS if layout == "stereo" else {})
        for layout in layouts
        for rate in rates(codec)
    ]
    return [*made, wav_24_in_32()] if name == "wav-s24" else made


def rates(codec: str) -> tuple[int, int]:
    """Two sample rates that an encoder has, the lower first."""
    return _OTHER_RATES.get(codec, _RATES)


def wav_24_in_32() -> bytes:
    """A WAV file whose samples take 32 bits, of which the upper 24 are valid."""
    content = bytearray(_encode("wav", "pcm_s32le", "stereo", 16_000, _TAGS))
    content[_VALID_BITS : _VALID_BITS + 2] = struct.pack("<H", 24)
    return bytes(content)


def mutate(source: bytes, other: bytes, rng: random.Random) -> bytes:
    """Make a damaged copy of a file.

    Parameters
    ----------
    source : the file
    other : a file of any format, for splices
    rng : source of all random choices
    """
    content = bytearray(source)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        if content:
            rng.choice(_DAMAGES)(content, rng)
    if rng.random() < 0.06 and len(content) > 8:
        place = _place(content, rng)
        start = rng.randrange(len(other))
        content[place:] = other[start if rng.random() < 0.5 else 0 :]
    if content.startswith(b"OggS") and rng.random() < 0.5:
        _mend_checksums(content)
    return bytes(content)


def _place(content: bytearray, rng: random.Random) -> int:
    """A random position in a file, more often than not in its headers."""
    length = len(content)
    kind = rng.random()
    if kind < 0.45:
        return rng.randrange(min(1_024, length))
    if kind < 0.55:
        return rng.randrange(max(0, length - 1_024), length)
    if kind < 0.75 and (moov := content.find(b"moov")) >= 0:
        return rng.randrange(moov, min(moov + 2_048, length))
    return rng.randrange(length)


def _flip_bits(content: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 2, 8, 64))):
        content[_place(content, rng)] ^= 1 << rng.randrange(8)


def _overwrite(content: bytearray, rng: random.Random) -> None:
    length = rng.choice((1, 4, 16, 256, 2_048))
    place = _place(content, rng)
    fill = rng.choice((b"\0", b"\xff", None))
    run = rng.randbytes(length) if fill is None else fill * length
    content[place : place + length] = run[: len(content) - place]


def _set_length(content: bytearray, rng: random.Random) -> None:
    """Write an extreme number at a possible length field."""
    width, order = rng.choice((1, 2, 3, 4, 8)), rng.choice(_ORDERS)
    number = rng.choice(_EXTREMES)
    if width == 8 and rng.random() < 0.3:
        number = rng.choice((2**63 - 1, 2**63, 2**64 - 1))
    place = _place(content, rng)
    written = (number % 256**width).to_bytes(width, order)
    content[place : place + width] = written[: len(content) - place]


def _change_number(content: bytearray, rng: random.Random) -> None:
    """Increment a number slightly, or double it."""
    place = _place(content, rng)
    content[place] = (content[place] + rng.choice((-16, -1, 1, 16, content[place]))) % 256


def _cut(content: bytearray, rng: random.Random) -> None:
    del content[_place(content, rng) :]


def _delete(content: bytearray, rng: random.Random) -> None:
    place = _place(content, rng)
    del content[place : place + rng.choice((1, 2, 4, 32, 512, 4_096))]


def _insert(content: bytearray, rng: random.Random) -> None:
    place = _place(content, rng)
    content[place:place] = rng.randbytes(rng.choice((1, 2, 4, 32, 512)))


def _duplicate(content: bytearray, rng: random.Random) -> None:
    """Repeat a part of the file, in place or elsewhere."""
    start = _place(content, rng)
    part = content[start : start + rng.choice((8, 64, 512, 4_096))]
    place = rng.choice((start, _place(content, rng)))
    content[place:place] = part * rng.choice((1, 2, 8))


def _swap(content: bytearray, rng: random.Random) -> None:
    """Swap two parts of the file."""
    length = rng.choice((4, 64, 1_024))
    first, second = sorted((_place(content, rng), _place(content, rng)))
    if second - first < length or second + length > len(content):
        return
    a, b = content[first : first + length], content[second : second + length]
    content[first : first + length], content[second : second + length] = b, a


_DAMAGES: tuple[Damage, ...] = (
    *(_flip_bits, _flip_bits, _overwrite, _set_length, _set_length, _change_number),
    *(_cut, _delete, _insert, _duplicate, _swap),
)


def _mend_checksums(content: bytearray) -> None:
    """Recompute the checksum of every page of an Ogg file."""
    starts = []
    place = content.find(b"OggS")
    while place >= 0:
        starts.append(place)
        place = content.find(b"OggS", place + 4)
    for start, end in pairwise([*starts, len(content)]):
        if end - start < 27:
            continue
        segments = content[start + 27 : start + 27 + content[start + 26]]
        stop = start + 27 + len(segments) + sum(segments)
        content[start + 22 : start + 26] = bytes(4)
        checksum = _crc(bytes(content[start:stop]))
        content[start + 22 : start + 26] = struct.pack("<I", checksum)


def _crc(page: bytes) -> int:
    """Ogg's checksum: CRC-32 of polynomial 0x04c11db7, unreflected (RFC 3533, section 6)."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFF_FFFF) ^ _CRC[(value >> 24) ^ byte]
    return value


def _crc_of(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1 & 0xFFFF_FFFF) ^ (0x04C1_1DB7 if value & 0x8000_0000 else 0)
    return value


_CRC = [_crc_of(byte) for byte in range(256)]


def _encode(container: str, codec: str, layout: str, rate: int, tags: dict[str, str]) -> bytes:
    time = np.arange(round(SECONDS * rate)) / rate
    channels = [np.sin(2 * np.pi * hertz * time) / 4 for hertz in (440, 660)[: 1 + (layout == "stereo")]]
    samples = np.stack(channels, axis=1) + np.random.default_rng(0).normal(0, 0.02, (len(time), 1))
    flat = samples.astype(np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(flat, format="flt", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), 0
    file = io.BytesIO()
    # The muxer would choose random serial numbers.
    exact = {"fflags": "+bitexact"} if container in ("ogg", "webm", "matroska") else {}
    with av.open(file, "w", format=container, container_options=exact) as output:
        output.metadata.update(tags)
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        stream = output.add_stream(codec, rate=rate, options=options)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        if codec in BIT_RATES:
            stream.bit_rate = BIT_RATES[codec]
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()
