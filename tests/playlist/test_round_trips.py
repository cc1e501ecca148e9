"""One's own library, exported and opened again: by other programs, and as the same list."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import m3u8
import pytest
import xspf_lib
from made_up_listings import KINDS, LISTS
from small_library import write_tone

from soundalike.datasets import library
from soundalike.foreign_text import from_cell
from soundalike.index import storage
from soundalike.index.index import TRACKS, Index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.models import ModelStore
from soundalike.playlist import file_reader, file_writer
from soundalike.playlist.entry_matching import Resolved, resolve

FILES = (
    ("a.mp3", "libmp3lame", 4.0),
    ("Álbum [1]/#1 50%25.flac", "flac", 5.5),
    ("Müller & Söhne/Don’t – stop.ogg", "libopus", 7.0),
    ("line\nbreak.wav", "pcm_s16le", 8.0),
    ("deep/er/東京 2 夜.m4a", "aac", 9.0),
)
BROKEN_NAME = FILES[3][0]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, models: ModelStore) -> Index:
    """An index of a folder without a table."""
    folder = tmp_path_factory.mktemp("own")
    for file, codec, seconds in FILES:
        write_tone(folder / "music" / file, codec, {"artist": "Ann"}, seconds)
    source = library.find(folder / "music")
    return builder.build(source, folder / "index", models, BuildPlan(["mfcc_flat"])).index


def rows_of(index: Index) -> list[int]:
    return [index.tracks["file"].tolist().index(file) for file, _, _ in FILES]


def exported(index: Index, kind: str) -> bytes:
    return file_writer.write(file_writer.of_rows(index, rows_of(index)), kind, index.library_folder)


def test_lengths_come_from_decoding(own: Index) -> None:
    for row, (_, _, seconds) in zip(rows_of(own), FILES, strict=True):
        assert float(own.fact("duration_s", row)) == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_list_comes_back_as_the_same_list(own: Index, kind: str) -> None:
    found = file_reader.read(exported(own, kind), f"list.{kind}")
    assert resolve(own, found) == Resolved(rows_of(own), [], 0)
    for entry, (_, _, seconds) in zip(found, FILES, strict=True):
        assert entry.seconds == pytest.approx(seconds, abs=0.5 if kind in ("m3u8", "zip") else 0.1)


def files_of_m3u8(content: bytes) -> list[tuple[str, float]]:
    segments = m3u8.loads(content.decode()).segments
    return [(one.uri.removeprefix("./"), one.duration) for one in segments]


def files_of_xspf(content: bytes) -> list[tuple[str, float]]:
    tracks = xspf_lib.Playlist.parse(io.BytesIO(content)).trackList
    return [(one.location[0], one.duration / 1_000) for one in tracks]


def files_of_jspf(content: bytes) -> list[tuple[str, float]]:
    tracks = json.loads(content)["playlist"]["track"]
    return [(unquote(one["location"][0]), one["duration"] / 1_000) for one in tracks]


def files_of_csv(content: bytes) -> list[tuple[str, float]]:
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return [(from_cell(row["file"]), float(row["seconds"])) for row in rows]


PARSERS: dict[str, Callable[[bytes], list[tuple[str, float]]]] = dict(
    zip(LISTS, (files_of_m3u8, files_of_xspf, files_of_jspf, files_of_csv), strict=True)
)


@pytest.mark.parametrize("kind", PARSERS)
def test_other_parsers_find_the_same_files_and_lengths(own: Index, kind: str) -> None:
    for (file, said), (name, _, seconds) in zip(PARSERS[kind](exported(own, kind)), FILES, strict=True):
        assert file == ("line%0Abreak.wav" if kind == "m3u8" and name == BROKEN_NAME else name)
        assert said == pytest.approx(seconds, abs=0.51 if kind == "m3u8" else 0.1)


def test_mpv_plays_the_list_from_its_folder(own: Index) -> None:
    mpv = shutil.which("mpv")
    if mpv is None:
        pytest.skip("needs the player mpv, which .ci/run installs")
    rows = [row for row in rows_of(own) if own.fact("file", row) != BROKEN_NAME]
    made = file_writer.of_rows(own, rows)
    path = own.library_folder / "list.m3u8"
    path.write_bytes(file_writer.write(made, "m3u8", own.library_folder))
    quiet = ["--no-config", "--ao=null", "--vid=no", "--length=0.2", "--term-status-msg="]
    shown = "--term-playing-msg=PLAYS ${path}"
    run = subprocess.run(
        [mpv, *quiet, shown, path], capture_output=True, text=True, timeout=60, check=False
    )
    path.unlink()
    assert run.returncode == 0, run.stdout + run.stderr
    played = [Path(name) for name in re.findall("^PLAYS (.*)$", run.stdout, re.MULTILINE)]
    assert played == [own.library_folder / own.fact("file", row) for row in rows]


def test_a_second_run_keeps_the_lengths(own: Index, models: ModelStore) -> None:
    source = library.find(own.library_folder)
    again = builder.build(source, own.folder, models, BuildPlan(["mfcc_flat"])).index
    assert again.tracks["duration_s"].tolist() == own.tracks["duration_s"].tolist()


def test_an_earlier_index_without_lengths_gets_those_of_the_headers(
    own: Index, models: ModelStore, tmp_path: Path
) -> None:
    source = library.find(own.library_folder)
    out = tmp_path / "index"
    builder.build(source, out, models, BuildPlan(["mfcc_flat"]))
    tracks = own.tracks.drop(columns="duration_s")
    storage.exchange(out, [TRACKS], lambda: tracks.to_parquet(out / TRACKS, index=False))
    again = builder.build(source, out, models, BuildPlan(["mfcc_flat"])).index
    expected = [seconds for _, _, seconds in sorted(FILES)]
    assert [float(one) for one in again.tracks["duration_s"]] == pytest.approx(expected, abs=0.1)


def test_a_table_without_lengths_gets_them(models: ModelStore, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    write_tone(folder / "a.wav", "pcm_s16le", seconds=5.0)
    (folder / "tracks.csv").write_text("track_id,file,title,artist,album,genre\n1,a.wav,t,a,b,g\n")
    built = builder.build(library.load(folder), tmp_path / "index", models, BuildPlan(["mfcc_flat"]))
    assert built.index.tracks["duration_s"].tolist() == ["5.00"]
