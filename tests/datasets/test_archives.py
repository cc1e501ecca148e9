"""Tests of downloads from a local server with failures, changed files and wrong responses."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command_line import Capture, complaint, document, run
from downloads import contents, ranges, zipped
from web_server import Site

from soundalike.datasets import archives, fma_download, web
from soundalike.datasets.archives import Archive
from soundalike.errors import FetchError

BODY = np.random.default_rng(0).bytes(150_000)
FILES = {
    "fma_tiny/README.txt": b"read me",
    "fma_tiny/000/000002.mp3": BODY,
    "fma_tiny/000/000005.mp3": b"five",
}


CONTENT = zipped({"fma_tiny/": b""} | FILES)
ARCHIVE = Archive("fma_tiny", hashlib.sha1(CONTENT).hexdigest())
PATH = f"/{ARCHIVE.file}"


pytestmark = pytest.mark.usefixtures("waits")


@pytest.fixture
def site() -> Site:
    return Site({PATH: CONTENT})


@pytest.fixture
def url(address: str) -> str:
    return address


def refused(folder: Path, url: str, archive: Archive = ARCHIVE) -> str:
    with pytest.raises(FetchError) as caught:
        archives.fetch(archive, folder, url)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_fetched_and_unpacked(tmp_path: Path, url: str, site: Site) -> None:
    seen: list[tuple[str, int, int]] = []
    found = archives.fetch(ARCHIVE, tmp_path / "new", url, lambda *step: seen.append(step))
    assert found == archives.Fetched("fma_tiny", len(CONTENT), 0, 3, 0)
    assert contents(tmp_path / "new") == FILES
    assert ranges(site) == [""]
    downloads = [step for step in seen if step[0].startswith("Downloading")]
    assert downloads[-1][1:] == (len(CONTENT), len(CONTENT))
    assert [step[1] for step in downloads] == sorted(step[1] for step in downloads)


def test_existing_files_are_not_fetched_again(tmp_path: Path, url: str, site: Site) -> None:
    archives.fetch(ARCHIVE, tmp_path, url)
    assert archives.fetch(ARCHIVE, tmp_path, url) == archives.Fetched("fma_tiny", 0, 0, 0, 3)
    assert len(site.asked) == 1


@pytest.mark.parametrize("harm", ["missing", "shorter", "other"])
def test_a_damaged_file_is_restored(tmp_path: Path, url: str, harm: str) -> None:
    archives.fetch(ARCHIVE, tmp_path, url)
    victim = tmp_path / "fma_tiny/000/000002.mp3"
    if harm == "missing":
        victim.unlink()
    else:
        victim.write_bytes(BODY[:-1] + (b"" if harm == "shorter" else b"\0"))
    found = archives.fetch(ARCHIVE, tmp_path, url)
    assert (found.unpacked, found.kept) == (1, 2)
    assert contents(tmp_path) == FILES


def test_a_broken_connection_is_resumed(
    tmp_path: Path, url: str, site: Site, waits: list[float]
) -> None:
    site.drops = [40_960, 20_480, 0, 24_576]
    found = archives.fetch(ARCHIVE, tmp_path, url)
    assert contents(tmp_path) == FILES
    assert ranges(site) == ["", "bytes=40960-", "bytes=61440-", "bytes=61440-", "bytes=86016-"]
    assert found.downloaded == len(CONTENT)
    assert waits == [1, 1, 2, 1]


def test_an_earlier_partial_download_is_resumed(tmp_path: Path, url: str, site: Site) -> None:
    (tmp_path / "fma_tiny.zip.part").write_bytes(CONTENT[:60_000])
    (tmp_path / "fma_tiny.zip.part.version").write_text(site.etag)
    found = archives.fetch(ARCHIVE, tmp_path, url)
    assert (found.downloaded, found.resumed) == (len(CONTENT) - 60_000, 60_000)
    assert site.asked[0]["If-Range"] == site.etag
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize("why", ["no ranges", "changed", "shifted", "too much"])
def test_a_partial_download_that_cannot_be_resumed_is_restarted(
    tmp_path: Path, url: str, site: Site, why: str
) -> None:
    part = b"x" * (len(CONTENT) + 9 if why == "too much" else 60_000)
    (tmp_path / "fma_tiny.zip.part").write_bytes(part)
    (tmp_path / "fma_tiny.zip.part.version").write_text('"0"' if why == "changed" else site.etag)
    site.ranges = why != "no ranges"
    site.shift = 7 if why == "shifted" else 0
    found = archives.fetch(ARCHIVE, tmp_path, url)
    assert (found.downloaded, found.resumed) == (len(CONTENT), 0)
    assert contents(tmp_path) == FILES


def test_a_complete_partial_file_is_accepted(tmp_path: Path, url: str) -> None:
    (tmp_path / "fma_tiny.zip.part").write_bytes(CONTENT)
    found = archives.fetch(ARCHIVE, tmp_path, url)
    assert (found.downloaded, found.resumed) == (0, len(CONTENT))
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize("etag", ["", 'W/"1"'])
def test_without_a_strong_etag_only_the_range_is_sent(
    tmp_path: Path, url: str, site: Site, etag: str
) -> None:
    site.etag, site.drops = etag, [40_960]
    archives.fetch(ARCHIVE, tmp_path, url)
    assert ranges(site) == ["", "bytes=40960-"]
    assert "If-Range" not in site.asked[1]
    assert contents(tmp_path) == FILES


def test_a_busy_server_is_retried(tmp_path: Path, url: str, site: Site, waits: list[float]) -> None:
    site.answers, site.retry_after = [503, 429], "7"
    archives.fetch(ARCHIVE, tmp_path, url)
    assert waits == [7, 7]
    assert contents(tmp_path) == FILES


def test_retries_are_limited(tmp_path: Path, url: str, site: Site, waits: list[float]) -> None:
    site.drops = [40_960, *[0] * 20]
    message = refused(tmp_path, url)
    assert "127.0.0.1" in message
    assert "breaks off" in message
    assert len(site.asked) == web.TRIES
    assert (tmp_path / "fma_tiny.zip.part").read_bytes() == CONTENT[:40_960]
    site.drops = []
    assert archives.fetch(ARCHIVE, tmp_path, url).resumed == 40_960


def test_retries_of_a_busy_server_are_limited(tmp_path: Path, url: str, site: Site) -> None:
    site.answers = [503] * 20
    assert "cannot be reached" in refused(tmp_path, url)
    assert len(site.asked) == web.TRIES


@pytest.mark.parametrize(
    ("status", "words"), [(404, "another address"), (410, "another address"), (403, "later")]
)
def test_a_refusal_is_final(tmp_path: Path, url: str, site: Site, status: int, words: str) -> None:
    site.answers = [status]
    message = refused(tmp_path, url)
    assert str(status) in message
    assert words in message
    assert len(site.asked) == 1


def test_a_wrong_checksum_removes_the_archive(tmp_path: Path, url: str, site: Site) -> None:
    site.files[PATH] = CONTENT[:-1] + b"!"
    message = refused(tmp_path, url)
    assert f"instead of {ARCHIVE.checksum[:12]}…" in message
    assert contents(tmp_path) == {}
    site.files[PATH] = CONTENT
    archives.fetch(ARCHIVE, tmp_path, url)
    assert contents(tmp_path) == FILES


def test_connection_refused(tmp_path: Path, waits: list[float]) -> None:
    assert "127.0.0.1 cannot be reached" in refused(tmp_path, "http://127.0.0.1:9")
    assert waits == [1, 2, 4, 8]


def test_no_network(tmp_path: Path, waits: list[float]) -> None:
    message = refused(tmp_path, "http://nobody.invalid/fma")
    assert "nobody.invalid cannot be reached" in message
    assert "another address" in message
    assert waits == []


def test_invalid_certificate(tmp_path: Path, url: str, waits: list[float]) -> None:
    message = refused(tmp_path, url.replace("http:", "https:"))
    assert "cannot prove who it is" in message
    assert waits == []


def test_invalid_address(tmp_path: Path) -> None:
    assert "no address" in refused(tmp_path, "http://[half")


def test_not_enough_disk_space(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=len(CONTENT))
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda folder: usage)
    message = refused(tmp_path, url)
    assert "are free" in message
    assert contents(tmp_path) == {}


def test_a_full_disk(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(archives.shutil, "copyfileobj", full)
        assert "disk of" in refused(tmp_path, url)
    found = archives.fetch(ARCHIVE, tmp_path, url)
    assert (found.downloaded, found.unpacked) == (0, 3)
    assert contents(tmp_path) == FILES


def test_a_folder_that_is_a_file(tmp_path: Path, url: str) -> None:
    (tmp_path / "file").write_text("text")
    assert "cannot be written" in refused(tmp_path / "file", url)


def test_unpacking_is_resumed(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(CONTENT)
    kept = tmp_path / "fma_tiny/000/000002.mp3"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(BODY)
    before = kept.stat().st_mtime_ns
    (tmp_path / "fma_tiny/000/000005.mp3").write_bytes(b"FIVE")
    (tmp_path / "fma_tiny/000/000005.mp3.part").write_bytes(b"half")
    assert archives.unpack(archive, tmp_path) == (2, 1)
    assert kept.stat().st_mtime_ns == before
    assert (tmp_path / "fma_tiny/000/000005.mp3").read_bytes() == b"five"
    assert not list(tmp_path.rglob("*.part"))


def test_bzip2_is_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped(FILES, zipfile.ZIP_BZIP2))
    assert archives.unpack(archive, tmp_path / "out") == (3, 0)
    assert contents(tmp_path / "out") == FILES


@pytest.mark.parametrize(
    "name",
    ["../out.txt", "/out.txt", "fma_tiny/../../out.txt", "..\\out.txt", "C:out.txt", "link/out.txt"],
)
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path, target_is_directory=True)
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped({"fma_tiny/good.txt": b"good", name: b"bad"}))
    with pytest.raises(FetchError, match="outside"):
        archives.unpack(archive, folder)
    assert not list(tmp_path.rglob("*.txt"))


def test_links_are_rejected(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        link = zipfile.ZipInfo("fma_tiny/link")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    with pytest.raises(FetchError, match="outside"):
        archives.unpack(archive, tmp_path)


def test_a_damaged_archive(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    harmed = bytearray(CONTENT)
    harmed[CONTENT.index(BODY) + 1_000] ^= 1
    for content in (b"", b"no archive", CONTENT[:-30], bytes(harmed)):
        archive.write_bytes(content)
        with pytest.raises(FetchError, match="damaged"):
            archives.unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out" / "fma_tiny/000/000002.mp3").exists()


def test_an_unknown_compression(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    deflate64 = bytearray(CONTENT)
    for sign, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = -1
        while (at := CONTENT.find(sign, at + 1)) >= 0:
            deflate64[at + place] = 9
    archive.write_bytes(bytes(deflate64))
    with pytest.raises(FetchError, match="7-Zip"):
        archives.unpack(archive, tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha1": 1, "files": {"a": 2}}', "\xff"])
def test_an_unreadable_listing_is_ignored(tmp_path: Path, url: str, text: str) -> None:
    (tmp_path / ".fma_tiny.json").write_text(text, encoding="latin-1")
    assert archives.fetch(ARCHIVE, tmp_path, url).unpacked == 3


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fma_download.ARCHIVES, "fma-small", (ARCHIVE,))


@pytest.mark.usefixtures("tiny")
def test_the_command(capsys: Capture, tmp_path: Path, url: str) -> None:
    found = document(capsys, "fetch", "fma-small", "--dir", tmp_path, "--url", url)
    assert found == {
        "dir": str(tmp_path),
        "archives": [
            {"name": "fma_tiny", "downloaded": len(CONTENT), "resumed": 0, "unpacked": 3, "kept": 0}
        ],
    }
    code, out, err = run(capsys, "fetch", "fma-small", "--dir", tmp_path, "--url", url)
    assert (code, err) == (0, "")
    assert out == f"fma_tiny: 3 files in {tmp_path}, all there already\n"
    assert contents(tmp_path) == FILES


@pytest.mark.usefixtures("tiny")
def test_the_command_reports_errors(capsys: Capture, tmp_path: Path, url: str) -> None:
    complaint(capsys, 1, "fetch", "fma-small", "--dir", tmp_path, "--url", f"{url}/nowhere")
    complaint(capsys, 2, "fetch", "fma-tiny", "--dir", tmp_path)
    complaint(capsys, 2, "fetch", "fma-small", "--dir", tmp_path, "--url", "ftp://host")


def test_available_archives() -> None:
    assert all(named[0] is fma_download.METADATA for named in fma_download.ARCHIVES.values())
    every = {archive for named in fma_download.ARCHIVES.values() for archive in named}
    assert all(len(archive.checksum) == 40 and int(archive.checksum, 16) for archive in every)
    assert len({archive.checksum for archive in every}) == len(every) == 5
    assert json.dumps([archive.file for archive in fma_download.ARCHIVES["fma-small"]]) == (
        '["fma_metadata.zip", "fma_small.zip"]'
    )
