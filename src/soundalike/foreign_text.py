"""Text that others wrote, such as titles, tags and file names, made harmless where it goes.

It may hold anything. A terminal obeys escape sequences, and a spreadsheet computes what looks like a
formula. The app's Markdown is `ui.components.plain`'s concern.
"""

from __future__ import annotations

import re
import unicodedata

_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks that turn the writing direction, also that of the text after them."""
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_SKIN_TONES = "".join(map(chr, range(0x1F3FB, 0x1F400)))
_NOT_IN_JSON = re.compile(f"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff{_DIRECTIONS}]")
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""The beginning of a cell that spreadsheets may compute, with the apostrophes before it."""


def printable(text: object) -> str:
    """Text as one line of which a terminal obeys nothing.

    Control characters, line breaks, bytes that aren't UTF-8, and marks that turn the writing direction
    are shown as "�". The rest stays as it is.
    """
    whole = str(text)
    if whole.isprintable():
        return whole
    return "".join("\ufffd" if _is_obeyed(character) else character for character in whole)


def printable_json(text: str) -> str:
    """JSON of the same content, with escapes for what `printable` replaces."""
    return _NOT_IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def shortened(text: str, longest: int) -> str:
    """Text of at most so many characters, with "…" for what was cut off.

    Nothing that is drawn as one sign is cut in two: an emoji of several characters, a flag, or a letter
    with its accents.
    """
    if len(text) <= longest:
        return text
    end = longest - 1
    while end > 0 and _continues(text, end):
        end -= 1
    return f"{text[:end].rstrip()}…"


def to_cell(text: str) -> str:
    """Text for a cell of a CSV file: an apostrophe goes before what could be a formula.

    This is what OWASP recommends ("CSV injection"). An apostrophe also goes before apostrophes that
    precede such a character, so `from_cell` gives back every text as it was.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def from_cell(text: str) -> str:
    """The text that `to_cell` wrote."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _continues(text: str, place: int) -> bool:
    """Whether a character belongs to the sign before it (an approximation of Unicode's UAX #29)."""
    character = text[place]
    if character in _FLAG_LETTERS:
        before = len(text[:place]) - len(text[:place].rstrip(_FLAG_LETTERS))
        return before % 2 == 1
    joined = "\u200d" in (character, text[place - 1]) or character in _SKIN_TONES
    return joined or unicodedata.category(character) in ("Mn", "Me", "Mc")


def _is_obeyed(character: str) -> bool:
    """Whether a terminal would act on a character, or could not show it."""
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Zl", "Zp") or character in _DIRECTIONS or character == "\ufeff"
