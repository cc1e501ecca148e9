"""Ranges in a text: "100 to 130 BPM", "no faster than 90 bpm", "over 2 minutes", "1:30 or longer"."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

_MORE = (
    *("over", "above", "more than", "longer than", "faster than", "greater than", "higher than"),
    *("at least", "minimum", "from", ">=", "≥", ">"),
)
_LESS = (
    *("under", "below", "less than", "shorter than", "slower than", "fewer than", "lower than"),
    *("at most", "up to", "maximum", "max", "<=", "≤", "<"),
)
_ONWARD = ("more", "longer", "faster", "above", "over", "higher", "up")
_DOWNWARD = ("less", "shorter", "slower", "below", "under", "lower", "down")

_NUMBER = r"\d{1,4}(?:\.\d{1,3})?"
_BEATS = r"\s*(?:bpm|beats per minute)"
_TIMES = r"\s*(?:seconds?|secs?|s|minutes?|mins?|m|hours?|h)"
_CLOCK = r"\d{1,3}:\d{2}"
_SECONDS = {"s": 1, "m": 60, "h": 3_600}


@dataclass(frozen=True)
class Span:
    """A range of a quantity, including its ends; empty if `low` is above `high`."""

    low: float = 0.0
    high: float = math.inf

    def __and__(self, other: Span) -> Span:
        """What lies in both."""
        return Span(max(self.low, other.low), min(self.high, other.high))

    def described(self, written: Callable[[float], str]) -> str:
        """The range in words, with its ends as `written` formats them."""
        low, high = (written(end) if math.isfinite(end) else "" for end in (self.low, self.high))
        if self.low > self.high:
            return f"at least {low} and at most {high}"
        if not high:
            return f"at least {low}"
        return f"{low} to {high}" if self.low > 0 else f"at most {high}"


ANY = Span()


def take_tempos(text: str) -> tuple[str, Span]:
    """Take the ranges of tempo out of a lower-case text: the rest, and their common part (BPM)."""
    return _take(text, _pattern(_NUMBER + _BEATS, _NUMBER), lambda number, _: _leading(number))


def take_lengths(text: str) -> tuple[str, Span]:
    """Take the ranges of length out of a lower-case text: the rest, and their common part (s)."""
    return _take(text, _pattern(f"(?:{_CLOCK}|{_NUMBER}{_TIMES})", f"(?:{_CLOCK}|{_NUMBER})"), _seconds)


def _pattern(value: str, number: str) -> str:
    """A regular expression for ranges of a value, whose first end may be a number without a unit."""
    to = r"\s*(?:to|and|-|–|—)\s*"
    more, less, onward, downward = map(_any, (_MORE, _LESS, _ONWARD, _DOWNWARD))
    forms = (
        rf"(?:between\s+|from\s+)?(?P<low>{value}|{number}){to}(?P<high>{value})",
        rf"(?P<negation>(?:not|no)\s+)?(?:(?P<more>{more})|{less})\s*(?P<limit>{value})",
        rf"(?P<bound>{value})\s+(?:or|and)\s+(?:(?P<onward>{onward})|{downward})",
    )
    return rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)"


def _any(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(words)})"


def _take(text: str, pattern: str, number: Callable[[str, str], float]) -> tuple[str, Span]:
    whole = ANY

    def take(found: re.Match[str]) -> str:
        nonlocal whole
        whole &= _span(found, number)
        # A comma ends a negation that stands before the range.
        return " , "

    rest = re.sub(pattern, take, text)
    return rest, whole


def _span(found: re.Match[str], number: Callable[[str, str], float]) -> Span:
    part = found.groupdict()
    if part["low"]:
        low, high = number(part["low"], part["high"]), number(part["high"], "")
        return Span(min(low, high), max(low, high))
    if part["bound"]:
        limit, is_least = number(part["bound"], ""), bool(part["onward"])
    else:
        limit, is_least = number(part["limit"], ""), bool(part["more"]) != bool(part["negation"])
    return Span(low=limit) if is_least else Span(high=limit)


def _leading(text: str) -> float:
    return float(re.findall(_NUMBER, text)[0])


def _seconds(text: str, unit_of: str) -> float:
    """Seconds of a length; one without a unit has that of another, or minutes."""
    minutes, colon, seconds = text.partition(":")
    if colon:
        return 60.0 * int(minutes) + int(seconds)
    units = re.findall(r"[smh]", text) or re.findall(r"[smh]", unit_of) or ["m"]
    return _leading(text) * _SECONDS[units[0]]
