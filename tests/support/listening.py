"""Listening data of which the truth is known: how bright a sound is decides who plays it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import butter, sosfilt


def brightness_of(tracks: int, seed: int = 0) -> np.ndarray:
    """How bright each track is, from 0 to 1."""
    return np.random.default_rng(seed).uniform(0, 1, tracks)


def plays_of(brightness: np.ndarray, users: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A table of user, track and plays, and how popular each track was made.

    Each user likes one brightness, and plays the more of a track the nearer it is and the more
    popular; popularity has nothing to do with brightness.
    """
    rng = np.random.default_rng(seed)
    popularity = rng.lognormal(0, 1, len(brightness))
    taste = rng.uniform(0, 1, users)
    distance = (brightness[np.newaxis] - taste[:, np.newaxis]) / 0.12
    counts = rng.poisson(3 * np.exp(-(distance**2)) * popularity)
    user, track = np.nonzero(counts)
    table = pd.DataFrame(
        {
            "user": [f"u{i}" for i in user],
            "track": [track_id(i) for i in track],
            "plays": counts[user, track].astype(float),
        }
    )
    return table, popularity


def track_id(number: int) -> str:
    return f"{number:03d}"


def sound(brightness: float, seed: int, seconds: float = 3.2, sample_rate: int = 22_050) -> np.ndarray:
    """A band of noise around 200 Hz for 0 to 6,400 Hz for 1, at a level of its own."""
    rng = np.random.default_rng(seed)
    centre = 200 * 2 ** (5 * brightness)
    edges = (centre / 1.3, centre * 1.3)
    band = butter(2, edges, "bandpass", fs=sample_rate, output="sos")
    noise = sosfilt(band, rng.normal(size=int(seconds * sample_rate)))
    return (rng.uniform(0.25, 1) * noise / np.abs(noise).max()).astype(np.float32)


def nearness(brightness: np.ndarray) -> np.ndarray:
    """How near every two tracks are in brightness, the nearer the larger [shape=(n, n)]."""
    return -np.abs(brightness[:, np.newaxis] - brightness[np.newaxis])


def write(folder: Path, plays: pd.DataFrame) -> Path:
    path = folder / "plays.csv"
    plays.to_csv(path, index=False)
    return path
