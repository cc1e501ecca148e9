"""Votes: counted exactly once, with intervals as published."""

from __future__ import annotations

import csv
import io
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.errors import VotesError
from soundalike.evaluation.listening_test import (
    COLUMNS,
    EQUAL,
    LEAST_S,
    UNANSWERED_DAYS,
    TooSoonError,
    Votes,
    tally,
)

NAMES = ("musicnn", "vgg_genre", "vgg_mel")
LIBRARY, OTHER = "fingerprint", "another"


@pytest.fixture
def votes(tmp_path: Path) -> Votes:
    return Votes(tmp_path / "data" / "votes.sqlite", LIBRARY)


def rows(votes: Votes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(votes.export())))


def test_a_vote_counts_once(votes: Votes) -> None:
    pair = votes.deal("0102", NAMES)
    assert votes.count() == 0
    assert votes.vote(pair.id, "left")
    assert not votes.vote(pair.id, "left")
    assert not votes.vote(pair.id, "right")
    assert votes.count() == 1
    assert [row["choice"] for row in rows(votes)] == ["left"]


def test_unknown_pair_is_not_counted(votes: Votes) -> None:
    assert not votes.vote("made up", "left")
    assert votes.count() == 0


def test_positions_and_pairs_are_random(votes: Votes) -> None:
    dealt = [votes.deal("0102", NAMES) for _ in range(300)]
    for name in NAMES:
        left = sum(pair.left == name for pair in dealt)
        right = sum(pair.right == name for pair in dealt)
        # Each has mean 100 and standard deviation 8.2.
        assert 60 < left < 140
        assert 60 < right < 140
    assert len({pair.id for pair in dealt}) == 300
    assert all(pair.left != pair.right for pair in dealt)
    assert not any(name in pair.id for pair in dealt for name in NAMES)


def test_a_room_sees_both_in_one_order(votes: Votes) -> None:
    for names in (NAMES, NAMES[::-1]):
        dealt = [votes.deal("0102", names, shuffled=False) for _ in range(9)]
        assert {(pair.left, pair.right) for pair in dealt} == {tuple(names[:2])}


def test_a_pair_needs_two_names(votes: Votes) -> None:
    with pytest.raises(ValueError, match="two representations"):
        votes.deal("0102", ["musicnn", "musicnn"])


def test_invalid_choice(votes: Votes) -> None:
    with pytest.raises(ValueError, match="must be one of"):
        votes.vote(votes.deal("0102", NAMES).id, "both")


def test_votes_are_independent_of_position(votes: Votes) -> None:
    for _ in range(40):
        pair = votes.deal("0102", NAMES[:2])
        votes.vote(pair.id, "left" if pair.left == "vgg_genre" else "right")
    pair = votes.deal("0102", NAMES[:2])
    votes.vote(pair.id, "same")
    (found,) = votes.tallies()
    assert (found.first, found.second) == ("musicnn", "vgg_genre")
    assert (found.for_first, found.for_second, found.same) == (0, 40, 1)
    assert found.share == 0.0


def test_wilson_interval_matches_published() -> None:
    """Newcombe (1998, "Two-sided confidence intervals for the single proportion"), table I."""
    for wins, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        found = tally("a", "b", wins, n - wins, 7)
        assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)
        assert found.share == pytest.approx(wins / n)
    nothing = tally("a", "b", 0, 0, 3)
    assert (nothing.share, nothing.low, nothing.high) == (None, 0.0, 1.0)


@given(st.integers(0, 500), st.integers(0, 500))
def test_interval_contains_share_and_is_symmetric(first: int, second: int) -> None:
    found, turned = tally("a", "b", first, second, 0), tally("a", "b", second, first, 0)
    assert 0.0 <= found.low <= found.high <= 1.0
    assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low))
    if found.share is not None:
        assert found.low - 1e-9 <= found.share <= found.high + 1e-9


def test_reset_keeps_old_votes(votes: Votes) -> None:
    before = votes.deal("0102", NAMES)
    late = votes.deal("0235", NAMES)
    votes.vote(before.id, "left")
    votes.reset()
    assert votes.count() == 0
    assert votes.tallies() == []
    votes.vote(votes.deal("0102", NAMES).id, "right")
    # What was shown before the reset belongs to the round in which it was shown.
    votes.vote(late.id, "same")
    assert votes.count() == 1
    assert sorted(row["round"] for row in rows(votes)) == ["1", "1", "2"]


def test_export_is_complete(votes: Votes) -> None:
    pair = votes.deal("0102", NAMES)
    votes.deal("0235", NAMES)
    votes.vote(pair.id, "same")
    (row,) = rows(votes)
    assert tuple(row) == COLUMNS
    assert (row["pair"], row["query"], row["left"], row["right"]) == (
        pair.id,
        "0102",
        pair.left,
        pair.right,
    )
    assert row["choice"] == EQUAL
    assert row["dealt_at"] <= row["voted_at"]


def test_several_objects_share_one_file(votes: Votes) -> None:
    pair = votes.deal("0102", NAMES)
    assert Votes(votes.path, LIBRARY).vote(pair.id, "left")
    assert not votes.vote(pair.id, "left")


def test_libraries_are_counted_separately(votes: Votes) -> None:
    others = Votes(votes.path, OTHER)
    votes.vote(votes.deal("0102", NAMES).id, "left")
    for _ in range(2):
        others.vote(others.deal("0102", NAMES).id, "right")
    assert (votes.count(), others.count()) == (1, 2)
    assert sum(found.for_first + found.for_second for found in votes.tallies()) == 1
    assert sorted(row["library"] for row in rows(votes)) == [OTHER, OTHER, LIBRARY]
    others.reset()
    assert (votes.count(), others.count()) == (1, 0)
    assert Votes(votes.path, LIBRARY).count() == 1


