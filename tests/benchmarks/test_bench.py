"""The harness of `make bench`: figures, their table, and results kept across reruns."""

from __future__ import annotations

import json
from pathlib import Path

import bench
import figures
import pytest
from figures import Figure


def test_value_meets_target() -> None:
    assert [Figure("", value, "s", 3.0).holds for value in (2.9, 3.0, 3.1)] == [True, True, False]
    assert Figure("", 5.0, "s").holds is None


def test_percentile_is_a_measured_value() -> None:
    assert figures.percentile([float(n) for n in range(100, 0, -1)], 0.95) == 95.0
    assert figures.percentile([7.0], 0.95) == 7.0


def test_table_marks_missed_targets() -> None:
    *_, first, second = figures.table([Figure("a", 1_234.5, "ms", 500), Figure("b", 3, "")]).splitlines()
    assert first == "| a | 1,234.5 ms | 500 ms | **no** |"
    assert second == "| b | 3 |  |  |"


def test_every_program_exists() -> None:
    assert all((bench.HERE / file).is_file() for file in bench.MEASUREMENTS.values())


def test_rerun_replaces_its_own_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "results.json")
    assert bench.earlier() == {}
    first, second = "python benchmarks/cold_start.py", "python benchmarks/load.py"
    bench.write(
        {}, {second: [{"name": "l", "command": second}], first: [{"name": "c", "command": first}]}
    )
    kept = bench.earlier()
    kept[first] = [{"name": "new", "command": first}]
    bench.write({"processor": "p"}, kept)
    document = json.loads(bench.RESULTS.read_text())
    assert document["machine"] == {"processor": "p"}
    assert [figure["name"] for figure in document["figures"]] == ["new", "l"]
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_document_matches_results() -> None:
    kept = bench.earlier()
    assert kept
    measured = figures.table([bench.as_figure(figure) for figure in bench.in_order(kept)])
    assert measured in bench.DOCUMENT.read_text(encoding="utf-8")
