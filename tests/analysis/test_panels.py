"""Panels: values read from them match the measurements."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.analysis import panels
from soundalike.analysis.panels import Panel
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.features import spectral


@pytest.fixture(scope="module")
def tone() -> Clip:
    """440 Hz, twice as loud from 3 to 4 s."""
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    level = np.where((time >= 3) & (time < 4), 0.5, 0.25)
    return Clip((level * np.sin(2 * np.pi * 440 * time)).astype(np.float32))


@pytest.fixture(scope="module")
def drawn(tone: Clip) -> dict[str, Panel]:
    return {panel.name: panel for panel in panels.main(tone, spectral.chroma(tone))} | {
        name: panels.front_end(name, tone) for name in panels.FRONT_ENDS
    }


def values(panel: Panel) -> np.ndarray:
    """What a visitor reads: levels back in units."""
    return panel.low + panel.values / panel.largest * (panel.high - panel.low)


@pytest.mark.parametrize("name", [*panels.MAIN, *panels.FRONT_ENDS])
def test_rows_ticks_and_values_are_consistent(drawn: dict[str, Panel], name: str) -> None:
    panel = drawn[name]
    assert len(panel.rows) == len(panel.values)
    assert panel.values.shape[1] == 6 * SAMPLE_RATE // 512 + 1
    places = [place for place, _ in panel.ticks]
    assert places == sorted(places)
    assert len(places) >= 4
    assert min(places) >= -0.5
    assert max(places) <= len(panel.rows) - 0.5
    assert panel.summary.endswith(".")


@pytest.mark.parametrize(
    ("name", "compute", "tolerance"),
    [
        ("mel", spectral.mel_spectrogram, 0.251),
        ("mfcc", spectral.mfcc, 0.026),
        ("chroma", spectral.chroma, 0.002),
    ],
)
def test_levels_round_trip(drawn, tone, name, compute, tolerance) -> None:
    np.testing.assert_allclose(values(drawn[name]), compute(tone), atol=tolerance)


@pytest.mark.parametrize(
    ("name", "step"),
    [("mfcc", 0.05), ("mfcc_standardised", 0.05), ("chroma_standardised", 0.05)]
    + [(name, 0.5) for name in ("mel", *panels.FRONT_ENDS)],
)
def test_quantisation_step(drawn, name, step) -> None:
    panel = drawn[name]
    assert (panel.high - panel.low) / panel.largest == pytest.approx(step)
    assert panel.values.max() <= panel.largest


def test_standardised_values_are_clipped(drawn, tone) -> None:
    panel = drawn["mfcc_standardised"]
    expected = np.clip(spectral.standardise(spectral.mfcc(tone)), panel.low, panel.high)
    np.testing.assert_allclose(values(panel), expected, atol=0.026)
    assert panel.open_ended
    assert panel.diverging


@pytest.mark.parametrize("name", ["mel", "gammatone", "wavelet"])
def test_strongest_row_is_near_440_hz(drawn, name) -> None:
    panel = drawn[name]
    row = int(panel.values.mean(axis=1).argmax())
    frequency = float(panel.rows[row].replace(",", "").split()[-2])
    assert frequency == pytest.approx(440, rel=0.04)
    assert panel.rows[row] in panel.summary


def test_strongest_bark_band_contains_440_hz(drawn) -> None:
    panel = drawn["bark"]
    assert panel.rows[int(panel.values.mean(axis=1).argmax())] == "400 to 510 Hz"


def test_the_scalogram_names_its_notes(drawn) -> None:
    rows = drawn["wavelet"].rows
    assert (rows[0], rows[45], rows[95]) == ("C1, 33 Hz", "A4, 440 Hz", "B8, 7,902 Hz")


def test_440_hz_sine_has_chroma_a(drawn) -> None:
    panel = drawn["chroma"]
    assert panel.rows[int(panel.values[:, 20:-20].mean(axis=1).argmax())] == "A"
    assert panel.summary.startswith("Strongest on average are A")


def test_summary_mentions_loud_moment(drawn) -> None:
    moment = float(drawn["mel"].summary.split("moment is at ")[1].split(" s")[0])
    assert 2.9 <= moment <= 4.1


def test_tick_positions(drawn) -> None:
    for name in ("mel", "gammatone", "wavelet"):
        places = {label: place for place, label in drawn[name].ticks}
        rows = [float(row.replace(",", "").split()[-2]) for row in drawn[name].rows]
        assert np.interp(places["1 kHz"], np.arange(len(rows)), rows) == pytest.approx(1_000, rel=0.01)
    # 1,000 Hz is half-way from 920 to 1,080 Hz, the limits of row 8.
    assert {label: place for place, label in drawn["bark"].ticks}["1 kHz"] == pytest.approx(8.0)


@pytest.mark.parametrize(("largest", "kind"), [(160, np.uint8), (255, np.uint8), (65_535, np.uint16)])
def test_quantising_uses_the_whole_range_and_no_more(largest, kind) -> None:
    matrix = np.array([[-9.0, -1.0, 0.0, 1.0, 9.0]], np.float32)
    levels = panels.quantise(matrix, -1.0, 1.0, largest)
    assert levels.dtype == kind
    assert levels.tolist() == [[0, 0, round(largest / 2), largest, largest]]


def test_quantise_constant_matrix() -> None:
    assert not panels.quantise(np.zeros((2, 3), np.float32), 0.0, 0.0, 255).any()
