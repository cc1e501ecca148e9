"""Tests of fetching the starter library of an installed package."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from downloads import contents, zipped
from web_server import Site, serving

from soundalike import paths
from soundalike.datasets import starter
from soundalike.errors import FetchError

FILES = {"tiny/index/manifest.json": b"{}", "tiny/library/clips/1.opus": bytes(range(256)) * 50}


CONTENT = zipped(FILES)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of data, with a package that is installed and knows a small archive."""
    assets = tmp_path / "assets"
    assets.mkdir()
    facts = {"name": "tiny", "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    (assets / "starter.json").write_text(json.dumps(facts))
    monkeypatch.setattr(paths, "IS_INSTALLED", True)
    monkeypatch.setattr(paths, "ASSETS", assets)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    starter._facts.cache_clear()
    yield tmp_path / "data" / "soundalike"
    starter._facts.cache_clear()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.zip"
    file.write_bytes(CONTENT)
    return file


def test_a_checkout_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not starter.is_there()
    monkeypatch.setattr(paths, "IS_INSTALLED", False)
    assert starter.is_there()


def test_from_a_file(archive: Path, data: Path) -> None:
    starter.fetch(str(archive))
    assert contents(data) == FILES
    assert starter.is_there()
    assert archive.read_bytes() == CONTENT
    (data / "tiny/library/clips/1.opus").unlink()
    assert not starter.is_there()


def test_from_an_address(data: Path) -> None:
    site = Site({"/somewhere/tiny.zip": CONTENT})
    with serving(site) as address:
        starter.fetch(f"{address}/somewhere/tiny.zip")
        assert contents(data) == FILES
        starter.fetch(f"{address}/somewhere/tiny.zip")
    assert site.paths == ["/somewhere/tiny.zip"]


def test_another_archive_is_refused(archive: Path, data: Path) -> None:
    archive.write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(FetchError, match=r"tiny\.zip has the checksum"):
        starter.fetch(str(archive))
    assert archive.is_file()
    assert contents(data) == {}
    assert not starter.is_there()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.zip", "There is no archive nowhere.zip; name a file, or a URL"),
        ("http://127.0.0.1:9/other.zip", r"must end in /tiny\.zip, not in /other\.zip"),
        ("ftp://host/tiny.zip", "There is no archive"),
    ],
)
def test_a_wrong_source(source: str, message: str) -> None:
    with pytest.raises(FetchError, match=message) as caught:
        starter.fetch(source)
    assert "\n" not in str(caught.value)


def test_an_older_library_is_replaced(archive: Path, data: Path) -> None:
    starter.fetch(str(archive))
    listing = data / ".tiny.json"
    listing.write_text(listing.read_text().replace(hashlib.sha256(CONTENT).hexdigest(), "0" * 64))
    (data / "tiny/index/manifest.json").write_bytes(b"older")
    assert not starter.is_there()
    starter.fetch(str(archive))
    assert contents(data) == FILES


def test_a_folder_that_cannot_be_written(archive: Path, data: Path) -> None:
    data.parent.write_text("a file")
    with pytest.raises(FetchError, match="cannot be written"):
        starter.fetch(str(archive))
