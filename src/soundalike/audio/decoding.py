"""Audio decoding: a file or its bytes to a mono float32 clip at 22,050 Hz.

Conventions: samples are float32 in about [-1, 1]; time is in seconds, levels are in dBFS (0 dBFS is
a full-scale square wave). The decoder is PyAV, whose wheels carry FFmpeg's libraries, so that every
format below works on a machine with nothing else installed; resampling is soxr's high quality, as
librosa's default.

A file passes three gates: its size, then its header (container, codec, channels, sample rate,
length), then a decode that stops by itself at the longest length allowed. Only an allow-list of
containers and codecs is ever opened: FFmpeg would otherwise follow playlists to other files and
hosts. Memory stays bounded, since frames are mixed down (`downmix`) and resampled as they come.

Bytes come from a visitor, and are refused over 30 MB or 20 minutes. A path is somebody's own file: it
may have any size, and of a longer one the first 20 minutes are read.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import downmix, frames
from soundalike.audio.resampling import Levels, Stream
from soundalike.errors import AudioError

if TYPE_CHECKING:
    from av.container import InputContainer

SAMPLE_RATE = 22_050
HOP_LENGTH = 512
N_FRAMES = 1_293
ANALYSIS_SAMPLES = (N_FRAMES - 1) * HOP_LENGTH
"""Samples that give exactly 1,293 centred frames: 30.0002 s."""

MAX_BYTES = 30 * 1024 * 1024
MAX_SECONDS = 20 * 60.0
MIN_SECONDS = 3.0
MAX_CHANNELS = 8
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8_000, 192_000
SILENCE_DBFS = -60.0
"""A clip whose loudest 50 ms stay below this level is refused as silent."""

_OPENING_BYTES = 64 * 1024 * 1024
"""How far into a file it is looked for what it holds; covers and other tags come first."""

EXTENSIONS = ("wav", "flac", "ogg", "oga", "opus", "mp3", "m4a", "mp4", "aac", "webm", "mka")
"""File name endings that are offered for upload and looked for in folders."""

_CONTAINERS = "wav,w64,flac,ogg,mp3,mov,matroska,aac"
_CODECS = (
    "flac,vorbis,libvorbis,opus,libopus,mp3,mp3float,aac,aac_fixed,alac,"
    "pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw"
)
_LONGEST = f"{MAX_SECONDS / 60:.0f} minutes"
_FORMATS_SENTENCE = "WAV, FLAC, Ogg, Opus, MP3, M4A, AAC or WebM"


@dataclass(frozen=True, eq=False)
class Clip:
    """Mono audio, ready for analysis.

    Compared and hashed by identity, so that what is computed from a clip can be kept for exactly as
    long as the clip itself.

    Attributes
    ----------
    samples : float32 array [shape=(n,)]
    sample_rate : int, Hz
    notes : sentences about what was done to the audio that a listener may want to know
    start : where in the source the samples begin, in seconds
    source_duration : length of the whole source, in seconds
    """

    samples: NDArray[np.float32]
    sample_rate: int = SAMPLE_RATE
    notes: tuple[str, ...] = ()
    start: float = 0.0
    source_duration: float = 0.0

    @property
    def duration(self) -> float:
        """Length of the samples in seconds."""
        return len(self.samples) / self.sample_rate


@dataclass(frozen=True)
class Header:
    """What a file says of itself before anything is decoded."""

    container: str
    codec: str
    channels: int
    sample_rate: int
    duration: float | None
    tags: dict[str, str] = field(default_factory=dict)
    layout: tuple[str, ...] = ()


def probe(source: str | Path | bytes) -> Header:
    """Read and check a file's header; nothing is decoded.

    Raises
    ------
    AudioError
        If the file is missing, empty, not audio of an accepted format, has other than 1 to 8
        channels at 8 to 192 kHz, or comes as bytes and is over 30 MB or 20 minutes.
    """
    with _open(source) as container:
        return _header(container, _is_own(source))


def decode(source: str | Path | bytes) -> Clip:
    """Decode a file or its bytes to mono at 22,050 Hz, whole.

    Channels are mixed as `downmix` weighs them; one without sound does not make the mix quieter. Where
    they would cancel each other out (the mix lies over 20 dB below the channels, as with phase-inverted
    stereo), the loudest channel is taken instead and a note says so. The low-frequency channel is heard
    where no other holds any sound. What is constant in a channel is left out, here and before anything
    is measured.

    Raises
    ------
    AudioError
        As `probe`; also if nothing can be decoded, or the audio is shorter than 3 s or silent.
    """
    return _clip(source, _decode(source))


def decode_stereo(source: str | Path | bytes) -> tuple[Clip, NDArray[np.float32] | None]:
    """As `decode`, with both channels of a stereo file beside it, decoded once.

    Returns
    -------
    the clip, and its channels at 22,050 Hz, without their constant parts [shape=(n, 2)], None unless the
        file has two

    Raises
    ------
    AudioError
        As `decode`.
    """
    decoded = _decode(source, keep_sides=True)
    return _clip(source, decoded), decoded.sides


def analysis_window(clip: Clip) -> Clip:
    """The 30 s that stand for a clip.

    A shorter clip is repeated until it fills the window. Of a longer one the loudest half minute is
    taken: the window, on a grid of one second, with the highest mean level in dB (levels are taken
    over 50 ms and floored 60 dB below the loudest, so that one click decides nothing); the earliest
    where several are equal. It tends to find the chorus, and passes over intros and fade-outs.

    Returns
    -------
    Clip with 661,504 samples at 22,050 Hz (1,293 frames of hop length 512)
    """
    n = len(clip.samples)
    if n == ANALYSIS_SAMPLES:
        return clip
    if n < ANALYSIS_SAMPLES:
        repeated = np.resize(clip.samples, ANALYSIS_SAMPLES)
        notes = clip.notes
        if clip.duration < 29.0:
            notes += (f"This clip is only {clip.duration:.1f} s long, so we looped it to 30 s.",)
        return Clip(repeated, clip.sample_rate, notes, clip.start, clip.source_duration)
    start = _loudest_window(clip.samples)
    notes = clip.notes
    if clip.duration > 31.0:
        notes += (
            f"We analysed the loudest 30 seconds, {clock(start / SAMPLE_RATE)} to "
            f"{clock((start + ANALYSIS_SAMPLES) / SAMPLE_RATE)} of {clock(clip.duration)}.",
        )
    # A copy, so that the rest of a long file is given back.
    window = clip.samples[start : start + ANALYSIS_SAMPLES].copy()
    return Clip(window, clip.sample_rate, notes, start / SAMPLE_RATE, clip.source_duration)


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds: `clock(61.4)` is "1:01"."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def level_dbfs(samples: NDArray[np.float32], frame: int = SAMPLE_RATE // 20) -> NDArray[np.float32]:
    """Level over consecutive frames (50 ms each by default), dBFS, at least -200."""
    if len(samples) < frame:
        frame = max(len(samples), 1)
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    power = np.mean(np.square(whole, dtype=np.float32), axis=1)
    levels: NDArray[np.float32] = 10 * np.log10(np.maximum(power, 1e-20))
    return levels


def _loudest_window(samples: NDArray[np.float32]) -> int:
    frame = SAMPLE_RATE // 20
    levels = level_dbfs(samples, frame)
    levels = np.maximum(levels, levels.max() - 60.0).astype(np.float64)
    last = len(samples) - ANALYSIS_SAMPLES
    starts = np.arange(0, last + 1, SAMPLE_RATE)
    total = np.concatenate([[0.0], np.cumsum(levels)])
    first = starts // frame
    width = ANALYSIS_SAMPLES // frame
    return int(starts[np.argmax(np.round(total[first + width] - total[first], 6))])


def _check_audible(samples: NDArray[np.float32]) -> None:
    duration = len(samples) / SAMPLE_RATE
    if duration < MIN_SECONDS:
        raise AudioError(
            f"This clip is only {duration:.1f} s long. Choose one of at least {MIN_SECONDS:.0f} s."
        )
    if float(level_dbfs(samples).max()) < SILENCE_DBFS:
        raise AudioError("This clip is silent. Choose another one.")


class _File(io.FileIO):
    """A file that seems to end early until it is known what it holds.

    In gigabytes of nothing FFmpeg would look for a beginning to the end.
    """

    is_open = False
    _left = _OPENING_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes."""
        content = super().read(size)
        self._left -= len(content)
        return content if self.is_open or self._left > 0 else b""