def test_votes_without_library_are_only_exported(tmp_path: Path) -> None:
    path = tmp_path / "votes.sqlite"
    with sqlite3.connect(path) as database:
        database.executescript(
            "CREATE TABLE pairs (pair TEXT PRIMARY KEY, round INTEGER NOT NULL, query TEXT NOT NULL, "
            "left TEXT NOT NULL, right TEXT NOT NULL, choice TEXT, "
            "dealt_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, voted_at TEXT) STRICT;"
            "CREATE TABLE rounds (round INTEGER PRIMARY KEY, "
            "began_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) STRICT;"
            "INSERT INTO rounds (round) VALUES (1), (2);"
            "INSERT INTO pairs (pair, round, query, left, right, choice, voted_at) "
            "VALUES ('old', 2, '0102', 'musicnn', 'vgg_mel', 'left', '2026-01-01 00:00:00');"
        )
    votes = Votes(path, LIBRARY)
    assert votes.count() == 0
    votes.vote(votes.deal("0102", NAMES).id, "same")
    assert votes.count() == 1
    assert [(row["library"], row["round"]) for row in rows(votes)] == [("", "2"), (LIBRARY, "3")]


VOTER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from soundalike.evaluation.listening_test import Votes
votes = Votes(Path(sys.argv[1]), "fingerprint")
with ThreadPoolExecutor(4) as pool:
    counted = list(pool.map(lambda pair: votes.vote(pair, "left"), sys.argv[2:]))
print(sum(counted))
"""


def test_concurrent_votes(votes: Votes) -> None:
    """Two processes of four threads each answer the same 300 pairs, while this one deals more."""
    pairs = [votes.deal("0102", NAMES).id for _ in range(300)]
    voters = [
        subprocess.Popen(
            [sys.executable, "-c", VOTER, str(votes.path), *order], stdout=subprocess.PIPE, text=True
        )
        for order in (pairs, pairs[::-1])
    ]
    with ThreadPoolExecutor(2) as pool:
        more = list(pool.map(lambda _: votes.deal("0235", NAMES).id, range(50)))
    counted = [int(voter.communicate(timeout=120)[0]) for voter in voters]
    assert sum(counted) == 300
    assert votes.count() == 300
    assert sorted(row["pair"] for row in rows(votes)) == sorted(pairs)
    assert len(set(more)) == 50


def test_invalid_database(tmp_path: Path) -> None:
    path = tmp_path / "votes.sqlite"
    path.write_text("This is not a database, but it is longer than its header would be." * 3)
    with pytest.raises(VotesError, match="SOUNDALIKE_VOTES"):
        Votes(path, LIBRARY)
    assert path.read_text().startswith("This is not")


def test_uncreatable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(VotesError, match="can't be stored"):
        Votes(tmp_path / "file" / "votes.sqlite", LIBRARY)


def test_locked_database(votes: Votes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundalike.evaluation.listening_test._WAIT_S", 0.05)
    holder = sqlite3.connect(votes.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(VotesError, match="locked"):
        votes.deal("0102", NAMES)
    holder.execute("ROLLBACK")
    holder.close()
    assert votes.deal("0102", NAMES)


def test_a_spreadsheet_computes_nothing_of_the_votes(votes: Votes) -> None:
    pair = votes.deal("=1+2", NAMES)
    votes.vote(pair.id, "left")
    (row,) = rows(votes)
    assert row["query"] == "'=1+2"
    assert row["pair"] == pair.id


def test_a_vote_takes_as_long_as_listening(tmp_path: Path) -> None:
    votes = Votes(tmp_path / "votes.sqlite", LIBRARY, least_s=LEAST_S)
    early, late = votes.deal("0102", NAMES), votes.deal("0102", NAMES)
    with sqlite3.connect(votes.path) as database:
        database.execute(
            "UPDATE pairs SET dealt_at = datetime('now', ?) WHERE pair = ?",
            (f"-{LEAST_S} seconds", late.id),
        )
    with pytest.raises(TooSoonError, match="Listen to both playlists first"):
        votes.vote(early.id, "left")
    assert votes.vote(late.id, "left")
    assert not votes.vote("made up", "left")
    assert votes.count() == 1


def test_pairs_without_an_answer_do_not_stay(votes: Votes) -> None:
    skipped, answered, kept = (votes.deal("0102", NAMES) for _ in range(3))
    old = [votes.deal("0102", NAMES).id for _ in range(5)]
    votes.vote(answered.id, "left")
    votes.discard(skipped.id)
    votes.discard(answered.id)
    with sqlite3.connect(votes.path) as database:
        database.execute(
            "UPDATE pairs SET dealt_at = datetime('now', ?) WHERE pair != ?",
            (f"-{UNANSWERED_DAYS + 1} days", kept.id),
        )
    last = votes.deal("0102", NAMES)
    with sqlite3.connect(votes.path) as database:
        left = {str(row[0]) for row in database.execute("SELECT pair FROM pairs")}
        plan = database.execute(
            "EXPLAIN QUERY PLAN DELETE FROM pairs WHERE choice IS NULL AND dealt_at < ''"
        ).fetchone()
    assert left == {answered.id, kept.id, last.id}
    assert not votes.vote(old[0], "left")
    assert "unanswered" in str(plan)
