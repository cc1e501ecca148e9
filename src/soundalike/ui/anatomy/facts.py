"""A clip's descriptors in plain language: what was measured, and what it means."""

from __future__ import annotations

from typing import NamedTuple

from soundalike.analysis.clip_analysis import Facts
from soundalike.features.descriptors import Key, Tempo

STEADY, LOOSE = 0.4, 0.15
"""Regularity of the pulse from which a tempo counts as steady, and below which as a guess."""
FITTING = 0.5
"""Correlation below which no key is named."""
CLEAR, CLOSE = 0.1, 0.03
"""Lead over the next key from which the choice is clear, and below which both are as likely."""


class Fact(NamedTuple):
    """A label, a value with its unit, and what it means."""

    label: str
    value: str
    meaning: str


def facts(measured: Facts) -> list[Fact]:
    """Tempo, key, loudness and brightness."""
    return [
        _tempo(measured.tempo),
        _key(measured.key),
        _loudness(measured.loudness, measured.stereo),
        Fact(
            "Brightness",
            f"{measured.centroid:,.0f} Hz",
            "The spectral centroid, where the spectrum balances, as a median over time. Below about "
            "1,000 Hz music sounds dark; cymbals and noise carry it above 3,000.",
        ),
    ]


def _tempo(tempo: Tempo | None) -> Fact:
    if tempo is None:
        return Fact("Tempo", "None", "Nothing in this clip begins anew, so there is no pulse to count.")
    if tempo.clarity < LOOSE:
        trust = "No steady pulse was found, so take it as a guess"
    elif tempo.clarity < STEADY:
        trust = "The pulse is loose, so take it with care"
    else:
        trust = "The pulse is steady"
    return Fact(
        "Tempo",
        f"{tempo.bpm:.0f} BPM",
        f"Beats a minute. {trust} (regularity {tempo.clarity:.2f} of 1). Half or double of it may feel "
        "as right.",
    )


def _key(key: Key | None) -> Fact:
    if key is None:
        return Fact("Key", "None", "All twelve notes are equally strong, so no key stands out.")
    if key.correlation < FITTING:
        return Fact(
            "Key",
            "Unclear",
            f"Even the best fit, {key.name}, is weak (correlation {key.correlation:.2f} of 1): drums, "
            "noise or wandering harmony leave no single key.",
        )
    best = f"Its notes fit this key best (correlation {key.correlation:.2f} of 1)"
    following = f"{key.second} ({key.second_correlation:.2f})"
    if key.margin < CLOSE:
        return Fact("Key", key.name, f"{best}, but {following} fits nearly as well.")
    choice = "clear" if key.margin >= CLEAR else "likely"
    return Fact("Key", key.name, f"{best}; next comes {following}, so this is a {choice} choice.")


def _loudness(loudness: float | None, stereo: bool) -> Fact:
    if loudness is None:
        return Fact("Loudness", "Below −70 LUFS", "Too quiet for the standard's measure of loudness.")
    channels = "both channels together" if stereo else "as one channel"
    return Fact(
        "Loudness",
        f"{loudness:.1f} LUFS".replace("-", "−"),
        f"Loudness as heard over the clip, by ITU-R BS.1770, {channels}. Streaming services play near "
        "−14 to −16; the starter library's clips were set to about −16.",
    )
