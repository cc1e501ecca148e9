"""The Anatomy page's component, a player with plots, and the packing of its data.

The data is sent in parts, each through a small component of its own. Streamlit resends a message only if
it has changed, so an additional panel is sent alone, and scripts and styles are sent once.
"""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from soundalike.analysis import clip_analysis, taggram
from soundalike.analysis.clip_analysis import Anatomy, Shown
from soundalike.analysis.panels import FRONT_ENDS, RECONSTRUCTION, Levels, Panel
from soundalike.audio import decoding, sandbox
from soundalike.audio.clip import ANALYSIS_SAMPLES, HOP_LENGTH, SAMPLE_RATE
from soundalike.features import spectrogram_image
from soundalike.index.index import Index
from soundalike.ui import frontend, server
from soundalike.ui.components import Track

_Packed = tuple[NDArray[Any], bytes]
"""An array and its values as sent."""
_kept: WeakKeyDictionary[Panel | Anatomy, bytes] = WeakKeyDictionary()
_KINDS = {"uint8": "u1", "uint16": "u2", "int16": "i2"}

SUNSET = (
    *("#364B9A", "#4A7BB7", "#6EA6CD", "#98CAE1", "#C2E4EF", "#EAECCC"),
    *("#FEDA8B", "#FDB366", "#F67E4B", "#DD3D2D", "#A50026"),
)
"""Paul Tol's diverging, colour-blind safe scheme "sunset" (2021, SRON/EPS/TN/09-002)."""

WAVE_CAPTION = (
    "Air pressure over time, from −1 to 1 of full scale. The pale shape spans the lowest and highest "
    "sample at each moment. The dark shape is the RMS level, which is closer to perceived loudness."
)
CAPTIONS = {
    taggram.NAME: (
        "The strongest words by two networks that tag sound, for every three seconds. A pale cell means "
        "that the word fits this moment better than most tracks of the library."
    ),
    "mel": (
        "Energy by frequency and time in 216 bands, spaced like perceived pitch. 0 dB is the clip's "
        "loudest cell. The article's method compares this picture."
    ),
    "mfcc": (
        "The outline of each moment's spectrum in 20 numbers. 0 is the overall level, low numbers "
        "describe broad tone colour, high numbers finer detail. On a shared scale, the first few drown "
        "out the rest."
    ),
    "mfcc_standardised": (
        "The same, with every row shifted to mean 0 and scaled to standard deviation 1. Every "
        "coefficient counts equally, and the plot shows how each moment differs from the rest of the "
        "clip."
    ),
    "chroma": (
        "The strength of each of the 12 pitch classes in any octave, relative to the strongest at that "
        "moment. Chords appear as rows that light up together."
    ),
    "chroma_standardised": (
        "The same, with every row standardised. Notes that sound throughout fade; notes that enter or "
        "leave stand out."
    ),
    "bark": (
        "Energy in Zwicker's critical bands. Hearing adds up sounds within a band. 23 of the 24 bands "
        "fit below 11,025 Hz, the top one only in part."
    ),
    "gammatone": (
        "Energy after 64 filters shaped like those of the inner ear, at equal steps of the ERB scale. "
        "Low notes are further apart than in the mel spectrogram."
    ),
    "wavelet": (
        "Energy by semitone, from Morlet wavelets with the same number of cycles. Low notes are sharp "
        "in pitch and blurred in time, high notes the other way round."
    ),
    RECONSTRUCTION: (
        "The standardised MFCC above, compressed to 512 numbers and reconstructed. The autoencoder "
        "method can compare only what both plots share: slow movement, no beat."
    ),
}
FURTHER = (*FRONT_ENDS, RECONSTRUCTION)
"""The optional panels."""
_HEIGHTS = {taggram.NAME: 168, "mel": 216, "gammatone": 192, "wavelet": 192, "bark": 138}
_HEIGHT = 120
_WAVE_HEIGHT = 96
_FRAMES = 1 + ANALYSIS_SAMPLES // HOP_LENGTH


def show(track: Track, shown: Anatomy, further: Sequence[Panel], key: str) -> None:
    """Mount the player and the plots of a track."""
    plots, part, _ = _register()
    # Parts are invisible and need no gap.
    with st.container(gap=None, key=f"{key}_together"):
        plots(data={"key": key}, key=key)
        for name, content in pack(track, shown, further, key).items():
            part(data=content, key=f"{key}_{name}")


def show_picture(track: Track, shown: Anatomy, key: str) -> None:
    """Mount VGG16's input image of a track, which the plots with that key draw."""
    _register()[2](data=pack_picture(track, shown, key), key=f"{key}_picture")


