"""Reading a file on a server by ranges: honest, broken and lying servers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from downloads import ranges
from web_server import Site

from soundalike.datasets import web
from soundalike.datasets.remote_file import TAIL, RemoteFile
from soundalike.errors import FetchError

CONTENT = np.random.default_rng(0).bytes(400_000)
NAME = "/a.zip"


pytestmark = pytest.mark.usefixtures("waits")


@pytest.fixture
def site() -> Site:
    return Site({NAME: CONTENT})


@pytest.fixture
def url(address: str) -> str:
    return address + NAME


def refused(url: str) -> str:
    with pytest.raises(FetchError) as caught:
        RemoteFile(url)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_end_is_asked_for_first(url: str, site: Site) -> None:
    remote = RemoteFile(url)
    assert (remote.size, remote.received, remote.requests) == (len(CONTENT), TAIL, 1)
    remote.seek(-1_000, io.SEEK_END)
    assert remote.read(100) == CONTENT[-1_000:-900]
    assert remote.tell() == len(CONTENT) - 900
    assert remote.read() == CONTENT[-900:]
    assert remote.read(5) == b""
    assert ranges(site) == [f"bytes=-{TAIL}"]


def test_a_file_shorter_than_the_first_request(url: str, site: Site) -> None:
    site.files[NAME] = CONTENT[:1_000]
    remote = RemoteFile(url)
    remote.seek(10)
    assert remote.read() == CONTENT[10:1_000]
    assert len(site.asked) == 1


def test_reading_like_a_file_on_the_disk(url: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    rng = np.random.default_rng(1)
    remote = RemoteFile(url)
    remote.announce([(10_000, 90_000), (150_000, 380_000)])
    with (tmp_path / "a").open("rb") as local:
        for _ in range(200):
            at, length = int(rng.integers(0, 401_000)), int(rng.integers(0, 30_000))
            assert remote.seek(at) == local.seek(at)
            assert remote.read(length) == local.read(length)
            assert remote.tell() == local.tell()


def test_an_announced_range_is_one_request(url: str, site: Site) -> None:
    remote = RemoteFile(url)
    remote.announce([(1_000, 101_000), (200_000, 200_100)])
    for start, length in ((1_000, 30), (1_050, 40_000), (60_000, 41_000), (200_000, 100)):
        remote.seek(start)
        assert remote.read(length) == CONTENT[start : start + length]
    assert ranges(site)[1:] == ["bytes=1000-100999", "bytes=200000-200099"]
    assert remote.received == TAIL + 100_100


def test_answers_share_a_connection(url: str, site: Site) -> None:
    remote = RemoteFile(url)
    for start in range(0, 100_000, 10_000):
        remote.seek(start)
        remote.read(100)
    assert (len(site.asked), site.connections) == (11, 1)


def test_a_broken_connection_is_taken_up_again(url: str, site: Site, waits: list[float]) -> None:
    site.drops = [20_000]
    remote = RemoteFile(url)
    site.drops = [40_960, 0, 0, 8_192]
    remote.announce([(0, 200_000)])
    remote.seek(0)
    assert remote.read(200_000) == CONTENT[:200_000]
    tail = len(CONTENT) - TAIL
    assert ranges(site)[1] == f"bytes={tail + 20_000 // 4_096 * 4_096}-{len(CONTENT) - 1}"
    assert ranges(site)[2:] == ["bytes=0-199999", *["bytes=40960-199999"] * 3, "bytes=49152-199999"]
    assert waits == [1, 1, 2, 4, 1]


def test_tries_are_limited(url: str, site: Site) -> None:
    RemoteFile(url)
    site.answers = [503] * 20
    assert "cannot be reached or breaks off" in refused(url)
    assert len(site.asked) == 1 + web.TRIES


def test_a_busy_server_is_retried(url: str, site: Site, waits: list[float]) -> None:
    site.answers, site.retry_after = [503, 429], "7"
    assert RemoteFile(url).size == len(CONTENT)
    assert waits == [7, 7]


def test_a_server_without_ranges(url: str, site: Site) -> None:
    site.ranges = False
    message = refused(url)
    assert "127.0.0.1 doesn't serve parts of a file" in message
    assert "soundalike fetch fma-small" in message
    assert site.sent < len(CONTENT)


def test_an_absent_file(url: str) -> None:
    assert "404" in refused(f"{url}/nowhere")


def test_an_empty_file(url: str, site: Site) -> None:
    site.files[NAME] = b""
    assert "is empty" in refused(url)


def test_no_network(waits: list[float]) -> None:
    assert "nobody.invalid cannot be reached" in refused("http://nobody.invalid/a.zip")
    assert "127.0.0.1 cannot be reached" in refused("http://127.0.0.1:9/a.zip")
    assert waits == [1, 2, 4, 8]


@pytest.mark.parametrize("change", ["etag", "modified", "longer", "content", "gone ranges"])
def test_a_file_that_changes_while_it_is_read(url: str, site: Site, change: str) -> None:
    site.modified = "Mon, 01 May 2017 10:00:00 GMT"
    remote = RemoteFile(url)
    match change:
        case "etag":
            site.etag = '"2"'
        case "modified":
            site.modified = "Tue, 02 May 2017 10:00:00 GMT"
        case "longer":
            site.longer = 1
        case "content":
            site.files[NAME] = CONTENT[:1_000]
        case _:
            site.ranges = False
    remote.seek(5_000)
    with pytest.raises(FetchError, match="has changed while it was read"):
        remote.read(10)


@pytest.mark.parametrize(("etag", "sent"), [('"1"', '"1"'), ('W/"1"', "a date"), ("", "a date")])
def test_the_version_is_sent(url: str, site: Site, etag: str, sent: str) -> None:
    site.etag, site.modified = etag, "a date"
    RemoteFile(url).read(10)
    remote = RemoteFile(url)
    remote.seek(0)
    remote.read(10)
    assert site.asked[-1]["If-Range"] == sent


def test_no_version(url: str, site: Site) -> None:
    site.etag = ""
    remote = RemoteFile(url)
    remote.seek(0)
    assert remote.read(10) == CONTENT[:10]
    assert "If-Range" not in site.asked[-1]


@pytest.mark.parametrize("shift", [-5, 5])
def test_another_part_than_asked_for(url: str, site: Site, shift: int) -> None:
    site.shift = shift
    assert "doesn't send the part" in refused(url)
    site.shift = 0
    remote = RemoteFile(url)
    site.shift = shift
    remote.seek(100)
    with pytest.raises(FetchError, match="doesn't send the part"):
        remote.read(10)


@pytest.mark.parametrize("overstated", [-10_000, 10])
def test_an_answer_of_another_length_than_its_part(url: str, site: Site, overstated: int) -> None:
    site.overstated = overstated
    assert "doesn't send the part" in refused(url)


def test_an_answer_that_ends_too_early_is_continued(url: str, site: Site) -> None:
    """Without a length, only the number of bytes shows that some are missing."""
    site.states_length = False
    site.drops = [30_000]
    remote = RemoteFile(url)
    site.drops = [8_192]
    remote.seek(100)
    assert remote.read(20_000) == CONTENT[100:20_100]
    assert len(site.asked) == 4


def test_nothing_but_empty_answers(url: str, site: Site) -> None:
    site.states_length = False
    site.drops = [0] * 20
    assert "breaks off" in refused(url)
    assert len(site.asked) == web.TRIES


def test_a_slow_server(url: str, site: Site) -> None:
    site.pause = 0.002
    remote = RemoteFile(url)
    remote.seek(0)
    assert remote.read(100_000) == CONTENT[:100_000]


def test_a_shorter_part_is_continued(url: str, site: Site) -> None:
    """A server may send less than it was asked for, if it says so."""
    remote = RemoteFile(url)
    remote.announce([(0, 100_000)])
    site.most = 60_000
    remote.seek(0)
    assert remote.read(100_000) == CONTENT[:100_000]
    assert ranges(site)[1:] == ["bytes=0-99999", "bytes=60000-99999"]
