"""The cost model's simulation keeps to what arithmetic says where that is known."""

from __future__ import annotations

import re

import cost_model
import pytest
from cost_model import Cluster, embedding_hours


def test_machines_that_stay_take_the_work_over_their_cores() -> None:
    hours, again = embedding_hours(Cluster(5, 4, 0.0, 60.0, 10), 10_000, 720.0)
    assert hours == pytest.approx(10_000 * 0.72 / 20 / 3600)
    assert again == 0.0


def test_machines_that_go_lose_a_chunk_and_the_time_that_they_are_away() -> None:
    steady = embedding_hours(Cluster(5, 4, 0.0, 600.0, 100), 100_000, 720.0)
    shaky = embedding_hours(Cluster(5, 4, 3.0, 600.0, 100), 100_000, 720.0)
    assert shaky[0] > 1.3 * steady[0]
    assert 0.0 < shaky[1] < 3.0 * 100 * 0.72 / 4 / 3600
    assert shaky == embedding_hours(Cluster(5, 4, 3.0, 600.0, 100), 100_000, 720.0)


def dollars(text: str, line: str) -> list[int]:
    """The prices that a report names in the lines of one kind, a system each."""
    lines = [row for row in text.splitlines() if row.strip().startswith(line)]
    return [int(re.findall(r"([\d,]+) \$", row)[-1].replace(",", "")) for row in lines]


def test_more_tracks_cost_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = []
    # Prices at which a million tracks cost many of the whole dollars that are printed.
    dear = ("--core-price", "2", "--disk-price", "10", "--memory-price", "400")
    for tracks in ("1000000", "10000000"):
        monkeypatch.setattr("sys.argv", ["cost_model", "--tracks", tracks, *dear])
        cost_model.main()
        printed.append(capsys.readouterr().out)
    assert all("vgg_genre" in text and "soundalike" in text for text in printed)
    assert "512.6 GB on disk" in printed[1]
    assert "51.3 GB on disk" in printed[0]
    for line in ("embedding", "vectors", "graph"):
        few, many = (dollars(text, line) for text in printed)
        assert len(few) == 2
        assert min(few) > 20
        # Ten times the tracks, but for machines that wait for the last chunk and whole dollars.
        assert all(
            more / less == pytest.approx(10, rel=0.05) for less, more in zip(few, many, strict=True)
        )
