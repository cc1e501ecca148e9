"""Plotly figures of the About page, a few KB each, without Streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from soundalike.features import psychoacoustics
from soundalike.features.psychoacoustics import Spectrogram
from soundalike.features.spectrogram_image import MAGMA
from soundalike.ui.figures import escaped, named_ticks
from soundalike.ui.palette import COLOURS, Style

BLUE, ORANGE, GREY = COLOURS[1], COLOURS[9], "#8A8A8A"
# Written as rgb(): Streamlit's theme mistakes hexadecimal colours near black for its placeholders.
_MAGMA = [
    [level / 255, f"rgb({red}, {green}, {blue})"]
    for level, (red, green, blue) in zip(range(0, 256, 15), MAGMA[::15].tolist(), strict=True)
]
WAVE_SECONDS = 0.02
SAMPLED_SECONDS = 0.002
_LABEL_HZ = 250.0
"""Frequency at which contours are labelled; labels don't overlap there."""
_HZ_TICKS = {
    "tickvals": [20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000],
    "ticktext": ["20", "50", "100", "200", "500", "1k", "2k", "5k", "10k"],
}


def waveform(samples: NDArray[np.float32], sample_rate: int = psychoacoustics.SAMPLE_RATE) -> go.Figure:
    """The first 20 ms of a sound over time."""
    shown = samples[: round(WAVE_SECONDS * sample_rate)]
    milliseconds = np.arange(len(shown), dtype=np.float32) * np.float32(1_000 / sample_rate)
    line = go.Scatter(
        x=milliseconds,
        y=shown,
        mode="lines",
        line={"color": BLUE, "width": 2},
        hovertemplate="%{x:.2f} ms: %{y:.3f}<extra></extra>",
    )
    return _figure([line], "Time (ms)", "Amplitude", height=210, yaxis={"range": [-0.3, 0.3]})


def spectrum(frequencies: NDArray[np.float32], levels: NDArray[np.float32]) -> go.Figure:
    """Level over frequency."""
    line = go.Scatter(
        x=frequencies,
        y=levels,
        mode="lines",
        line={"color": ORANGE, "width": 2},
        hovertemplate="%{x:.0f} Hz: %{y:.0f} dBFS<extra></extra>",
    )
    low = psychoacoustics.FLOOR_DB
    return _figure([line], "Frequency (Hz)", "Level (dBFS)", height=210, yaxis={"range": [low, 0]})


def sampling(frequency: float, sample_rate: int) -> go.Figure:
    """A tone, its samples, and the lowest tone with the same samples."""
    alias = psychoacoustics.alias(frequency, sample_rate)
    fine = np.linspace(0.0, SAMPLED_SECONDS, 600)
    taken = np.arange(0.0, SAMPLED_SECONDS * sample_rate + 0.5) / sample_rate
    traces = [
        _wave(fine, frequency, "tone", {"color": GREY, "width": 1.5}),
        _wave(fine, alias, "result", {"color": ORANGE, "width": 2.5, "dash": "dash"}),
        go.Scatter(
            x=_milliseconds(taken),
            y=np.sin(2 * np.pi * frequency * taken).astype(np.float32),
            name="samples",
            mode="markers",
            marker={"color": BLUE, "size": 9},
            hovertemplate="sample at %{x:.3f} ms: %{y:.2f}<extra></extra>",
        ),
    ]
    return _figure(traces, "Time (ms)", "", height=260, yaxis={"range": [-1.15, 1.15]}, legend=True)


def folding(frequency: float, sample_rate: int, max_hz: float) -> go.Figure:
    """The audible frequency for every sampled frequency, with one marked."""
    tones = np.arange(0.0, max_hz + 1.0, 25.0)
    audible = [abs(psychoacoustics.alias(float(tone), sample_rate)) for tone in tones]
    nyquist = sample_rate / 2
    traces = [
        go.Scatter(
            x=tones.astype(np.float32),
            y=np.asarray(audible, np.float32),
            mode="lines",
            line={"color": ORANGE, "width": 2},
            hovertemplate="%{x:.0f} Hz sounds like %{y:.0f} Hz<extra></extra>",
        ),
        go.Scatter(
            x=[frequency],
            y=[abs(psychoacoustics.alias(frequency, sample_rate))],
            mode="markers",
            marker={"color": BLUE, "size": 12},
            hoverinfo="skip",
        ),
    ]
    figure = _figure(traces, "Tone (Hz)", "Result (Hz)", height=230)
    if nyquist < max_hz:
        figure.add_vline(
            x=nyquist,
            line={"color": GREY, "dash": "dot"},
            annotation={"text": f" Nyquist {nyquist:,.0f} Hz"},
            annotation_position="bottom right",
        )
    return figure


