"""Progress of a run over a library's files: how many are done, how fast, and the time that is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soundalike.indexing.ingest import Event

_REPORT_S = 30.0


class ProgressCount:
    """Progress of a run.

    Parameters
    ----------
    total : number of files to process

    Attributes
    ----------
    taken, known, skipped : number of files so far, by outcome
    rate : files processed per second, on average
    """

    def __init__(self, total: int) -> None:
        self.taken = self.known = self.skipped = 0
        self.rate = 0.0
        self._total = total
        self._began: float | None = None
        self._last_report: float | None = None

    @property
    def done(self) -> int:
        """Number of files so far."""
        return self.taken + self.known + self.skipped

    @property
    def left(self) -> float | None:
        """Seconds until the run ends, at the rate so far; None if there is no rate yet."""
        return (self._total - self.done) / self.rate if self.rate else None

    def count(self, event: Event, now: float) -> str:
        """Count a file; return a progress line if one is due, otherwise ""."""
        self._began = self._began if self._began is not None else now
        self._last_report = self._last_report if self._last_report is not None else now
        self.taken += event.kind == "taken"
        self.known += event.kind == "known"
        self.skipped += event.kind == "skipped"
        if now > self._began:
            self.rate = self.taken / (now - self._began)
        if now - self._last_report < _REPORT_S:
            return ""
        self._last_report = now
        return self._line()

    def _line(self) -> str:
        parts = [f"{self.done:,} of {self._total:,} files", f"{self.rate:.1f} a second"]
        if self.left is not None:
            parts.append(f"{duration(self.left)} left")
        if self.skipped:
            parts.append(f"{self.skipped:,} skipped")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """A time for people to read."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
