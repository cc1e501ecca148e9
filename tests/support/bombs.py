"""Small files that unpack to a great deal, and files that say what is not so, made byte by byte."""

from __future__ import annotations

import struct
from functools import lru_cache

BLOCK = 65_535
"""The most samples that a frame of FLAC can hold."""


@lru_cache
def _table(polynomial: int, bits: int) -> list[int]:
    top, mask, table = 1 << bits - 1, (1 << bits) - 1, []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        table.append(value)
    return table


def crc(data: bytes, polynomial: int, bits: int) -> int:
    """A checksum as FLAC and Ogg have them: unreflected, beginning with zero."""
    table, value, mask = _table(polynomial, bits), 0, (1 << bits) - 1
    for byte in data:
        value = (value << 8 ^ table[(value >> bits - 8) ^ byte]) & mask
    return value


def constant_flac(
    seconds: float,
    sample_rate: int = 48_000,
    channels: int = 1,
    level: int = 0,
    said_seconds: float | None = None,
    blocks: bytes = b"",
) -> bytes:
    """FLAC whose samples are all the same in a frame, every second one negative.

    It takes two dozen bytes and 3 a channel for 65,535 samples.

    Parameters
    ----------
    said_seconds : the length in the header, if it is to be another; 0 is for one that is not known
    blocks : further metadata blocks, whole
    """
    total = round(seconds * sample_rate)
    said = total if said_seconds is None else round(said_seconds * sample_rate)
    facts = struct.pack(">HH", BLOCK, BLOCK) + bytes(6)
    facts += struct.pack(">Q", sample_rate << 44 | (channels - 1) << 41 | 15 << 36 | said) + bytes(16)
    parts = [b"fLaC", bytes([0 if blocks else 0x80]), len(facts).to_bytes(3, "big"), facts, blocks]
    for number in range(-(-total // BLOCK)):
        size = min(BLOCK, total - number * BLOCK)
        # "surrogatepass": FLAC numbers its frames as UTF-8 does characters, all of them.
        head = bytes([0xFF, 0xF8, 0x70, channels - 1 << 4 | 8])
        head += chr(number).encode("utf-8", "surrogatepass") + struct.pack(">H", size - 1)
        head += bytes([crc(head, 0x07, 8)])
        frame = head + (b"\0" + struct.pack(">h", -level if number % 2 else level)) * channels
        parts += [frame, struct.pack(">H", crc(frame, 0x8005, 16))]
    return b"".join(parts)


def flac_block(kind: int, content: bytes, last: bool = True) -> bytes:
    """A metadata block of FLAC."""
    return bytes([kind | (0x80 if last else 0)]) + len(content).to_bytes(3, "big") + content


def silent_opus(packets: int, granule: int) -> bytes:
    """Ogg/Opus of packets of 60 ms that hold nothing, whose last page says where it ends in samples."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 0) + struct.pack("<I", 0)
    pages = [ogg_page([head], 0, 0, 2), ogg_page([tags], 0, 1, 0)]
    # 255 to a page; the first byte says that it is 60 ms of speech at 8 kHz, and no more follows.
    whole = -(-packets // 255)
    for number in range(whole):
        last = number == whole - 1
        ends = granule if last else min(granule, (number + 1) * 255 * 2_880)
        pages.append(ogg_page([b"\x18"] * 255, ends, number + 2, 4 if last else 0))
    return b"".join(pages)


def ogg_page(packets: list[bytes], granule: int, number: int, flags: int) -> bytes:
    """A page of Ogg with packets of at most 254 bytes (RFC 3533)."""
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, 1, number, 0)
    page = head + bytes([len(packets), *map(len, packets)]) + b"".join(packets)
    checksum = crc(page, 0x04C1_1DB7, 32)
    return page[:22] + struct.pack("<I", checksum) + page[26:]


def riff_chunk(kind: bytes, said: int, content: bytes = b"") -> bytes:
    """A chunk of RIFF that says to be of some size."""
    return kind + struct.pack("<I", said) + content


def id3_picture(size: int) -> bytes:
    """An ID3 tag with a picture of some size."""
    picture = b"\0image/png\0\x03\0" + b"\x89PNG\r\n\x1a\n" + bytes(size)
    frame = b"APIC" + _synchsafe(len(picture)) + b"\0\0" + picture
    return b"ID3\x04\0\0" + _synchsafe(len(frame)) + frame


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def mp4_box(kind: bytes, content: bytes, said: int | None = None) -> bytes:
    """A box of MP4."""
    return struct.pack(">I", len(content) + 8 if said is None else said) + kind + content


def nested(kind: bytes, depth: int) -> bytes:
    """Boxes of MP4, each in another."""
    sizes = range(8 * depth, 0, -8)
    return b"".join(struct.pack(">I", size) + kind for size in sizes)


def ebml(identifier: bytes, content: bytes) -> bytes:
    """An element of Matroska, its size in eight bytes."""
    return identifier + (1 << 56 | len(content)).to_bytes(8, "big") + content


def into_segment(matroska: bytes, element: bytes) -> bytes:
    """A Matroska file with an element more, at the beginning of its segment, whose size is left open."""
    start = matroska.index(b"\x18\x53\x80\x67") + 4
    return matroska[:start] + b"\x01" + b"\xff" * 7 + element + matroska[start + 8 :]


def nested_chapters(depth: int) -> bytes:
    """Chapters of Matroska, each in another."""
    inner = b""
    for _ in range(depth):
        inner = ebml(b"\xb6", inner)
    return ebml(b"\x10\x43\xa7\x70", ebml(b"\x45\xb9", inner))


def attachment(size: int) -> bytes:
    """Attachments of Matroska: one file of some size."""
    name, kind = ebml(b"\x46\x6e", b"../../evil.sh"), ebml(b"\x46\x60", b"font/ttf")
    file = name + kind + ebml(b"\x46\x5c", bytes(size)) + ebml(b"\x46\xae", b"\x01")
    return ebml(b"\x19\x41\xa4\x69", ebml(b"\x61\xa7", file))
