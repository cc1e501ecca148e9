"""Fetching members of an archive on a server: what is asked for, resuming, damage and changes."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from downloads import contents, zipped
from web_server import Site

from soundalike.datasets import archives, remote_file, zip_members
from soundalike.datasets.zip_members import GAP, Fetched
from soundalike.errors import FetchError

RNG = np.random.default_rng(0)
FILES = {f"a/{number:02d}.mp3": RNG.bytes(GAP + number) for number in range(12)}
PATH = "/a.zip"
LISTING = ".a-members.json"


CONTENT = zipped(FILES)


@pytest.fixture(autouse=True)
def small_parts(waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_file, "TAIL", 4_096)


@pytest.fixture
def site() -> Site:
    return Site({PATH: CONTENT})


@pytest.fixture
def url(address: str) -> str:
    return address + PATH


def fetch(url: str, folder: Path, *numbers: int) -> Fetched:
    names = [f"a/{number:02d}.mp3" for number in numbers]
    return zip_members.fetch(url, names, folder, lambda doing, done, total: None)


def refused(url: str, folder: Path, *numbers: int) -> str:
    with pytest.raises(FetchError) as caught:
        fetch(url, folder, *numbers)
    message = str(caught.value)
    assert "\n" not in message
    assert not list(folder.rglob("*.part"))
    return message


def some(*numbers: int) -> dict[str, bytes]:
    return {f"a/{number:02d}.mp3": FILES[f"a/{number:02d}.mp3"] for number in sorted(numbers)}


def test_only_the_members_are_fetched(tmp_path: Path, url: str, site: Site) -> None:
    found = fetch(url, tmp_path / "new", 9, 2, 3)
    assert contents(tmp_path / "new") == some(2, 3, 9)
    # The directory, two neighbours and another one.
    assert (found.requests, found.fetched, found.kept) == (3, 3, 0)
    assert (found.archive, found.archive_size) == ("a.zip", len(CONTENT))
    assert found.downloaded == site.sent < 3 * (GAP + 100) + 4_096


def test_progress_is_in_bytes(tmp_path: Path, url: str) -> None:
    seen: list[tuple[str, int, int]] = []
    zip_members.fetch(url, ["a/01.mp3", "a/05.mp3"], tmp_path, lambda *step: seen.append(step))
    assert seen[0] == ("Looking at a.zip", 0, 0)
    assert seen[-1] == ("Fetching 05.mp3", 2 * GAP + 6, 2 * GAP + 6)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_small_gaps_are_fetched_too() -> None:
    assert zip_members.spans(
        [(0, 10), (10, 20), (20 + GAP, 30 + GAP), (31 + 2 * GAP, 99 + 2 * GAP)]
    ) == [
        (0, 30 + GAP),
        (31 + 2 * GAP, 99 + 2 * GAP),
    ]
    assert zip_members.spans([]) == []


def test_what_lies_in_a_gap_is_not_written(tmp_path: Path, site: Site, url: str) -> None:
    site.files[PATH] = zipped({name: content[:1_000] for name, content in FILES.items()})
    assert fetch(url, tmp_path, 0, 5, 11).requests == 2
    assert contents(tmp_path) == {name: FILES[name][:1_000] for name in some(0, 5, 11)}


def test_nothing_is_asked_for_again(tmp_path: Path, url: str, site: Site) -> None:
    fetch(url, tmp_path, 1, 2, 3)
    before = len(site.asked)
    assert fetch(url, tmp_path, 1, 3) == Fetched("a.zip", 0, 0, 0, 0, 2)
    assert len(site.asked) == before
    found = fetch(url, tmp_path, 1, 2, 3, 7)
    assert (found.fetched, found.kept) == (1, 3)
    assert contents(tmp_path) == some(1, 2, 3, 7)


@pytest.mark.parametrize("harm", ["missing", "shorter", "other"])
def test_a_damaged_file_is_restored(tmp_path: Path, url: str, harm: str) -> None:
    fetch(url, tmp_path, 1, 2)
    victim = tmp_path / "a/02.mp3"
    if harm == "missing":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes()[:-1] + (b"" if harm == "shorter" else b"?"))
    found = fetch(url, tmp_path, 1, 2)
    assert (found.fetched, found.kept) == (1, 1)
    assert contents(tmp_path) == some(1, 2)


def test_what_was_fetched_before_a_failure_is_kept(tmp_path: Path, url: str, site: Site) -> None:
    site.on_request = lambda number: setattr(site, "answers", [503] if number > 3 else [])
    assert "breaks off" in refused(url, tmp_path, 1, 3, 5, 7, 9)
    assert contents(tmp_path) == some(1, 3)
    site.on_request, site.answers = lambda number: None, []
    found = fetch(url, tmp_path, 1, 3, 5, 7, 9)
    assert (found.fetched, found.kept) == (3, 2)
    assert contents(tmp_path) == some(1, 3, 5, 7, 9)


def test_dropping_and_slow(tmp_path: Path, url: str, site: Site) -> None:
    site.drops, site.pause = [2_000, 1_000, 50_000, 0, 10_000, 20_000], 0.0005
    fetch(url, tmp_path, 1, 2, 8)
    assert contents(tmp_path) == some(1, 2, 8)


def test_a_wrong_crc(tmp_path: Path, url: str, site: Site) -> None:
    harmed = bytearray(CONTENT)
    harmed[CONTENT.index(FILES["a/05.mp3"]) + 60_000] ^= 1
    site.files[PATH] = bytes(harmed)
    message = refused(url, tmp_path, 1, 5, 9)
    assert "a/05.mp3 arrived damaged from 127.0.0.1" in message
    assert "CRC" in message
    assert contents(tmp_path) == some(1)
    site.files[PATH] = CONTENT
    assert fetch(url, tmp_path, 1, 5, 9).fetched == 2
    assert contents(tmp_path) == some(1, 5, 9)


def test_an_archive_that_changes_while_it_is_fetched(tmp_path: Path, url: str, site: Site) -> None:
    site.on_request = lambda number: setattr(site, "etag", '"1"' if number < 4 else '"2"')
    assert "has changed while it was read" in refused(url, tmp_path, 1, 3, 5, 7)
    assert contents(tmp_path) == some(1, 3)


def test_an_archive_that_changes_between_runs(tmp_path: Path, url: str, site: Site) -> None:
    site.answers = []
    fetch(url, tmp_path, 1, 2)
    other = FILES | {"a/02.mp3": b"other"}
    site.files[PATH] = zipped(other)
    message = refused(url, tmp_path, 1, 2, 3)
    assert "isn't the one that" in message
    assert str(tmp_path / LISTING) in message
    assert contents(tmp_path) == some(1, 2)
    (tmp_path / LISTING).unlink()
    assert fetch(url, tmp_path, 1, 2, 3).kept == 1
    assert contents(tmp_path) == some(1, 3) | {"a/02.mp3": b"other"}


def test_the_same_archive_elsewhere(tmp_path: Path, url: str, site: Site) -> None:
    """Another server's version of the file has another ETag, which says nothing."""
    fetch(url, tmp_path, 1)
    site.etag = '"2"'
    assert fetch(url, tmp_path, 1, 2).kept == 1


