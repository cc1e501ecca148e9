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
    """FLAC whose samples are all the same: two dozen bytes and 3 a channel for 65,535 samples.

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
        frame = head + (b"\0" + struct.pack(">h", level)) * channels
        parts += [frame, struct.pack(">H", crc(frame, 0x8005, 16))]
    return b"".join(parts)


def flac_block(kind: int, content: bytes, last: bool = True) -> bytes:
    """A metadata block of FLAC."""
    return bytes([kind | (0x80 if last else 0)]) + len(content).to_bytes(3, "big") + content