@contextmanager
def _open(source: str | Path | bytes) -> Iterator[InputContainer]:
    import av

    check_size(source)
    options = {"format_whitelist": _CONTAINERS, "codec_whitelist": _CODECS}
    with ExitStack() as stack:
        try:
            # A stream rather than a name, which FFmpeg could take for an address.
            stream = io.BytesIO(source) if isinstance(source, bytes) else _File(source)
            stack.enter_context(stream)
            container = av.open(stream, mode="r", options=options, metadata_errors="replace")
            stack.enter_context(container)
            if isinstance(stream, _File):
                stream.is_open = True
        except (av.FFmpegError, OSError, ValueError) as error:
            # FFmpeg says the same of some damaged files.
            if isinstance(error, PermissionError) and _is_own(source):
                raise AudioError("Permission denied. Check the file's permissions.") from error
            raise _unreadable() from error
        yield container


def check_size(source: str | Path | bytes) -> None:
    """Raise an `AudioError` if a source is missing, a folder, empty, or bytes of over 30 MB."""
    if isinstance(source, bytes):
        size = len(source)
    else:
        path = Path(source)
        try:
            if path.is_dir():
                raise AudioError(f"{path} is a folder. Choose an audio file.")
            size = path.stat().st_size
        except (OSError, ValueError) as error:
            raise AudioError(f"{path} cannot be opened. Check that it exists.") from error
    if size == 0:
        raise AudioError("This file is empty. Choose another one.")
    if size > MAX_BYTES and not _is_own(source):
        raise AudioError(
            f"This file is {size / 2**20:.0f} MB. Choose one of at most {MAX_BYTES // 2**20} MB."
        )