@pytest.mark.parametrize("longer", [-1, 1, 4_000])
def test_a_server_that_lies_about_the_archives_size(
    tmp_path: Path, url: str, site: Site, longer: int
) -> None:
    site.longer = longer
    assert "127.0.0.1" in refused(url, tmp_path, 1)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    "harm",
    [
        lambda whole: b"no archive",
        lambda whole: whole[:-30],
        lambda whole: whole.replace(b"PK\x03\x04", b"PK\x09\x09"),
        lambda whole: whole.replace(b"PK\x01\x02", b"PK\x09\x09"),
        lambda whole: whole[100_000:],
    ],
)
def test_a_damaged_archive(tmp_path: Path, url: str, site: Site, harm: Callable[[bytes], bytes]) -> None:
    site.files[PATH] = harm(CONTENT)
    assert "arrived damaged" in refused(url, tmp_path, 1)
    assert contents(tmp_path) == {}


def test_damaged_compression(tmp_path: Path, url: str, site: Site) -> None:
    packed = zipped({"a/01.mp3": b"one" * 100_000}, zipfile.ZIP_BZIP2)
    site.files[PATH] = packed
    fetch(url, tmp_path / "whole", 1)
    assert contents(tmp_path / "whole") == {"a/01.mp3": b"one" * 100_000}
    harmed = bytearray(packed)
    harmed[45:60] = bytes(15)
    site.files[PATH] = bytes(harmed)
    assert "a/01.mp3 arrived damaged" in refused(url, tmp_path, 1)


