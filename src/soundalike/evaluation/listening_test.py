"""Votes of a blind listening test, in an embedded database shared by many sessions.

A voter sees two playlists for one track, made by two representations, unnamed and in random order, and
says which sounds more alike. `deal` records a pair before it is shown; `vote` counts at most one answer
per pair, however often it is called, and none sooner than somebody could have listened. Pairs that are
skipped or stay without an answer are deleted. A reset starts a new round and deletes no vote. Each round
belongs to one library, identified by its fingerprint, so votes on different music are never combined.
Votes from versions that didn't record the library are only exported.

The database is SQLite in write-ahead mode: readers never wait, and writers, each in one short
transaction, wait for each other. For two representations, we report the share of votes for the first
among those with a preference, with its 95 % Wilson interval ("Probable inference, the law of succession,
and statistical inference", JASA 22, 1927), which is valid for few votes too.
"""

from __future__ import annotations

import csv
import io
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from soundalike.errors import InputError, VotesError
from soundalike.foreign_text import to_cell

CHOICES = ("left", "right", "same")
"""Possible answers: one of the two playlists, or no difference."""
EQUAL = "equally alike"
"""The answer "same" in the exported table, as the page calls it."""
COLUMNS = ("library", "round", "pair", "query", "left", "right", "choice", "dealt_at", "voted_at")
"""Columns of the exported table; times are UTC, and the library is its fingerprint."""

LEAST_S = 5
"""Seconds from showing a pair to the earliest vote; listening to two playlists takes longer."""
UNANSWERED_DAYS = 2
"""Days after which a pair without an answer is deleted."""

