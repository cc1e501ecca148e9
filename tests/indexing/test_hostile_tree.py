"""A tree of hostile files is indexed completely, and every file is reported."""

from __future__ import annotations

from pathlib import Path

import hostile_tree
import pandas as pd
import pytest

from soundalike.datasets import library
from soundalike.index import index
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan
from soundalike.indexing.ingest import Event
from soundalike.models import ModelStore


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


@pytest.mark.sweep
def test_every_file_is_accounted_for(tree: Path, models: ModelStore) -> None:
    fates = hostile_tree.build(tree)
    source = library.find(tree)
    events: list[Event] = []
    built = builder.build(
        source, tree.parent / "index", models, BuildPlan(["mfcc_flat"]), on_file=events.append
    )
    found: dict[str, str | None] = {item.file: item.reason for item in built.skipped}
    assert not found.keys() & set(built.index.tracks["file"])
    found |= dict.fromkeys(built.index.tracks["file"])
    assert found.keys() == fates.keys()
    for file, fate in fates.items():
        if fate is None:
            assert found[file] is None, file
        else:
            assert fate in (found[file] or ""), file
    assert len(events) == len(source.tracks)
    assert source.passed_over == {".jpg": 1}
    opened = index.load(built.index.folder, checksums=True)
    pd.testing.assert_frame_equal(
        opened.skipped,
        pd.DataFrame([(item.file, item.reason) for item in built.skipped], columns=["file", "reason"]),
        check_dtype=False,
    )


def test_absurd_tags_are_sanitised(tree: Path, models: ModelStore) -> None:
    hostile_tree.tagged(tree / "tags.flac")
    hostile_tree.tagged(tree / "again.flac")
    with (tree / "again.flac").open("ab") as file:
        file.write(b"\0")
    source = library.find(tree)
    built = builder.build(source, tree.parent / "index", models, BuildPlan(["mfcc_flat"]))
    track = built.index.tracks.iloc[1]
    assert len(track["title"]) == 300
    assert track["title"].startswith("<script>alert(1)</script>aaa")
    assert track["artist"] == "Zoë, txet desrever, line breaknull"
    assert track["genre"] == "Genre 0"