def pack(track: Track, shown: Anatomy, further: Sequence[Panel], key: str) -> dict[str, bytes]:
    """A track's plots as parts by name: the sheet, then the panels in display order.

    Parameters
    ----------
    track, shown : the track and its measurements
    further : optional panels that are switched on
    key : of the component
    """
    # Related panels are adjacent: front ends follow the mel spectrogram, and the autoencoder's
    # reconstruction follows its original. Words come first.
    ordered = list(shown.panels.values())
    ordered[3:3] = [panel for panel in further if panel.name == RECONSTRUCTION]
    ordered[1:1] = [panel for panel in further if panel.name not in (RECONSTRUCTION, taggram.NAME)]
    ordered[:0] = [panel for panel in further if panel.name == taggram.NAME]
    panels = {panel.name: _panel(panel, key) for panel in ordered}
    sheet = {
        "track": track.id,
        "title": track.title,
        "byline": " · ".join(filter(None, (track.artist, track.album, track.genre))),
        "licence": track.licence,
        "url": track.url,
        "start": shown.start,
        "duration": shown.duration,
        "source_duration": shown.source_duration,
        "step": HOP_LENGTH / SAMPLE_RATE,
        "wave": {
            "name": "waveform",
            "title": "Waveform",
            "axis": "Full scale",
            "height": _WAVE_HEIGHT,
            "caption": WAVE_CAPTION + " ",
            "summary": wave_summary(shown),
        },
        "panels": [(name, identity) for name, (identity, _) in panels.items()],
    }
    arrays = {
        "magma": _plain(spectrogram_image.MAGMA),
        "sunset": _plain(diverging()),
        "envelope": _plain(shown.envelope),
        "rms": _plain(shown.rms),
    }
    _, content = _part("sheet", key, sheet, arrays)
    return {"sheet": content} | {name: content for name, (_, content) in panels.items()}


def pack_picture(track: Track, shown: Anatomy, key: str) -> bytes:
    """VGG16's input image as a part: its differences from the prediction by the mel panel."""
    described = {
        "of": _panel(shown.panels["mel"], key)[0],
        "alt": f"Mel spectrogram of {track.title} as a picture",
        "width": spectrogram_image.WIDTH,
        "height": spectrogram_image.HEIGHT,
        "frames": _FRAMES,
    }
    return _part("picture", key, described, {"differences": (shown.vgg_levels, _packed_picture(shown))})[
        1
    ]


def prepare(shown: Anatomy, further: Sequence[Panel]) -> None:
    """Compress what `pack` and `pack_picture` send; it is kept as long as the measurements are."""
    for panel in (*shown.panels.values(), *further):
        _packed(panel)
    _packed_picture(shown)


def _packed_picture(shown: Anatomy) -> bytes:
    """The picture's differences from its prediction, deflated and cached with the measurements."""
    if shown not in _kept:
        _kept[shown] = _deflated(shown.vgg_levels - _predicted_picture(shown.panels["mel"]))
    return _kept[shown]


def _predicted_picture(mel: Panel) -> NDArray[np.uint8]:
    """Predict `Anatomy.vgg_levels` from the mel spectrogram's panel [shape=(216, 640)].

    A pixel is the mean of the frames that it spans; a clip that is too short is repeated.
    """
    edges = (2 * np.arange(spectrogram_image.WIDTH + 1) * _FRAMES + spectrogram_image.WIDTH) // (
        2 * spectrogram_image.WIDTH
    )
    frames = mel.values[:, np.arange(_FRAMES) % mel.values.shape[1]].astype(np.int64)
    sums = np.add.reduceat(frames, edges[:-1], axis=1)
    levels = 256 * sums // (np.diff(edges) * mel.largest)
    predicted: NDArray[np.uint8] = np.minimum(levels, 255).astype(np.uint8)
    return predicted


def _panel(panel: Panel, key: str) -> tuple[str, bytes]:
    return _part(panel.name, key, _described(panel), {"values": (panel.values, _packed(panel))})


