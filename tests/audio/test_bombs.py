"""Tests of malicious audio files: each is rejected or decoded, within the memory limit."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import bombs
import mutagen.mp4
import numpy as np
import pytest
from audio_files import FORMATS, check_message, pcm, sine, wav
from bombs import constant_flac, silent_opus

from soundalike.audio import decoding
from soundalike.audio.clip import Clip
from soundalike.audio.sandbox import Limits, Pool, SandboxError
from soundalike.errors import AudioError

pytestmark = pytest.mark.sweep

HOUR = 3_600
ALLOWED_MB = 1_200
"""What a process takes before its first file, its limit, and something for what is counted twice."""
COVER = 25 * 2**20


@pytest.fixture(scope="module")
def pools() -> Iterator[list[Pool]]:
    """Pools to be closed at the end, the last of them in use."""
    pools = [Pool(1)]
    yield pools
    for pool in pools:
        pool.close()


@pytest.fixture
def pool(pools) -> Pool:
    """One process, whose greatest memory is counted anew, or else a new one."""
    pools[-1].warm()
    try:
        Path(f"/proc/{pools[-1].pids[0]}/clear_refs").write_text("5")
    except OSError:
        pools.append(Pool(1))
    return pools[-1]


def peak_mb(pool: Pool) -> float:
    """The most memory that the process ever had; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pool.pids[0]}/status").read_text()
    except OSError:
        return 0.0
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return float(line.split()[1]) / 1024


def refused(source: bytes, pool: Pool) -> str:
    with pytest.raises(AudioError) as caught:
        pool.decode(source)
    assert not isinstance(caught.value, SandboxError)
    check_message(str(caught.value))
    return str(caught.value)


def outcome(source: bytes, pool: Pool) -> Clip | str:
    """A clip or a refusal in a sentence; the process has to live through it."""
    try:
        return pool.decode(source)
    except SandboxError:
        raise
    except AudioError as error:
        check_message(str(error))
        return str(error)


@pytest.mark.parametrize("said", [None, 0, 60], ids=["honest", "unknown", "lying"])
def test_hours_of_silent_flac(said, pool):
    source = constant_flac(10 * HOUR, 8_000, said_seconds=said)
    assert len(source) < 150_000
    assert "longer than 20 minutes" in refused(source, pool)
    assert peak_mb(pool) < 600


@pytest.mark.parametrize("said", [10 * HOUR, 10], ids=["honest", "lying"])
def test_hours_of_silent_opus(said, pool):
    source = silent_opus(600_000, said * 48_000)
    assert len(source) < 2 * 2**20
    assert "longer than 20 minutes" in refused(source, pool)
    assert peak_mb(pool) < 600


def test_half_an_hour_at_192_khz_with_eight_channels(pool):
    assert "longer than" in refused(constant_flac(HOUR / 2, 192_000, 8, level=8_000), pool)


def test_a_minute_at_192_khz_with_eight_channels_takes_little_memory(pool):
    clip = pool.decode(constant_flac(60, 192_000, 8, level=8_000))
    assert clip.duration == pytest.approx(60.0)
    assert peak_mb(pool) < 300


@pytest.mark.parametrize("said", [None, 0, 60], ids=["honest", "unknown", "lying"])
def test_twenty_minutes_at_192_khz_with_eight_channels_are_too_many_samples(said, pool):
    source = constant_flac(1_200, 192_000, 8, level=8_000, said_seconds=said)
    assert "too long for 8 channels at 192 kHz" in refused(source, pool)


def test_the_longest_legal_file_exceeds_a_short_time_limit():
    pool = Pool(1, Limits(cpu_seconds=0))
    with pytest.raises(SandboxError, match="takes too long"):
        pool.decode(constant_flac(1_199, 96_000, 2, level=8_000))
    pool.close()


@pytest.mark.parametrize("size", [1, 2**31 - 1, 2**31, 2**32 - 2])
@pytest.mark.parametrize("chunk", [b"LIST", b"fmt ", b"id3 ", b"bext", b"ds64", b"junk"])
def test_wav_chunk_with_wrong_size(chunk, size, pool):
    whole = wav(pcm(sine(4, 8_000)), sample_rate=8_000)
    tag = bombs.riff_chunk(b"INFO" + b"INAM", size, b"name")
    source = whole[:36] + bombs.riff_chunk(chunk, size, tag) + whole[36:]
    assert isinstance(outcome(source, pool), Clip | str)
    assert peak_mb(pool) < ALLOWED_MB


@pytest.mark.parametrize("size", [2**31 - 1, 2**31, 2**31 + 1])
def test_wav_size_negative_as_signed_integer(size, pool):
    clip = pool.decode(wav(pcm(sine(4, 8_000)), sample_rate=8_000, data_size=size))
    assert clip.duration == pytest.approx(4.0, abs=0.01)


