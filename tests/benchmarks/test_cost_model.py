"""The cost model's simulation keeps to what arithmetic says where that is known."""

from __future__ import annotations

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


def test_more_tracks_cost_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = []
    for tracks in ("1000000", "10000000"):
        monkeypatch.setattr("sys.argv", ["cost_model", "--tracks", tracks])
        cost_model.main()
        printed.append(capsys.readouterr().out)
    assert all("vgg_genre" in text and "soundalike" in text for text in printed)
    assert "512.6 GB on disk" in printed[1]
    assert "51.3 GB on disk" in printed[0]