_WAIT_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pairs (
    pair TEXT PRIMARY KEY,
    round INTEGER NOT NULL,
    query TEXT NOT NULL,
    left TEXT NOT NULL,
    right TEXT NOT NULL,
    choice TEXT CHECK (choice IN ('left', 'right', 'same')),
    dealt_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    voted_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS rounds (
    round INTEGER PRIMARY KEY,
    began_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    library TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS unanswered ON pairs (dealt_at) WHERE choice IS NULL;
"""
_THIS_ROUND = "(SELECT MAX(round) FROM rounds WHERE library = ?)"
_NEXT_ROUND = "INSERT INTO rounds (round, library) SELECT COALESCE(MAX(round), 0) + 1, ? FROM rounds"


class TooSoonError(InputError):
    """A vote that is cast before anybody could have listened."""


@dataclass(frozen=True)
class Pair:
    """Two representations to choose between, in the order shown.

    Attributes
    ----------
    id : unguessable, and the only part that the browser receives
    query : id of the track whose playlists are shown
    """

    id: str
    query: str
    left: str
    right: str


@dataclass(frozen=True)
class VoteCount:
    """Vote counts for two representations.

    Attributes
    ----------
    first, second : names, in alphabetical order
    for_first, for_second, same : number of votes
    share : share for the first, of the votes with a preference; None without any
    low, high : 95 % interval of the share; 0 and 1 without any
    """

    first: str
    second: str
    for_first: int
    for_second: int
    same: int
    share: float | None
    low: float
    high: float


class Votes:
    """The votes on a library in a database file; file and folder are created if missing.

    Parameters
    ----------
    path : the database file
    library : fingerprint of the library; votes on other libraries in the file are left alone
    least_s : seconds from `deal` to the earliest vote, see `LEAST_S`

    Raises
    ------
    VotesError
        Here and in every method, if the file is unusable.
    """

    def __init__(self, path: Path, library: str, least_s: float = 0.0) -> None:
        self.path = path
        self.library = library
        self.least_s = least_s
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        with self._open() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)
        with self._write() as database:
            columns = {str(row[1]) for row in database.execute("PRAGMA table_info(rounds)")}
            if "library" not in columns:
                database.execute("ALTER TABLE rounds ADD COLUMN library TEXT NOT NULL DEFAULT ''")
            begun = database.execute("SELECT 1 FROM rounds WHERE library = ?", (library,)).fetchone()
            if begun is None:
                database.execute(_NEXT_ROUND, (library,))

    def deal(self, query: str, names: Sequence[str], *, shuffled: bool = True) -> Pair:
        """Draw two representations in random order, and record them as shown for a track.

        Parameters
        ----------
        query : id of the track
        names : representations
        shuffled : False for the first two in the given order, in which a whole room sees them

        Raises
        ------
        ValueError
            If there are fewer than two different names.
        """
        different = sorted(set(names)) if shuffled else list(dict.fromkeys(names))
        if len(different) < 2:
            raise ValueError("a blind test needs two representations")
        left, right = secrets.SystemRandom().sample(different, 2) if shuffled else different[:2]
        pair = Pair(secrets.token_hex(12), query, left, right)
        with self._write() as database:
            database.execute(
                "DELETE FROM pairs WHERE choice IS NULL AND dealt_at < datetime('now', ?)",
                (f"-{UNANSWERED_DAYS} days",),
            )
            database.execute(
                "INSERT INTO pairs (pair, round, query, left, right) "
                f"VALUES (?, {_THIS_ROUND}, ?, ?, ?)",
                (pair.id, self.library, query, left, right),
            )
        return pair

    def discard(self, pair_id: str) -> None:
        """Delete a pair that was skipped; a pair with an answer stays."""
        with self._write() as database:
            database.execute("DELETE FROM pairs WHERE pair = ? AND choice IS NULL", (pair_id,))

    def vote(self, pair_id: str, choice: str) -> bool:
        """Count an answer; False if the pair is unknown or was already answered.

        Raises
        ------
        ValueError
            If the choice is not one of `CHOICES`.
        TooSoonError
            If the pair was dealt less than `least_s` ago.
        """
        if choice not in CHOICES:
            raise ValueError(f"choice must be one of {', '.join(CHOICES)}, not {choice!r}")
        with self._write() as database:
            if self.least_s and self._age(database, pair_id) < self.least_s:
                raise TooSoonError(
                    f"Listen to both playlists first. A vote counts {self.least_s:g} seconds after its "
                    "pair appeared."
                )
            changed = database.execute(
                "UPDATE pairs SET choice = ?, voted_at = CURRENT_TIMESTAMP "
                "WHERE pair = ? AND choice IS NULL",
                (choice, pair_id),
            )
            return changed.rowcount == 1

    def _age(self, database: sqlite3.Connection, pair_id: str) -> float:
        """Seconds since a pair was dealt, to the second; infinite for an unknown pair."""
        found = database.execute(
            "SELECT (julianday('now') - julianday(dealt_at)) * 86400 FROM pairs WHERE pair = ?",
            (pair_id,),
        ).fetchone()
        return float("inf") if found is None else float(found[0])

    def count(self) -> int:
        """Number of votes in the library's current round."""
        with self._open() as database:
            found = database.execute(
                f"SELECT COUNT(choice) FROM pairs WHERE round = {_THIS_ROUND}", (self.library,)
            ).fetchone()
        return int(found[0])

    def tallies(self) -> list[VoteCount]:
        """Votes of this round, for every pair of representations that was voted on."""
        with self._open() as database:
            rows = database.execute(
                "SELECT left, right, choice, COUNT(*) FROM pairs WHERE choice IS NOT NULL "
                f"AND round = {_THIS_ROUND} GROUP BY left, right, choice",
                (self.library,),
            ).fetchall()
        counts: dict[tuple[str, str], dict[str, int]] = {}
        for left, right, choice, number in rows:
            first, second = sorted((left, right))
            winner = {"left": left, "right": right, "same": "same"}[choice]
            votes = counts.setdefault((first, second), {first: 0, second: 0, "same": 0})
            votes[winner] += number
        return [
            tally(first, second, votes[first], votes[second], votes["same"])
            for (first, second), votes in sorted(counts.items())
        ]

    def reset(self) -> None:
        """Begin a new round for the library; existing votes stay in the file and are exported."""
        with self._write() as database:
            database.execute(_NEXT_ROUND, (self.library,))

    def export(self) -> str:
        """Export every vote of every round and library as CSV, with the columns `COLUMNS`."""
        columns = ", ".join(COLUMNS)
        with self._open() as database:
            rows = database.execute(
                f"SELECT {columns} FROM pairs JOIN rounds USING (round) WHERE choice IS NOT NULL "
                "ORDER BY voted_at, pair"
            ).fetchall()
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        place = COLUMNS.index("choice")
        for row in rows:
            choice = EQUAL if row[place] == "same" else row[place]
            named = [*row[:place], choice, *row[place + 1 :]]
            writer.writerow([to_cell(str(value or "")) for value in named])
        return text.getvalue()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            # A new connection each time: connections cannot be shared between threads.
            with closing(sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)) as database:
                yield database
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                # After a full disk, SQLite has already rolled everything back.
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    def _unusable(self, error: Exception) -> VotesError:
        return VotesError(
            f"Votes can't be stored in {self.path} ({error}). Set SOUNDALIKE_VOTES to another file."
        )


def tally(first: str, second: str, for_first: int, for_second: int, same: int) -> VoteCount:
    """Vote counts for two representations, with the share for the first and its interval."""
    decided = for_first + for_second
    if not decided:
        return VoteCount(first, second, for_first, for_second, same, None, 0.0, 1.0)
    from scipy import stats

    interval = stats.binomtest(for_first, decided).proportion_ci(0.95, method="wilson")
    share = for_first / decided
    return VoteCount(
        first, second, for_first, for_second, same, share, float(interval.low), float(interval.high)
    )