def _is_own(source: str | Path | bytes) -> bool:
    """Whether a source is a file of one's own, and not what a visitor sent."""
    return not isinstance(source, bytes)


def _header(container: InputContainer, own: bool) -> Header:
    if not container.streams.audio:
        raise AudioError(f"This file contains no audio. Try {_FORMATS_SENTENCE}.")
    stream = container.streams.audio[0]
    codec = stream.codec_context
    if codec is None or codec.name not in _CODECS.split(","):
        raise _unreadable()
    duration = None
    if stream.duration is not None and stream.time_base is not None:
        duration = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        duration = container.duration / 1_000_000
    header = Header(
        container.format.name.split(",")[0],
        codec.name,
        codec.channels,
        codec.sample_rate,
        duration,
        {key.lower(): value for key, value in (stream.metadata | container.metadata).items()},
        tuple(channel.name for channel in codec.layout.channels),
    )
    _check_header(header, own)
    return header


def _check_header(header: Header, own: bool) -> None:
    if not 1 <= header.channels <= MAX_CHANNELS:
        raise AudioError(
            f"This file has {header.channels} channels. Choose one with 1 to {MAX_CHANNELS}."
        )
    if not MIN_SAMPLE_RATE <= header.sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"This file is sampled at {header.sample_rate} Hz. Choose one between "
            f"{MIN_SAMPLE_RATE // 1000} and {MAX_SAMPLE_RATE // 1000} kHz."
        )
    if header.duration is not None and header.duration > MAX_SECONDS and not own:
        raise _too_long()


def _unreadable() -> AudioError:
    return AudioError(f"We couldn't read this as audio. Try {_FORMATS_SENTENCE}.")


def _too_long() -> AudioError:
    return AudioError(f"This file is longer than {_LONGEST}. Choose a shorter excerpt.")


@dataclass(frozen=True)
class _Decoded:
    """A file's samples at 22,050 Hz, and what was seen while decoding it.

    Attributes
    ----------
    samples : of the mix, or of the one channel that was asked for [shape=(n,)]
    sides : both channels, where wanted, of a file that has two [shape=(n, 2)]
    broken : packets that could not be decoded
    cut : whether the file goes on after `MAX_SECONDS`
    """

    samples: NDArray[np.float32]
    sides: NDArray[np.float32] | None
    levels: Levels
    header: Header
    broken: int
    cut: bool


def _clip(source: str | Path | bytes, decoded: _Decoded) -> Clip:
    samples, header = decoded.samples, decoded.header
    notes: list[str] = []
    if (alone := decoded.levels.alone) is not None:
        samples = _decode(source, alone).samples
    if decoded.levels.cancelled:
        notes.append(
            "The channels cancel each other out when mixed, so we analysed only the louder one."
        )
    duration = len(samples) / SAMPLE_RATE
    if decoded.cut:
        notes.append(f"The file is longer than {_LONGEST}, so we used only the beginning.")
    elif header.duration is not None and duration < 0.9 * header.duration - 0.5:
        notes.append(
            f"The file is damaged: we could decode {duration:.1f} s of {header.duration:.1f} s."
        )
    elif decoded.broken:
        notes.append("We skipped some damaged parts of the file.")
    _check_audible(samples)
    return Clip(samples, SAMPLE_RATE, tuple(notes), source_duration=duration)


def _decode(
    source: str | Path | bytes, channel: int | None = None, keep_sides: bool = False
) -> _Decoded:
    """Samples of one channel (of the mix where None), and of both sides where they are wanted."""
    own = _is_own(source)
    with _open(source) as container:
        header = _header(container, own)
        two = keep_sides and header.channels == 2
        weights = downmix.weights(header.layout)
        stream = Stream(weights, header.sample_rate, SAMPLE_RATE, channel, two)
        broken = [0]
        most = int(MAX_SECONDS * header.sample_rate)
        total = 0
        # One block is resampled while the next is decoded.
        with ThreadPoolExecutor(1) as aside:
            taken: Future[Any] = aside.submit(int)
            for block in frames.blocks(container, header.channels, header.sample_rate, broken):
                total += len(block)
                if total > most and not own:
                    raise _too_long()
                # No further ahead: a block may be 6 MB, and decoding silence is quicker than this.
                taken.result()
                taken = aside.submit(stream.add, block[: len(block) - max(total - most, 0)])
                if total > most:
                    break
            taken.result()
    samples, sides = stream.finish()
    if not len(samples):
        raise _unreadable()
    return _Decoded(samples, sides, stream.levels, header, broken[0], total > most)
