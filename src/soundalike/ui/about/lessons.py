"""The About page's interactive lessons: sound, sampling, hearing, pitch and spectrograms.

Each function shows a text with settings beside plots and players, and returns the settings for the URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from soundalike.audio import decoding
from soundalike.audio.clip import HOP_LENGTH, SAMPLE_RATE, Clip
from soundalike.errors import SoundalikeError
from soundalike.features import psychoacoustics, spectral
from soundalike.index.index import Index
from soundalike.ui import components, session
from soundalike.ui.about import charts as figures
from soundalike.ui.about import texts as texts

if TYPE_CHECKING:
    import plotly.graph_objects as go

Shown = dict[str, object]
"""A section's settings, for the URL."""

SHAPES = {"sine": "Sine", "square": "Square wave", "two": "Two tones"}
TONES = range(50, 2_001, 10)
LEVELS = range(-48, -11, 6)
RATES = (8_000, 11_025, 16_000, 22_050)
SAMPLED_TONES = range(200, 12_001, 100)
HEARD_TONES = tuple(int(hertz) for hertz in psychoacoustics.ISO_226_HZ if hertz >= 40)
CONTOURS = (20, 40, 60, 80)
PHON = 60
MATCHES = {"level": "Same level", "loudness": "Same loudness"}
STEPS = range(50, 501, 50)
UNITS = {"hz": "Equal in Hz", "mel": "Equal in mel"}
STEP_STARTS = (250.0, 4_000.0)
WINDOWS = (256, 512, 1_024, 2_048, 4_096, 8_192)
HOPS = (128, 512, 2_048)
EXCERPT, EXCERPT_SECONDS = "0300", 3.0


def sound(_: Index) -> Shown:
    """What a sound is: frequency, amplitude, spectrum, decibels."""
    session.from_url("about_shape", "shape", list(SHAPES), "sine")
    session.from_url("about_hz", "hz", TONES, 440)
    session.from_url("about_level", "level", LEVELS, -12)
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown(texts.SOUND)
        choose("Sound", SHAPES, "about_shape")
        slide("Frequency (Hz)", TONES, "about_hz")
        slide("Level (dBFS)", LEVELS, "about_level")
    shape, hertz, level = (st.session_state[f"about_{name}"] for name in ("shape", "hz", "level"))
    samples = psychoacoustics.SHAPES[shape](hertz, level)
    lines = {
        "sine": f"one line, at {hertz:,} Hz",
        "square": f"lines at {hertz:,}, {3 * hertz:,} and {5 * hertz:,} Hz and so on, decreasing",
        "two": f"two lines, at {hertz:,} and {1.5 * hertz:,.0f} Hz",
    }
    with right:
        play("about_tone", f"{SHAPES[shape]}, {hertz:,} Hz", f"Peak {minus(level)} dBFS", samples)
        plot(
            figures.waveform(samples),
            "about_wave",
            f"The first 20 ms: {hertz * figures.WAVE_SECONDS:g} cycles at {hertz:,} Hz, with an "
            f"amplitude of {psychoacoustics.amplitude(level):.3f}.",
        )
        plot(
            figures.spectrum(*psychoacoustics.spectrum(samples)),
            "about_spectrum",
            f"The spectrum up to 10 kHz: {lines[shape]}.",
        )
    return {"shape": shape, "hz": hertz, "level": level}


