"""Records of runs: written in one step, read again as they were, and left out if they can't be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.datasets.library import Skipped
from soundalike.indexing import run_records
from soundalike.indexing.run_records import Run


def test_a_record_reads_back_as_it_was(tmp_path: Path) -> None:
    skipped = (Skipped("a\u00e9.mp3", "Broken."),)
    first = Run(
        "Jazz", "/music/Jazz", "stopped", found=9, done=4, skipped=1, reasons=skipped, changed=1.0
    )
    last = Run("Rock", "/music/Rock", passed_over={".jpg": 2}, left=3.5, changed=2.0)
    for run in (first, last):
        run_records.write(tmp_path, run)
    assert run_records.read(tmp_path) == [last, first]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".Jazz.run.json", ".Rock.run.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b"{}", b"\xff", b'{"name": "x", "reasons": [1]}', b'{"reasons": []}'],
)
def test_what_is_no_record_is_left_out(tmp_path: Path, content: bytes) -> None:
    run_records.write(tmp_path, Run("Jazz", "/music/Jazz"))
    (tmp_path / ".x.run.json").write_bytes(content)
    assert [run.name for run in run_records.read(tmp_path)] == ["Jazz"]


def test_a_record_that_names_another_index_is_left_out(tmp_path: Path) -> None:
    run_records.write(tmp_path, Run("Jazz", "/music/Jazz"))
    (tmp_path / ".Jazz.run.json").rename(tmp_path / ".x.run.json")
    assert run_records.read(tmp_path) == []
    assert run_records.read(tmp_path / "none") == []


def test_the_share_of_a_run(tmp_path: Path) -> None:
    assert Run("x", "/x").share == 0.0
    assert Run("x", "/x", found=8, done=2).share == 0.25
    assert Run("x", "/x", found=8, done=9).share == 1.0
