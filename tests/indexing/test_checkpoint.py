"""The work store: persistence of finished results."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import DestinationError
from soundalike.indexing import checkpoint
from soundalike.indexing.extraction import Extraction, ExtractionFailure
from soundalike.models import ModelStore

VECTOR = np.arange(64, dtype=np.float16)
TAKEN = Extraction("a" * 64, {"title": "Élan"}, {"soundalike": VECTOR})


def test_values_persist(tmp_path: Path, models: ModelStore) -> None:
    with checkpoint.opened(tmp_path / "work", models) as store:
        assert store.missing("a" * 64, ["soundalike", "keys"]) == ["soundalike", "keys"]
        store.put(TAKEN)
    with checkpoint.opened(tmp_path / "work", models) as store:
        assert store.missing("a" * 64, ["soundalike", "keys"]) == ["keys"]
        np.testing.assert_array_equal(store.value("a" * 64, "soundalike"), VECTOR)
        assert store.tags("a" * 64) == {"title": "Élan"}
        assert store.tags("b" * 64) is None
        with pytest.raises(KeyError):
            store.value("a" * 64, "keys")


def test_later_values_are_added(tmp_path: Path, models: ModelStore) -> None:
    with checkpoint.opened(tmp_path, models) as store:
        store.put(TAKEN)
        store.put(Extraction("a" * 64, {}, {"keys": np.array([3, 1], np.int8)}))
        assert store.missing("a" * 64, ["soundalike", "keys"]) == []
        assert store.value("a" * 64, "keys").tolist() == [3, 1]


def test_values_by_other_networks_are_missing(
    tmp_path: Path, models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with checkpoint.opened(tmp_path, models) as store:
        store.put(TAKEN)
    other = ModelStore()
    monkeypatch.setattr(other, "checksum", lambda name: "another")
    with checkpoint.opened(tmp_path, other) as store:
        assert store.missing("a" * 64, ["soundalike"]) == ["soundalike"]
    with checkpoint.opened(tmp_path, models) as store:
        assert store.missing("a" * 64, ["soundalike"]) == []


def test_failures_persist(tmp_path: Path, models: ModelStore) -> None:
    with checkpoint.opened(tmp_path, models) as store:
        store.put_refused(ExtractionFailure("b" * 64, "It is silent."))
        assert store.refusal("a" * 64) is None
    with checkpoint.opened(tmp_path, models) as store:
        assert store.refusal("b" * 64) == "It is silent."


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + bytes(5_000)])
def test_damaged_store_is_replaced(tmp_path: Path, models: ModelStore, content: bytes) -> None:
    (tmp_path / checkpoint.FILE).write_bytes(content)
    with checkpoint.opened(tmp_path, models) as store:
        store.put(TAKEN)
        assert store.missing("a" * 64, ["soundalike"]) == []


def test_store_of_another_version_is_replaced(tmp_path: Path, models: ModelStore) -> None:
    with checkpoint.opened(tmp_path, models) as store:
        store.put(TAKEN)
    with closing(sqlite3.connect(tmp_path / checkpoint.FILE)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with checkpoint.opened(tmp_path, models) as store:
        assert store.missing("a" * 64, ["soundalike"]) == ["soundalike"]


def test_one_run_at_a_time(tmp_path: Path, models: ModelStore) -> None:
    code = (
        "import sys; from pathlib import Path; from soundalike.indexing import checkpoint;"
        "from soundalike.models import ModelStore\n"
        "with checkpoint.opened(Path(sys.argv[1]), ModelStore()): print('open', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"open\n"
    with pytest.raises(DestinationError, match="Another run"), checkpoint.opened(tmp_path, models):
        pass
    other.kill()
    other.communicate()
    with checkpoint.opened(tmp_path, models) as store:
        store.put(TAKEN)


def test_unwritable_folder(tmp_path: Path, models: ModelStore) -> None:
    (tmp_path / checkpoint.FILE).mkdir()
    with (
        pytest.raises(DestinationError, match="nothing more can be written"),
        checkpoint.opened(tmp_path, models),
    ):
        pass
