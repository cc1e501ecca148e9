from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from soundalike.features import psychoacoustics
from soundalike.ui.about import charts as figures

CARD_FIGURES = {"4 tracks": {"a": 0.5, "b": 0.25}, "2 tracks": {"a": 0.4, "b": 0.3}}


def all_figures() -> dict[str, go.Figure]:
    samples = psychoacoustics.sine(440)
    noise = np.random.default_rng(0).normal(size=66_150).astype(np.float32)
    levels = np.random.default_rng(0).integers(-80, 1, (108, 220)).astype(np.int8)
    steps = psychoacoustics.equal_steps((250.0, 4_000.0), 250, in_mel=True)
    genres = [f"genre {number}" for number in range(12)]
    return {
        "waveform": figures.waveform(samples),
        "spectrum": figures.spectrum(*psychoacoustics.spectrum(samples)),
        "sampling": figures.sampling(6_000, 8_000),
        "folding": figures.folding(6_000, 8_000, 12_000),
        "contours": figures.loudness_contours((20, 40, 60, 80), {1_000: 60, 100: 60}),
        "mel": figures.mel_curve(steps, 11_025),
        "spectrogram": figures.spectrogram(psychoacoustics.spectrogram(noise, 22_050, 8_192, 128)),
        "picture": figures.mel_picture(levels, 30.0),
        "features": figures.features(np.arange(32, dtype=np.float32)),
        "similarities": figures.similarities(noise[:625], 0.9),
        "accuracy": figures.accuracy_bars(CARD_FIGURES),
        "confusion": figures.confusion(genres, np.eye(12, dtype=int).tolist()),
        "counts": figures.counts({"MIT": 3, "CC0-1.0": 1}),
    }


@pytest.mark.parametrize("name", list(all_figures()))
def test_a_figure_is_light_and_lets_a_finger_scroll_past(name: str) -> None:
    figure = all_figures()[name]
    limit = 100_000 if name in ("spectrogram", "picture") else 25_000
    assert len(figure.to_json()) < limit
    assert figure.layout.dragmode is False
    assert figure.layout.xaxis.fixedrange
    assert figure.layout.yaxis.fixedrange
    # Streamlit's theme would take these for its own placeholders and recolour them.
    assert '"#0000' not in json.dumps(json.loads(figure.to_json())["data"])


def test_a_waveform_shows_20_ms() -> None:
    line = figures.waveform(psychoacoustics.sine(440)).data[0]
    assert len(line.x) == 882
    assert line.x[-1] == pytest.approx(20, abs=0.05)
    assert np.abs(line.y).max() == pytest.approx(0.251, abs=1e-3)


def test_samples_lie_on_the_tone_and_on_its_alias() -> None:
    tone, alias, samples = figures.sampling(6_000, 8_000).data
    seconds = np.asarray(samples.x) / 1_000
    assert len(seconds) == 17
    assert samples.y == pytest.approx(np.sin(2 * np.pi * 6_000 * seconds), abs=1e-4)
    assert samples.y == pytest.approx(np.sin(2 * np.pi * -2_000 * seconds), abs=1e-4)
    assert np.interp(samples.x, alias.x, alias.y) == pytest.approx(samples.y, abs=0.01)
    assert len(tone.x) == len(alias.x)


def test_folding_marks_the_tone() -> None:
    line, dot = figures.folding(6_000, 8_000, 12_000).data
    assert (dot.x, dot.y) == ((6_000,), (2_000.0,))
    assert max(line.y) == 4_000
    assert np.interp(dot.x, line.x, line.y) == pytest.approx(dot.y)


def test_contours_are_those_asked_for_above_the_threshold() -> None:
    threshold, *contours, dots = figures.loudness_contours((20, 60), {1_000: 60, 100: 78.65}).data
    assert threshold.name == "threshold"
    assert [contour.name for contour in contours] == ["20 phon", "60 phon"]
    place = list(contours[1].x).index(100)
    assert contours[1].y[place] == pytest.approx(78.65, abs=0.01)
    assert (dots.x, dots.y) == ((1_000, 100), (60, 78.65))


def test_steps_end_on_the_mel_curve() -> None:
    steps = psychoacoustics.equal_steps((250.0, 4_000.0), 250, in_mel=True)
    curve, *drawn = figures.mel_curve(steps, 11_025).data
    for trace in drawn:
        ends = np.interp([trace.x[0], trace.x[-1]], curve.x, curve.y)
        assert ends == pytest.approx([trace.y[0], trace.y[-1]], abs=0.05)
    rises = [trace.y[-1] - trace.y[0] for trace in drawn]
    assert rises[0] == pytest.approx(rises[1])


def test_a_spectrogram_has_its_axes() -> None:
    drawn = psychoacoustics.spectrogram(psychoacoustics.sine(1_000), 44_100, 2_048, 512)
    picture = figures.spectrogram(drawn).data[0]
    row = int(np.asarray(picture.z)[:, 50].argmax())
    assert picture.y0 + row * picture.dy == pytest.approx(1_000, abs=picture.dy)
    assert (picture.zmin, picture.zmax) == (-80, 0)


def test_a_histogram_counts_every_track() -> None:
    values = np.linspace(0.1, 0.9, 625, dtype=np.float32)
    assert sum(figures.similarities(values, 0.9).data[0].y) == 625


def test_accuracy_has_a_group_of_bars_for_each_set_of_labels() -> None:
    bars = figures.accuracy_bars(CARD_FIGURES).data
    assert [group.name for group in bars] == ["4 tracks", "2 tracks"]
    assert list(bars[0].text) == ["50.0%", "25.0%"]


def test_confusion_colours_shares_and_writes_counts() -> None:
    picture = figures.confusion(["Folk", "Jazz"], [[1, 3], [0, 0]]).data[0]
    assert np.asarray(picture.z).tolist() == [[0.25, 0.75], [0, 0]]
    assert np.asarray(picture.text).tolist() == [[1, 3], [0, 0]]


def test_counts_have_the_largest_on_top() -> None:
    assert list(figures.counts({"MIT": 3, "CC0-1.0": 1}).data[0].y) == ["CC0-1.0", "MIT"]
