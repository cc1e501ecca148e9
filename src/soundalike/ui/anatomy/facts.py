"""A clip's descriptors in plain language: each value and what it means."""

from __future__ import annotations

from typing import NamedTuple

from soundalike.analysis.clip_analysis import Facts
from soundalike.features.descriptors import Key, Tempo

STEADY, LOOSE = 0.4, 0.15
"""Pulse regularity: at least `STEADY` is a steady tempo, less than `LOOSE` is a guess."""
FITTING = 0.5
"""Minimum correlation for naming a key."""
CLEAR, CLOSE = 0.1, 0.03
"""Margin over the next key: at least `CLEAR` is a clear choice, less than `CLOSE` is a tie."""


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
            "The spectral centroid, the spectrum's centre of mass, as a median over time. Music below "
            "about 1,000 Hz sounds dark; cymbals and noise push it above 3,000.",
        ),
    ]


def _tempo(tempo: Tempo | None) -> Fact:
    if tempo is None:
        return Fact("Tempo", "None", "This clip has no onsets, so there is no pulse to measure.")
    if tempo.clarity < LOOSE:
        trust = "We found no steady pulse, so this is a guess"
    elif tempo.clarity < STEADY:
        trust = "The pulse is loose, so treat this with care"
    else:
        trust = "The pulse is steady"
    return Fact(
        "Tempo",
        f"{tempo.bpm:.0f} BPM",
        f"Beats per minute. {trust} (regularity {tempo.clarity:.2f} of 1). Half or double this tempo "
        "may feel just as natural.",
    )


def _key(key: Key | None) -> Fact:
    if key is None:
        return Fact("Key", "None", "All twelve notes are equally strong, so no key stands out.")
    if key.correlation < FITTING:
        return Fact(
            "Key",
            "Unclear",
            f"Even the best fit, {key.name}, is weak (correlation {key.correlation:.2f} of 1). Drums, "
            "noise or changing harmony can hide the key.",
        )
    best = f"The notes fit this key best (correlation {key.correlation:.2f} of 1)"
    following = f"{key.second} ({key.second_correlation:.2f})"
    if key.margin < CLOSE:
        return Fact("Key", key.name, f"{best}, but {following} fits nearly as well.")
    choice = "clear" if key.margin >= CLEAR else "likely"
    return Fact("Key", key.name, f"{best}. Next is {following}, so this is a {choice} choice.")


def _loudness(loudness: float | None, stereo: bool) -> Fact:
    if loudness is None:
        return Fact("Loudness", "Below −70 LUFS", "Too quiet for the standard's loudness measure.")
    channels = "both channels together" if stereo else "as one channel"
    return Fact(
        "Loudness",
        f"{loudness:.1f} LUFS".replace("-", "−"),
        f"Perceived loudness of the clip, by ITU-R BS.1770, {channels}. Streaming services play at "
        "about −14 to −16; the starter library's clips were set to about −16.",
    )