def loudness_contours(phons: Sequence[float], marked: Mapping[float, float]) -> go.Figure:
    """Equal-loudness contours and the threshold of hearing, over frequency.

    Parameters
    ----------
    phons : loudness levels, 20 to 80
    marked : sound pressure levels to mark, by frequency
    """
    frequencies = np.asarray(psychoacoustics.ISO_226_HZ, np.float32)
    traces = [_contour(frequencies, psychoacoustics.hearing_threshold(), "threshold", GREY, "dot")]
    traces += [
        _contour(frequencies, psychoacoustics.equal_loudness(phon), f"{phon:.0f} phon", BLUE, "solid")
        for phon in phons
    ]
    traces.append(
        go.Scatter(
            x=list(marked),
            y=list(marked.values()),
            mode="markers",
            marker={"color": ORANGE, "size": 12},
            hovertemplate="%{x:,.0f} Hz at %{y:.1f} dB SPL<extra></extra>",
        )
    )
    figure = _figure(
        traces,
        "Frequency (Hz)",
        "Sound pressure level (dB SPL)",
        height=380,
        xaxis={"type": "log", **_HZ_TICKS},
        yaxis={"range": [-12, 124]},
    )
    beside = psychoacoustics.ISO_226_HZ.index(_LABEL_HZ)
    for trace in traces[:-1]:
        figure.add_annotation(
            x=np.log10(_LABEL_HZ),
            y=float(trace.y[beside]),
            text=trace.name,
            showarrow=False,
            xanchor="left",
            yshift=12,
            font={"size": 12},
        )
    return figure


def mel_curve(steps: Sequence[tuple[float, float]], max_hz: float) -> go.Figure:
    """The mel scale over frequency, with steps from one frequency to another drawn in.

    Parameters
    ----------
    steps : pairs of frequencies in Hz
    max_hz : where the plot ends
    """
    frequencies = np.linspace(0.0, max_hz, 400)
    traces = [
        go.Scatter(
            x=frequencies.astype(np.float32),
            y=np.asarray([psychoacoustics.hz_to_mel(float(hertz)) for hertz in frequencies], np.float32),
            mode="lines",
            line={"color": GREY, "width": 2},
            hovertemplate="%{x:,.0f} Hz = %{y:.1f} mel<extra></extra>",
        )
    ]
    for (low, high), colour in zip(steps, (BLUE, ORANGE), strict=True):
        below, above = psychoacoustics.hz_to_mel(low), psychoacoustics.hz_to_mel(high)
        traces.append(
            go.Scatter(
                x=[low, high, high],
                y=[below, below, above],
                mode="lines+markers",
                line={"color": colour, "width": 3},
                marker={"size": [9, 0, 9], "opacity": 1},
                hovertemplate="%{x:,.0f} Hz = %{y:.1f} mel<extra></extra>",
            )
        )
    return _figure(traces, "Frequency (Hz)", "Pitch (mel)", height=320)


def spectrogram(drawn: Spectrogram) -> go.Figure:
    """Levels over time and frequency, dark for quiet."""
    picture = _picture(drawn.levels, "%{x:.2f} s, %{y:.0f} Hz: %{z} dB<extra></extra>")
    picture.update(x0=0.0, dx=drawn.seconds, y0=0.0, dy=drawn.hertz)
    return _figure([picture], "Time (s)", "Frequency (Hz)", height=360)


def mel_picture(levels: NDArray[np.int8], seconds: float) -> go.Figure:
    """A mel spectrogram in the colours of the network's input."""
    picture = _picture(levels, "%{x:.1f} s: %{z} dB<extra></extra>")
    picture.update(x0=0.0, dx=seconds / levels.shape[1])
    return _figure(
        [picture], "Time (s)", "Pitch (mel bands)", height=260, yaxis={"showticklabels": False}
    )


def features(values: NDArray[np.float32]) -> go.Figure:
    """A short embedding as bars."""
    bars = go.Bar(
        x=np.arange(1, len(values) + 1, dtype=np.int16),
        y=values.astype(np.float32),
        marker_color=BLUE,
        hovertemplate="Feature %{x}: %{y:.2f}<extra></extra>",
    )
    return _figure([bars], "Feature", "Value", height=190)


def similarities(values: NDArray[np.float32], nearest: float) -> go.Figure:
    """Histogram of similarities, with the nearest track marked."""
    counts, edges = np.histogram(values, bins=40)
    bars = go.Bar(
        x=((edges[:-1] + edges[1:]) / 2).astype(np.float32),
        y=counts.astype(np.int32),
        width=np.diff(edges).astype(np.float32),
        marker_color=BLUE,
        hovertemplate="Similarity about %{x:.2f}: %{y} tracks<extra></extra>",
    )
    figure = _figure([bars], "Cosine similarity", "Tracks", height=220)
    figure.add_vline(x=nearest, line={"color": ORANGE, "width": 2}, annotation={"text": "nearest"})
    return figure


