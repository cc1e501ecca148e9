"""Audio decoding: a file or its bytes to a mono float32 clip at 22,050 Hz.

Conventions: samples are float32 in about [-1, 1]; time is in seconds, levels are in dBFS (0 dBFS is
a full-scale square wave). The decoder is PyAV. Its wheels include FFmpeg's libraries, so every format
below works without further packages. Resampling uses soxr's high quality, librosa's default.

A file passes three checks: its size, its header (container, codec, channels, sample rate, length), and
a decode that stops at the maximum length. Only an allow-list of containers and codecs is opened,
because FFmpeg would otherwise follow playlists to other files and hosts. Frames are mixed down
(`downmix`) and resampled as they arrive, which bounds memory.

Bytes are a visitor's upload and are rejected over 30 MB, 20 minutes or `MAX_VALUES`. A path is a local
file of any size; only its first 20 minutes are read.
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
from soundalike.audio.clip import SAMPLE_RATE, Clip, _check_audible
from soundalike.audio.resampling import Levels, Stream
from soundalike.errors import AudioError

if TYPE_CHECKING:
    from av.container import InputContainer


MAX_BYTES = 30 * 1024 * 1024
MAX_SECONDS = 20 * 60.0
MAX_CHANNELS = 8
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8_000, 192_000
MAX_VALUES = int(MAX_SECONDS) * 96_000 * 2
"""Samples of all channels of an upload: 20 minutes of stereo at 96 kHz, or 13 of 5.1 at 48 kHz. A few
bytes can hold any number of equal samples, and each costs the decoder's time."""

_OPENING_BYTES = 64 * 1024 * 1024
"""Number of bytes searched for the audio stream; cover art and other tags come first."""

EXTENSIONS = ("wav", "flac", "ogg", "oga", "opus", "mp3", "m4a", "mp4", "aac", "webm", "mka")
"""File name extensions accepted for upload and found in folders."""

_CONTAINERS = "wav,w64,flac,ogg,mp3,mov,matroska,aac"
_CODECS = (
    "flac,vorbis,libvorbis,opus,libopus,mp3,mp3float,aac,aac_fixed,alac,"
    "pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw"
)
_LONGEST = f"{MAX_SECONDS / 60:.0f} minutes"
_FORMATS_SENTENCE = "WAV, FLAC, Ogg, Opus, MP3, M4A, AAC or WebM"


@dataclass(frozen=True)
class Header:
    """Properties from a file's header, read without decoding."""

    container: str
    codec: str
    channels: int
    sample_rate: int
    duration: float | None
    tags: dict[str, str] = field(default_factory=dict)
    layout: tuple[str, ...] = ()


def probe(source: str | Path | bytes) -> Header:
    """Read and check a file's header without decoding.

    Raises
    ------
    AudioError
        If the file is missing, empty or not in an accepted format, if it does not have 1 to 8
        channels at 8 to 192 kHz, or if it is given as bytes and is over 30 MB, 20 minutes or
        `MAX_VALUES`.
    """
    with _open(source) as container:
        return _header(container, _is_local_file(source))


def decode(source: str | Path | bytes) -> Clip:
    """Decode a whole file or its bytes to mono at 22,050 Hz.

    Channels are mixed with the weights of `downmix`; silent channels do not make the mix quieter. If
    the channels cancel each other out (the mix is over 20 dB below them, as with phase-inverted
    stereo), the loudest channel is used instead and a note says so. The low-frequency channel is used
    only if all others are silent. The DC offset is removed from each channel, here and before any
    measurement.

    Raises
    ------
    AudioError
        As `probe`; also if nothing can be decoded, or the audio is shorter than 3 s or silent.
    """
    return _clip(source, _decode(source))


def decode_stereo(source: str | Path | bytes) -> tuple[Clip, NDArray[np.float32] | None]:
    """Decode a file once, to the mono clip of `decode` and both channels of a stereo file.

    Returns
    -------
    the clip, and its channels at 22,050 Hz without DC offset [shape=(n, 2)], or None unless the file
        has two

    Raises
    ------
    AudioError
        As `decode`.
    """
    decoded = _decode(source, keep_sides=True)
    return _clip(source, decoded), decoded.sides


class _File(io.FileIO):
    """A file that appears to end after `_OPENING_BYTES` until its format is known.

    FFmpeg would otherwise search gigabytes of zeros for a header.
    """

    is_open = False
    _remaining_bytes = _OPENING_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """Read the next bytes."""
        content = super().read(size)
        self._remaining_bytes -= len(content)
        return content if self.is_open or self._remaining_bytes > 0 else b""