def test_a_cover_of_25_mb_in_flac(pool):
    # A block holds 16 MB at most.
    fields = struct.pack(">II", 3, 9) + b"image/png" + bytes(20)
    size = COVER // 2
    picture = fields + struct.pack(">I", size) + bytes(size)
    blocks = bombs.flac_block(6, picture, last=False) + bombs.flac_block(6, picture)
    clip = pool.decode(constant_flac(4, 48_000, level=8_000, blocks=blocks))
    assert clip.duration == pytest.approx(4.0)
    assert peak_mb(pool) < 300


def test_a_cover_of_25_mb_in_mp3(pool, encode):
    clip = pool.decode(bombs.id3_picture(COVER) + encode(sine(4), 48_000, "mp3", "libmp3lame"))
    assert clip.duration == pytest.approx(4.0, abs=0.1)
    assert peak_mb(pool) < 300


def test_a_cover_of_25_mb_in_m4a(pool, encode):
    file = io.BytesIO(encode(sine(4), 48_000, *FORMATS["m4a-aac"]))
    tags = mutagen.mp4.MP4(file)
    tags["covr"] = [mutagen.mp4.MP4Cover(bytes(COVER), mutagen.mp4.MP4Cover.FORMAT_PNG)]
    file.seek(0)
    tags.save(file)
    clip = pool.decode(file.getvalue())
    assert clip.duration == pytest.approx(4.0, abs=0.1)
    assert peak_mb(pool) < 300


@pytest.mark.parametrize("table", [b"stsz", b"stts", b"stsc", b"stco"])
@pytest.mark.parametrize("count", [2**24, 2**28, 2**31 - 1, 2**32 - 1])
def test_mp4_table_with_huge_declared_size(table, count, pool, encode):
    source = bytearray(encode(sine(4), 48_000, *FORMATS["m4a-aac"]))
    place = source.index(table) + 8 + 4 * (table == b"stsz")
    source[place : place + 4] = struct.pack(">I", count)
    outcome(bytes(source), pool)
    assert peak_mb(pool) < ALLOWED_MB


@pytest.mark.parametrize("said", [0, 1, 2**31 - 1, 2**32 - 1])
def test_mp4_moov_with_wrong_size(said, pool, encode):
    source = bytearray(encode(sine(4), 48_000, *FORMATS["m4a-aac"]))
    place = source.index(b"moov") - 4
    source[place : place + 4] = struct.pack(">I", said)
    outcome(bytes(source), pool)
    assert peak_mb(pool) < 300


@pytest.mark.parametrize("kind", [b"moov", b"trak", b"meta", b"udta"])
def test_deeply_nested_mp4_boxes(kind, pool, encode):
    source = encode(sine(4), 48_000, *FORMATS["m4a-aac"])
    brand = source[: struct.unpack(">I", source[:4])[0]]
    inner = bombs.nested(kind, 200_000)
    assert refused(brand + bombs.mp4_box(b"moov", inner), pool)
    assert isinstance(outcome(source + bombs.mp4_box(b"moov", inner), pool), Clip | str)


@pytest.mark.parametrize("depth", [10, 5_000])
def test_nested_matroska_chapters(depth, pool, encode):
    source = encode(sine(4), 48_000, *FORMATS["mka-flac"])
    found = outcome(bombs.into_segment(source, bombs.nested_chapters(depth)), pool)
    assert depth > 10 or isinstance(found, Clip)


def test_matroska_attachments_are_not_extracted(pool, encode):
    source = encode(sine(4), 48_000, *FORMATS["mka-flac"])
    clip = pool.decode(bombs.into_segment(source, bombs.attachment(COVER)))
    assert clip.duration == pytest.approx(4.0, abs=0.01)
    assert peak_mb(pool) < 300


@pytest.mark.parametrize("name", ["ogg-opus", "ogg-vorbis", "ogg-flac"])
def test_a_chain_of_a_hundred_streams(name, pool, encode):
    channels = [np.stack([sine(1, 48_000)] * 2), np.stack([sine(1, 16_000)] * 2)]
    parts = [encode(samples, len(samples[0]), *FORMATS[name]) for samples in channels]
    found = outcome(b"".join(parts) * 50, pool)
    assert isinstance(found, Clip | str)
    assert peak_mb(pool) < 300


def test_a_chain_of_more_links_than_are_opened(pool):
    link = silent_opus(2, 2 * 2_880)
    assert isinstance(outcome(link * 20_000, pool), str)
    assert peak_mb(pool) < 300


def test_a_change_to_many_channels_at_a_high_rate_takes_little_memory(pool, encode):
    kind = FORMATS["ogg-flac"]
    parts = [
        encode(sine(4, 8_000), 8_000, *kind),
        encode(np.stack([sine(20, 96_000)] * 8), 96_000, *kind),
    ]
    found = outcome(b"".join(parts), pool)
    assert isinstance(found, Clip)
    assert found.duration == pytest.approx(24.0, abs=0.1)
    assert peak_mb(pool) < 400


def test_markup_in_tags_is_plain_text(encode):
    tags = {"title": "<img src=x onerror=alert(1)>", "artist": "[a](javascript:alert(1)) **b**"}
    header = decoding.probe(encode(sine(4), 48_000, "flac", "flac", tags=tags))
    assert {name: header.tags[name] for name in tags} == tags
