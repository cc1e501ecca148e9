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
    made = figures.table([Figure("a", 1_234.5, "ms", 500, spread=20), Figure("b", 3, "")])
    *_, first, second = made.splitlines()
    assert first == "| a | 1,234.5 ms | 20 ms | 500 ms | **no** |"
    assert second == "| b | 3 |  | fact |  |"


def test_the_median_of_several_runs_and_their_spread() -> None:
    runs = [[Figure("a", value, "ms", bar)] for value, bar in ((5.0, 6.0), (9.0, 8.0), (6.0, 7.0))]
    assert figures.middle(runs) == [Figure("a", 6.0, "ms", 7.0, spread=4.0)]


def test_a_change_within_the_spread_is_no_change() -> None:
    before = Figure("a", 100, "ms", 200, spread=5)
    moved = [
        figures.is_worse(Figure("a", value, "ms", 200, spread=10), before) for value in (50, 110, 111)
    ]
    assert moved == [False, False, True]
    least = Figure("a", 0.9, "", 0.8, least=True, spread=0.01)
    assert [figures.is_worse(Figure("a", v, "", 0.8, least=True), least) for v in (0.95, 0.88)] == [
        False,
        True,
    ]
    assert not figures.is_worse(Figure("a", 1_000, "ms"), Figure("a", 1, "ms"))


def test_a_bar_is_missed_by_more_than_the_spread() -> None:
    found = [figures.is_missed(Figure("a", value, "ms", 100, spread=10)) for value in (99, 110, 111)]
    assert found == [False, False, True]
    assert figures.is_missed(Figure("a", 0.5, "", 0.8, least=True))
    assert not figures.is_missed(Figure("a", 1_000, "ms"))


def test_every_program_exists() -> None:
    programs = [program.split()[0] for program in bench.MEASUREMENTS.values()]
    assert all((bench.HERE / file).is_file() for file in programs)


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