@contextmanager
def _open(source: str | Path | bytes) -> Iterator[InputContainer]:
    import av

    check_size(source)
    options = {"format_whitelist": _CONTAINERS, "codec_whitelist": _CODECS}
    with ExitStack() as stack:
        try:
            # A stream instead of a name, which FFmpeg could interpret as a URL.
            stream = io.BytesIO(source) if isinstance(source, bytes) else _File(source)
            stack.enter_context(stream)
            container = av.open(stream, mode="r", options=options, metadata_errors="replace")
            stack.enter_context(container)
            if isinstance(stream, _File):
                stream.is_open = True
        except (av.FFmpegError, OSError, ValueError) as error:
            # FFmpeg raises the same error for some damaged files.
            if isinstance(error, PermissionError) and _is_local_file(source):
                raise AudioError("Permission denied. Check the file's permissions.") from error
            raise _unreadable() from error
        yield container


def check_size(source: str | Path | bytes) -> None:
    """Raise an `AudioError` if a source is missing, a folder, empty, or over 30 MB of bytes."""
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
    if size > MAX_BYTES and not _is_local_file(source):
        raise AudioError(
            f"This file is {size / 2**20:.0f} MB. Choose one of at most {MAX_BYTES // 2**20} MB."
        )


def _is_local_file(source: str | Path | bytes) -> bool:
    """Whether a source is a local file, not a visitor's upload."""
    return not isinstance(source, bytes)


def _header(container: InputContainer, is_local: bool) -> Header:
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
    _check_header(header, is_local)
    return header


def _check_header(header: Header, is_local: bool) -> None:
    if not 1 <= header.channels <= MAX_CHANNELS:
        raise AudioError(
            f"This file has {header.channels} channels. Choose one with 1 to {MAX_CHANNELS}."
        )
    if not MIN_SAMPLE_RATE <= header.sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"This file is sampled at {header.sample_rate} Hz. Choose one between "
            f"{MIN_SAMPLE_RATE // 1000} and {MAX_SAMPLE_RATE // 1000} kHz."
        )
    if header.duration is None or is_local:
        return
    if header.duration > MAX_SECONDS:
        raise _too_long()
    if header.duration * header.sample_rate * header.channels > MAX_VALUES:
        raise _too_many(header)


def _unreadable() -> AudioError:
    return AudioError(f"We couldn't read this as audio. Try {_FORMATS_SENTENCE}.")


def _too_long() -> AudioError:
    return AudioError(f"This file is longer than {_LONGEST}. Choose a shorter excerpt.")


def _too_many(header: Header) -> AudioError:
    channels = "1 channel" if header.channels == 1 else f"{header.channels} channels"
    return AudioError(
        f"This file is too long for {channels} at {header.sample_rate / 1000:g} kHz. "
        "Convert it to stereo at 48 kHz and try again."
    )


@dataclass(frozen=True)
class _Decoded:
    """A file's samples at 22,050 Hz, and the facts collected while decoding.

    Attributes
    ----------
    samples : the mix, or the requested channel [shape=(n,)]
    sides : both channels of a stereo file, if requested [shape=(n, 2)]
    broken : number of packets that could not be decoded
    cut : whether the file is longer than `MAX_SECONDS`
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
    """Decode one channel (the mix if None), and both sides if requested."""
    is_local = _is_local_file(source)
    with _open(source) as container:
        header = _header(container, is_local)
        keep_both = keep_sides and header.channels == 2
        weights = downmix.weights(header.layout)
        stream = Stream(weights, header.sample_rate, SAMPLE_RATE, channel, keep_both)
        broken = [0]
        max_samples = int(MAX_SECONDS * header.sample_rate)
        total = 0
        # One block is resampled while the next is decoded.
        with ThreadPoolExecutor(1) as executor:
            pending: Future[Any] = executor.submit(int)
            for block in frames.blocks(container, header.channels, header.sample_rate, broken):
                total += len(block)
                if total > max_samples and not is_local:
                    raise _too_long()
                if total * header.channels > MAX_VALUES and not is_local:
                    raise _too_many(header)
                # Decode at most one block ahead: a block may be 6 MB, and decoding silence is faster.
                pending.result()
                pending = executor.submit(stream.add, block[: len(block) - max(total - max_samples, 0)])
                if total > max_samples:
                    break
            pending.result()
    samples, sides = stream.finish()
    if not len(samples):
        raise _unreadable()
    return _Decoded(samples, sides, stream.levels, header, broken[0], total > max_samples)
