"""Tags of the samples that tag readers publish, against the values that their own tests expect.

The samples are in the source distributions, which aren't part of this project. To run these tests:

    pip download --no-deps --no-binary :all: -d DIR mutagen==1.48.1 mediafile==0.12.0
    SOUNDALIKE_SDISTS=DIR pytest tests/audio/test_published_samples.py

Values that a test of theirs doesn't state aren't compared.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from soundalike.audio import tags

VARIABLE = "SOUNDALIKE_SDISTS"
LEAST = 40
MEDIAFILE, MUTAGEN = "mediafile-0.12.0/test/rsrc", "mutagen-1.48.1/tests/data"
FULL = {"title": "full", "artist": "the artist", "album": "the album", "genre": "the genre"}
QUOD_LIBET = {"title": "Silence", "album": "Quod Libet Test Data", "genre": "Silence"}
NOTHING = dict.fromkeys(tags.NAMES, "")
_KINDS = ("aiff", "alac.m4a", "ape", "dsf", "flac", "m4a", "mp3", "mpc", "ogg", "opus", "wma", "wv")
EXPECTED: dict[str, dict[str, str]] = {
    # mediafile: test_mediafile.py, `full_initial_tags` and `test_read_empty`; WAVETest has no year.
    **{f"{MEDIAFILE}/full.{kind}": FULL | {"year": "2001"} for kind in _KINDS},
    f"{MEDIAFILE}/full.wav": FULL,
    **{f"{MEDIAFILE}/empty.{kind}": NOTHING for kind in (*_KINDS, "wav")},
    f"{MEDIAFILE}/year.ogg": {"year": "2000"},
    f"{MEDIAFILE}/date_with_slashes.ogg": {"year": "2005"},
    # mediafile: test_mediafile_edge.py
    f"{MEDIAFILE}/emptylist.mp3": {"genre": ""},
    f"{MEDIAFILE}/space_time.mp3": {"year": "2009"},
    f"{MEDIAFILE}/t_time.m4a": {"year": "1987"},
    # mutagen: test_id3.py
    f"{MUTAGEN}/silence-44-s.mp3": QUOD_LIBET | {"artist": "piman, jzig"},
    f"{MUTAGEN}/silence-44-s-v1.mp3": QUOD_LIBET
    | {"artist": "piman", "genre": "Darkwave", "year": "2004"},
    f"{MUTAGEN}/id3v22-test.mp3": {"artist": "Anais Mitchell"},
    f"{MUTAGEN}/id3v1v2-combined.mp3": {
        "artist": "Anais Mitchell",
        "album": "Hymns for the Exiled",
        "year": "1337",
    },
    f"{MUTAGEN}/no-tags.mp3": NOTHING,
    # mutagen: test_wave.py, test_aiff.py, test_flac.py, test_mp4.py
    f"{MUTAGEN}/silence-2s-PCM-16000-08-ID3v23.wav": QUOD_LIBET | {"artist": "piman / jzig"},
    f"{MUTAGEN}/silence-2s-PCM-44100-16-ID3v23.wav": QUOD_LIBET | {"artist": "piman / jzig"},
    f"{MUTAGEN}/silence-2s-PCM-16000-08-notags.wav": NOTHING,
    f"{MUTAGEN}/with-id3.aif": {"title": "AIFF title"},
    f"{MUTAGEN}/silence-44-s.flac": {"title": "Silence"},
    f"{MUTAGEN}/52-too-short-block-size.flac": {"artist": "Tunng"},
    f"{MUTAGEN}/52-overwritten-metadata.flac": {"artist": "Giora Feidman"},
    f"{MUTAGEN}/no-tags.flac": NOTHING,
    f"{MUTAGEN}/has-tags.m4a": {"artist": "Test Artist"},
    f"{MUTAGEN}/no-tags.m4a": NOTHING,
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distributions."""
    named = os.environ.get(VARIABLE)
    if not named:
        pytest.skip(f"needs the source distributions of mutagen and mediafile in {VARIABLE}")
    folder = tmp_path_factory.mktemp("sdists")
    for name in ("mutagen-1.48.1", "mediafile-0.12.0"):
        with tarfile.open(Path(named) / f"{name}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("file", EXPECTED)
def test_values_are_those_that_the_readers_publish(file: str, samples: Path) -> None:
    found = NOTHING | tags.read(samples / file)
    assert {name: found[name] for name in EXPECTED[file]} == EXPECTED[file]


def test_there_are_enough_samples() -> None:
    assert len(EXPECTED) >= LEAST