def accuracy_bars(accuracies: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Accuracy by system, a group of bars for each set of labels."""
    bars = [
        go.Bar(
            y=escaped(scores),
            x=list(scores.values()),
            name="".join(escaped([labels])),
            orientation="h",
            marker_color=colour,
            text=[f"{score:.1%}" for score in scores.values()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1%}<extra>%{fullData.name}</extra>",
        )
        for (labels, scores), colour in zip(accuracies.items(), (BLUE, ORANGE), strict=False)
    ]
    highest = max((score for scores in accuracies.values() for score in scores.values()), default=1.0)
    return _figure(
        bars,
        "Accuracy",
        "",
        height=270,
        legend=True,
        xaxis={"tickformat": ".0%", "range": [0, highest * 1.15]},
        yaxis={"autorange": "reversed", "automargin": True, "ticksuffix": "  "},
    )


def confusion(genres: Sequence[str], counts: Sequence[Sequence[int]]) -> go.Figure:
    """Confusion matrix: labels as rows, predictions as columns, shares of a label as colour."""
    matrix = np.asarray(counts, np.int32)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    picture = go.Heatmap(
        z=shares.astype(np.float32),
        zmin=0,
        zmax=1,
        x=escaped(genres),
        y=escaped(genres),
        customdata=matrix,
        colorscale=_MAGMA,
        showscale=False,
        text=matrix,
        texttemplate="%{text}",
        hovertemplate="%{customdata} of %{y} classified as %{x} (%{z:.0%})<extra></extra>",
    )
    return _figure(
        [picture],
        "Predicted",
        "",
        height=420,
        xaxis={"tickangle": -60, "automargin": True, "showgrid": False},
        yaxis={"autorange": "reversed", "automargin": True, "showgrid": False},
    )


def counts(numbers: Mapping[str, int], styles: Mapping[str, Style] | None = None) -> go.Figure:
    """Counts as horizontal bars, the largest on top."""
    ordered = dict(sorted(numbers.items(), key=lambda pair: pair[1]))
    bars = go.Bar(
        x=list(ordered.values()),
        y=escaped(ordered),
        orientation="h",
        marker_color=[styles[name].colour for name in ordered] if styles else BLUE,
        text=list(ordered.values()),
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x}<extra></extra>",
    )
    return _figure(
        [bars],
        "",
        "",
        height=24 * len(ordered) + 24,
        xaxis={"visible": False, "range": [0, 1.35 * max(ordered.values(), default=1)]},
        yaxis={
            "automargin": True,
            "ticksuffix": "  ",
            "showgrid": False,
            **named_ticks(list(ordered)),
        },
    )


def _wave(times: NDArray[np.float64], frequency: float, name: str, line: dict[str, Any]) -> go.Scatter:
    return go.Scatter(
        x=_milliseconds(times),
        y=np.sin(2 * np.pi * frequency * times).astype(np.float32),
        name=name,
        mode="lines",
        line=line,
        hoverinfo="skip",
    )


def _milliseconds(times: NDArray[np.float64]) -> NDArray[np.float32]:
    return (times * 1_000).astype(np.float32)


def _contour(
    frequencies: NDArray[np.float32], levels: NDArray[np.float64], name: str, colour: str, dash: str
) -> go.Scatter:
    return go.Scatter(
        x=frequencies,
        y=levels.astype(np.float32),
        name=name,
        mode="lines",
        line={"color": colour, "width": 2, "dash": dash, "shape": "spline"},
        hovertemplate="%{x:,.0f} Hz: %{y:.1f} dB SPL<extra>" + name + "</extra>",
    )


def _picture(levels: NDArray[np.int8], hover: str) -> go.Heatmap:
    return go.Heatmap(
        z=levels,
        colorscale=_MAGMA,
        zmin=psychoacoustics.FLOOR_DB,
        zmax=0,
        zsmooth=False,
        hovertemplate=hover,
        colorbar={"title": {"text": "dB"}, "thickness": 10, "outlinewidth": 0},
    )


def _figure(
    traces: Sequence[Any],
    x_title: str,
    y_title: str,
    *,
    height: int,
    xaxis: Mapping[str, Any] | None = None,
    yaxis: Mapping[str, Any] | None = None,
    legend: bool = False,
) -> go.Figure:
    """A figure without zooming and dragging. Touch can scroll past it."""
    return go.Figure(
        list(traces),
        layout={
            "height": height,
            "margin": {"l": 0, "r": 8, "t": 8 if not legend else 36, "b": 0},
            "showlegend": legend,
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
            "dragmode": False,
            "hovermode": "closest",
            "xaxis": {
                "title": {"text": x_title},
                "fixedrange": True,
                "zeroline": False,
                **(xaxis or {}),
            },
            "yaxis": {
                "title": {"text": y_title},
                "fixedrange": True,
                "zeroline": False,
                **(yaxis or {}),
            },
        },
    )