def _part(
    name: str, key: str, described: Mapping[str, object], arrays: Mapping[str, _Packed]
) -> tuple[str, bytes]:
    """A part's id and its content: header length, header (JSON), arrays."""
    places = {}
    body = b""
    for label, (array, content) in arrays.items():
        kind = _KINDS[array.dtype.name]
        places[label] = {"at": len(body), "kind": kind, "count": array.size, "size": len(content)}
        body += content + bytes(-len(content) % 4)
    header = {"name": name, "key": key, "arrays": places, **described}
    identity = hashlib.sha256(json.dumps(header).encode() + body).hexdigest()[:16]
    text = json.dumps(header | {"id": identity}, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    return identity, len(text).to_bytes(4, "little") + text + body


def _packed(panel: Panel) -> bytes:
    """A panel's prediction errors, deflated and cached with the panel."""
    if panel not in _kept:
        # Differences wrap around, and so do the sums that undo them.
        _kept[panel] = _deflated(panel.values - _predicted(panel.values))
    return _kept[panel]


def _predicted(values: Levels) -> Levels:
    """Predict each value from its neighbours before and below; values beyond the edge are 0.

    The prediction is the median of both neighbours and of the plane through them and the diagonal
    neighbour, as in lossless JPEG-LS (Weinberger, Seroussi and Sapiro, 2000). It follows edges and
    seldom amplifies noise.
    """
    padded = np.pad(values.astype(np.int32), ((1, 0), (1, 0)))
    before, below, between = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    low, high = np.minimum(before, below), np.maximum(before, below)
    predicted: Levels = np.clip(before + below - between, low, high).astype(values.dtype)
    return predicted


def _deflated(array: NDArray[Any]) -> bytes:
    # Noise has no repetitions, so searching for them would cost time and save no space.
    deflate = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    return deflate.compress(_bytes_of(array)) + deflate.flush()


def _plain(array: NDArray[Any]) -> _Packed:
    return array, _bytes_of(array)


def _bytes_of(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()


def wave_summary(shown: Anatomy) -> str:
    """Describe a waveform in a sentence."""
    peak = float(np.abs(shown.envelope.astype(np.float64)).max()) / 32_767
    loudest = float(shown.rms.argmax()) * HOP_LENGTH / SAMPLE_RATE
    quiet = float(np.mean(shown.rms < shown.rms.max() / 10))
    return (
        f"The peak is {peak:.2f} of full scale. The loudest moment is at {loudest:.1f} s, and the level "
        f"is more than 20 dB below it {quiet:.0%} of the time."
    )


def diverging() -> NDArray[np.uint8]:
    """256 colours from `SUNSET`: blue for low, pale for middle, red for high [shape=(256, 3)]."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in SUNSET])
    places = np.linspace(0, len(SUNSET) - 1, 256)
    channels = [np.interp(places, np.arange(len(SUNSET)), stops[:, i]) for i in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Index: server.identity})
def of_library(index: Index, track_id: str) -> Anatomy:
    """A library track's measurements, computed on first request."""
    return clip_analysis.measure(_decoded(index, track_id))


@st.cache_resource(max_entries=96, show_spinner=False, hash_funcs={Index: server.identity})
def front_end_of_library(index: Index, track_id: str, name: str) -> Panel:
    """One of the optional panels of a library track."""
    return further(_decoded(index, track_id), name)


def further(decoded: Shown, name: str) -> Panel:
    """One of the panels `FURTHER` of a decoded clip."""
    if name == RECONSTRUCTION:
        return clip_analysis.reconstruction(decoded, server.open_models())
    return clip_analysis.front_end(decoded, name)


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs={Index: server.identity})
def _decoded(index: Index, track_id: str) -> Shown:
    """A library track, decoded once for all of its panels: 8 MB each, and as much of spectrograms."""
    return clip_analysis.part_shown(*decoding.decode_stereo(index.file(index.row(track_id))))


@st.cache_resource(max_entries=1, show_spinner=False)
def warm() -> None:
    """Compile the analysis code in the background, for a visitor who is about to upload a clip."""
    sandbox.warm()
    threading.Thread(target=clip_analysis.warm, daemon=True).start()


def _described(panel: Panel) -> dict[str, object]:
    rows, columns = panel.values.shape
    reach = panel.high - panel.low
    return {
        "name": panel.name,
        "title": panel.title,
        "axis": panel.axis,
        "height": _HEIGHTS.get(panel.name, _HEIGHT),
        "caption": CAPTIONS[panel.name] + " ",
        "summary": panel.summary,
        "rows": rows,
        "columns": columns,
        "largest": panel.largest,
        "low": panel.low,
        "high": panel.high,
        "digits": 0 if reach > 50 and panel.values.dtype == np.uint8 else 1 if reach > 5 else 2,
        "unit": panel.unit,
        "open": panel.open_ended,
        "map": "sunset" if panel.diverging else "magma",
        "names": panel.rows,
        "ticks": panel.ticks,
    }


@st.cache_resource(max_entries=1, show_spinner=False)
def _register() -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    scripts = ("clock.js", "anatomy_plots.js", "anatomy_picture.js", "anatomy.js")
    hand_on = frontend.read("anatomy_part.js")
    plots = frontend.component(
        "soundalike_anatomy",
        html='<div class="root"></div>',
        css=frontend.read("anatomy.css"),
        js=frontend.read(*scripts),
    )
    part = frontend.component("soundalike_anatomy_part", js=hand_on)
    picture = frontend.component(
        "soundalike_anatomy_picture",
        html='<div class="picture"></div>',
        css=frontend.read("anatomy_picture.css"),
        js=hand_on,
    )
    return plots, part, picture