def digital(_: Index) -> Shown:
    """Sampling and aliasing."""
    session.from_url("about_rate", "rate", RATES, 8_000)
    session.from_url("about_sampled", "tone", SAMPLED_TONES, 6_000)
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown(texts.DIGITAL)
        choose("Sample rate (Hz)", {rate: f"{rate:,}" for rate in RATES}, "about_rate")
        slide("Tone (Hz)", SAMPLED_TONES, "about_sampled")
    rate, hertz = st.session_state.about_rate, st.session_state.about_sampled
    alias, nyquist = abs(psychoacoustics.alias(hertz, rate)), rate / 2
    if alias in (0, nyquist):
        said = "every sample falls on a zero crossing, so nothing is left of the tone."
    elif hertz < nyquist:
        said = f"{hertz:,} Hz is below the Nyquist frequency of {nyquist:,.0f} Hz and is preserved."
    else:
        said = (
            f"{hertz:,} Hz is above the Nyquist frequency of {nyquist:,.0f} Hz. Its samples are the "
            f"same as those of {alias:,.0f} Hz."
        )
    with right:
        first, second = st.columns(2)
        with first:
            whole = f"{psychoacoustics.SAMPLE_RATE:,} samples per second"
            play("about_true", f"The tone, {hertz:,} Hz", whole, psychoacoustics.sine(hertz))
        with second:
            few = f"{rate:,} samples per second"
            sampled = psychoacoustics.sine(hertz, sample_rate=rate)
            play("about_alias", f"Sampled, {alias:,.0f} Hz", few, sampled, rate)
        plot(figures.sampling(hertz, rate), "about_sampling", f"Two milliseconds: {said}")
        plot(
            figures.folding(hertz, rate, SAMPLED_TONES[-1]),
            "about_folding",
            "The resulting frequency for each tone: unchanged up to the Nyquist frequency, then falling "
            "to zero and rising again. The dot is the tone above.",
        )
    return {"rate": rate, "tone": hertz}


def hearing(_: Index) -> Shown:
    """Equal loudness."""
    session.from_url("about_heard", "second", HEARD_TONES, 100)
    session.from_url("about_match", "match", list(MATCHES), "level")
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown(texts.HEARING)
        st.select_slider("Second tone (Hz)", HEARD_TONES, key="about_heard", persist_state="session")
        choose("Play both at", MATCHES, "about_match")
    hertz, match = st.session_state.about_heard, st.session_state.about_match
    contour = dict(zip(psychoacoustics.ISO_226_HZ, psychoacoustics.equal_loudness(PHON), strict=True))
    levels, needed = (psychoacoustics.PEAK_DBFS, psychoacoustics.PEAK_DBFS), float(PHON)
    if match == "loudness":
        levels, needed = psychoacoustics.matched_levels(hertz, PHON), contour[hertz]
    phon = psychoacoustics.phon_of(PHON, hertz)
    counted = f"about {phon:.0f} phon" if phon >= psychoacoustics.MIN_PHON else "less than 20 phon"
    with right:
        places = zip(st.columns(2), (1_000, hertz), levels, strict=True)
        for number, (place, frequency, level) in enumerate(places):
            with place:
                samples = psychoacoustics.sine(frequency, level)
                play(
                    f"about_heard_{number}", f"{frequency:,} Hz", f"Peak {minus(level, 1)} dBFS", samples
                )
        plot(
            figures.loudness_contours(CONTOURS, {psychoacoustics.REFERENCE_HZ: PHON, hertz: needed}),
            "about_contours",
            f"Contours of 20 to 80 phon above the threshold of hearing (dotted). The dots are the two "
            f"tones. At {PHON} dB SPL, {hertz:,} Hz has {counted}. To sound as loud as 1 kHz at {PHON} "
            f"dB, it needs {contour[hertz]:.1f} dB.",
        )
    return {"second": hertz, "match": match}