@pytest.mark.parametrize(("place", "value"), [((8, 10), 9), ((6, 8), 1)])
def test_an_unknown_compression_or_encryption(
    tmp_path: Path, url: str, site: Site, place: tuple[int, int], value: int
) -> None:
    other = bytearray(CONTENT)
    for sign, at in zip((b"PK\x03\x04", b"PK\x01\x02"), place, strict=True):
        found = -1
        while (found := CONTENT.find(sign, found + 1)) >= 0:
            other[found + at] = value
    site.files[PATH] = bytes(other)
    assert "encrypted, or compressed" in refused(url, tmp_path, 1)


def test_a_member_that_the_archive_lacks(tmp_path: Path, url: str) -> None:
    assert f"{url} has no a/77.mp3" in refused(url, tmp_path, 1, 77)
    assert contents(tmp_path) == {}


def test_not_enough_room(tmp_path: Path, url: str, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch(url, tmp_path, 1)
    usage = shutil.disk_usage(tmp_path)._replace(free=2 * GAP + 4)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: usage)
    message = refused(url, tmp_path, 1, 2, 3)
    assert "To fetch 2 files of a.zip" in message
    assert "are free" in message
    assert contents(tmp_path) == some(1)
    monkeypatch.undo()
    assert fetch(url, tmp_path, 1, 2, 3).fetched == 2


def test_a_full_disk(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    class Full(io.BytesIO):
        def write(self, content: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_(path: Path, *arguments: Any, **more: Any) -> IO[Any]:
        full = path.suffix == ".part" and (tmp_path / "a/03.mp3").exists()
        return Full() if full else opened(path, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_)
        assert f"disk of {tmp_path} is full" in refused(url, tmp_path, 1, 3, 5, 7)
    assert contents(tmp_path) == some(1, 3)
    assert fetch(url, tmp_path, 1, 3, 5, 7).fetched == 2


def test_a_folder_that_is_a_file(tmp_path: Path, url: str) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(FetchError, match="cannot be written"):
        fetch(url, tmp_path / "file", 1)


def test_two_runs_at_once(tmp_path: Path, url: str, site: Site) -> None:
    seen = []

    def try_too(number: int) -> None:
        site.on_request = lambda number: None
        seen.append(refused(url, tmp_path, 1))

    site.on_request = try_too
    fetch(url, tmp_path, 1)
    assert "Another run" in seen[0]
    assert contents(tmp_path) == some(1)


def test_a_file_system_without_locks(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    fetch(url, tmp_path, 1)
    assert contents(tmp_path) == some(1)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"files": 1}', '{"files": {"a/01.mp3": [1]}}', '{"files": {"a/01.mp3": 2}}'],
)
def test_an_unreadable_listing_is_ignored(tmp_path: Path, url: str, text: str) -> None:
    fetch(url, tmp_path, 1)
    (tmp_path / LISTING).write_text(text)
    found = fetch(url, tmp_path, 1)
    assert (found.fetched, found.kept) == (0, 1)
    assert set(json.loads((tmp_path / LISTING).read_text())["files"]) == {"a/01.mp3"}
