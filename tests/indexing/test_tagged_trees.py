"""Trees of files as people have them are indexed, with every file accounted for and every tag read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import tagged_tree

from soundalike.audio import tags
from soundalike.datasets import library
from soundalike.indexing import builder
from soundalike.indexing.builder import BuildPlan, Built
from soundalike.models import ModelStore

pytestmark = pytest.mark.sweep

LEAST = 150


def built(folder: Path, models: ModelStore) -> Built:
    return builder.build(library.find(folder), folder.parent / "index", models, BuildPlan(["mfcc_flat"]))


def facts(file: str, said: dict[str, str]) -> dict[str, str]:
    """A track's row of the table, by its tags."""
    row = library.row_of_file(file, "0" * 64, said)
    return {name: row[name] for name in library.COLUMNS[2:]}


def check_facts(made: Built, expected: dict[str, dict[str, str]]) -> None:
    rows = {str(row["file"]): row for _, row in made.index.tracks.iterrows()}
    assert rows.keys() == expected.keys()
    for file, said in expected.items():
        assert {name: rows[file][name] for name in library.COLUMNS[2:]} == facts(file, said), file
        assert float(rows[file]["duration_s"]) == pytest.approx(3.2, abs=0.15), file


def test_every_container_with_tags_in_every_standard(tmp_path: Path, models: ModelStore) -> None:
    folder = tmp_path / "tree"
    expected = tagged_tree.build_tagged(folder)
    assert len(expected) >= LEAST
    assert {file.rpartition(".")[2] for file in expected} == set(tagged_tree.ENDINGS)
    for file, said in expected.items():
        assert tags.read(folder / file) == said, file
    made = built(folder, models)
    assert made.skipped == ()
    check_facts(made, expected)


def test_a_collection_with_everything_beside_it(tmp_path: Path, models: ModelStore) -> None:
    folder = tmp_path / "tree"
    expected, skipped = tagged_tree.build_collection(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    beside = Counter(Path(file).suffix.lower() for file in tagged_tree.BESIDE)
    parts = (expected, skipped, tagged_tree.IGNORED, tagged_tree.BESIDE)
    assert len(files) == sum(map(len, parts)) >= LEAST
    assert library.find(folder).passed_over == dict(sorted(beside.items()))
    made = built(folder, models)
    assert {item.file for item in made.skipped} == skipped.keys()
    for item in made.skipped:
        assert skipped[item.file] in item.reason
    check_facts(made, expected)