def pitch(_: Index) -> Shown:
    """Frequency and pitch: the mel scale."""
    session.from_url("about_step", "step", STEPS, 250)
    session.from_url("about_unit", "equal", list(UNITS), "hz")
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown(texts.PITCH)
        slide("Step up from 250 Hz (Hz)", STEPS, "about_step")
        choose("The same step from 4,000 Hz is", UNITS, "about_unit")
    step, unit = st.session_state.about_step, st.session_state.about_unit
    steps = psychoacoustics.equal_steps(STEP_STARTS, step, in_mel=unit == "mel")
    rises = [psychoacoustics.hz_to_mel(high) - psychoacoustics.hz_to_mel(low) for low, high in steps]
    with right:
        for number, (place, (low, high)) in enumerate(zip(st.columns(2), steps, strict=True)):
            with place:
                turns = psychoacoustics.one_after_the_other(low, high)
                apart = f"{high - low:,.0f} Hz or {rises[number]:.2f} mel apart"
                play(f"about_step_{number}", f"{low:,.0f} Hz, then {high:,.0f} Hz", apart, turns)
        plot(
            figures.mel_curve(steps, SAMPLE_RATE / 2),
            "about_mel",
            "The mel scale, steep at low and flat at high frequencies. The two steps are "
            f"{rises[0]:.2f} mel from 250 Hz and {rises[1]:.2f} mel from 4,000 Hz.",
        )
    return {"step": step, "equal": unit}


def spectrograms(index: Index) -> Shown:
    """Spectrograms: the effect of window and hop."""
    session.from_url("about_window", "window", WINDOWS, spectral.N_FFT)
    session.from_url("about_hop", "hop", HOPS, HOP_LENGTH)
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown(texts.SPECTROGRAMS)
        choose("Window (samples)", {n: f"{n:,}" for n in WINDOWS}, "about_window")
        choose("Hop (samples)", {n: f"{n:,}" for n in HOPS}, "about_hop")
    n_fft, hop = st.session_state.about_window, st.session_state.about_hop
    row = excerpt(index)
    with right:
        try:
            clip = open_clip(str(index.file(row)))
        except SoundalikeError as error:
            components.show_error(str(error))
            return {"window": n_fft, "hop": hop}
        rate, track = clip.sample_rate, components.track_of(index, row)
        samples = psychoacoustics.middle(clip.samples, rate, EXCERPT_SECONDS)
        title = f"{track.title}, {len(samples) / rate:.0f} s"
        play("about_excerpt", title, track.artist, samples, rate, track.licence)
        drawn = psychoacoustics.spectrogram(samples, rate, n_fft, hop)
        plot(
            figures.spectrogram(drawn),
            "about_spectrogram",
            f"{drawn.frames:,} windows of {1_000 * n_fft / rate:.0f} ms, one every "
            f"{1_000 * hop / rate:.0f} ms. Frequencies closer than {rate / n_fft:.0f} Hz blur together. "
            "Shown up to 5 kHz, in dB relative to the loudest point.",
        )
    return {"window": n_fft, "hop": hop}


def excerpt(index: Index) -> int:
    """The track whose spectrogram is shown."""
    return index.row(EXCERPT) if index.has(EXCERPT) else 0


def choose(label: str, options: dict[Any, str], key: str) -> None:
    """Choose one of a few options."""
    st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        key=key,
        persist_state="session",
        required=True,
        wrap=True,
    )


def slide(label: str, values: range, key: str) -> None:
    """A slider over a range of whole numbers."""
    st.slider(label, values[0], values[-1], step=values.step, key=key, persist_state="session")


def play(
    key: str,
    title: str,
    detail: str,
    samples: Any,
    sample_rate: int = psychoacoustics.SAMPLE_RATE,
    licence: str = "",
) -> None:
    """Show a player for a generated sound."""
    url = components.audio_url(psychoacoustics.wav(samples, sample_rate), f"{key}.wav")
    components.card(
        components.Track(f"{title}, {detail}", title, detail, "", "", licence, url), None, key
    )


def minus(value: float, digits: int = 0) -> str:
    """A number with a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def plot(figure: go.Figure, key: str, caption: str) -> None:
    """Show a figure with its description as caption and alternative text."""
    alt = caption.replace("\\", "")
    st.plotly_chart(figure, config={"displayModeBar": False}, key=key, alt=alt)
    st.caption(caption)


@st.cache_resource(max_entries=4, show_spinner=False)
def open_clip(path: str) -> Clip:
    """A clip of the library, decoded once."""
    return decoding.decode(path)
