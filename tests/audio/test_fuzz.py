"""A short run of `benchmarks/fuzz.py`: damaged files of every format decode or are rejected."""

from __future__ import annotations

import random
from collections.abc import Iterator

import fuzz
import mutations
import pytest

from soundalike.audio import decoding, formats
from soundalike.audio.sandbox import Limits, Pool

COUNT = 25


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(1, Limits(files=10_000))
    yield pool
    pool.close()


@pytest.mark.sweep
@pytest.mark.parametrize("name", mutations.FORMATS)
def test_damaged_files_decode_or_are_rejected(name, pool, tmp_path):
    row = fuzz.fuzz(name, COUNT, 7, pool, tmp_path)
    assert (row.crashes, row.slow, row.unhandled) == (0, 0, 0), (row.kinds, list(tmp_path.iterdir()))
    assert row.decoded + row.refused == COUNT


@pytest.mark.parametrize("name", mutations.FORMATS)
def test_source_files_are_intact(name, pool):
    for source in mutations.seeds(name):
        clip = pool.decode(source)
        assert clip.notes == ()
        assert clip.duration == pytest.approx(mutations.SECONDS, abs=0.15)


def test_the_same_seed_makes_the_same_mutants():
    source = mutations.seeds("ogg-opus")[0]
    made = [
        [mutations.mutate(source, source, rng) for _ in range(50)]
        for rng in (random.Random(3), random.Random(3), random.Random(4))
    ]
    assert made[0] == made[1] != made[2]
    assert sum(mutant != source for mutant in made[0]) > 45


def test_recomputed_ogg_checksums_match():
    source = mutations.seeds("ogg-opus")[0]
    mended = bytearray(source)
    mutations._mend_checksums(mended)
    assert bytes(mended) == source


def test_the_formats_are_those_that_are_accepted():
    endings = {"w64": "wav", "ipod": "m4a", "adts": "aac", "matroska": "mka", "asf": "wma"}
    containers = {endings.get(container, container) for container, _ in mutations.FORMATS.values()}
    assert containers | {"oga", "opus", "m4b", "weba", "aif"} == set(decoding.EXTENSIONS)


def test_every_codec_that_is_read_is_fuzzed():
    encoders = {"libmp3lame": "mp3", "libopus": "opus"}
    made = {encoders.get(codec, codec) for _, codec in mutations.FORMATS.values()}
    kinds = {codec for codec in formats.CODECS.split(",") if not codec.startswith("pcm_")}
    variants = {"libvorbis", "libopus", "mp3float", "mp2float", "aac_fixed"}
    assert kinds - variants == {codec for codec in made if not codec.startswith("pcm_")}
