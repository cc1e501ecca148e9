"""An index of a fetched sample of FMA: its clips are credited wherever they are shown or exported."""

from __future__ import annotations

import io
import zipfile

import pytest
from fma_archives import LICENCES, clips_archive, metadata_archive, rows_of
from fma_tree import as_mp3
from small_library import IDS
from web_server import Site, serving

from soundalike import paths
from soundalike.datasets import fma_sample, library
from soundalike.index import index, music_files
from soundalike.index.index import Index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.models import ModelStore
from soundalike.playlist import file_writer
from soundalike.training import report
from soundalike.ui.about import texts

TRACKS = len(IDS)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("fma")
    rows = rows_of(48)
    sounds = [as_mp3(paths.LIBRARY / "clips" / f"{clip}.opus") for clip in IDS]
    chosen = {
        track_id: sounds[number % TRACKS] + b"TAG" + f"{track_id}".encode().ljust(125, b"\0")
        for number, (track_id, _) in enumerate(rows)
    }
    site = Site(
        {
            "/fma_metadata.zip": metadata_archive(folder / "made", rows),
            "/fma_small.zip": clips_archive(chosen),
        }
    )
    with serving(site) as url:
        fma_sample.fetch(folder / "fma-sample", TRACKS, fma_sample.GENRES[:TRACKS], url=url)
    source, out = library.load(folder / "fma-sample"), folder / "fma-sample-index"
    built = builder.build(source, out, ModelStore(), BuildPlan(("mfcc_flat",)))
    assert built.skipped == ()
    return index.load(out, music=music_files.of_owner(out))


def test_the_app_plays_it_and_shows_its_licences(sample: Index) -> None:
    assert len(sample) == TRACKS
    assert sample.is_playable
    shown = {sample.fact("licence", row) for row in range(TRACKS)}
    assert shown <= {licence or fma_sample.NO_LICENCE for licence in LICENCES}
    assert sum(report.licences(sample.tracks).values()) == TRACKS
    assert list(report.credits_table(sample.tracks)["Licence"]) == list(sample.tracks["licence"])
    assert list(report.credits_table(sample.tracks)["Source"]) == list(sample.tracks["url"])
    assert "Each clip keeps its own licence." in texts.data(sample)
    credits = report.library_credits(sample)
    for row in range(TRACKS):
        assert f"{sample.fact('artist', row)}: {sample.fact('title', row)}" in credits


def test_exports_name_artist_licence_and_source(sample: Index) -> None:
    listing = file_writer.of_rows(sample, range(TRACKS))
    clip = file_writer.checked_clips(sample)
    packed = file_writer.write(listing, "zip", sample.library_folder, clip=clip)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        credits = archive.read("CREDITS.txt").decode()
        xspf = archive.read("playlist.xspf").decode()
    for row in range(TRACKS):
        assert f"Artist: {sample.fact('artist', row)}\n" in credits
        assert f"Licence: {sample.fact('licence', row)}\n" in credits
        assert f"track {sample.fact('track_id', row)} of FMA\n" in credits
        assert sample.fact("licence", row) in xspf
