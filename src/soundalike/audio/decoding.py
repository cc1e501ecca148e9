"""Audio decoding: a file or its bytes to a mono float32 clip at 22,050 Hz.

Conventions: samples are float32 in about [-1, 1]; time is in seconds, levels are in dBFS (0 dBFS is
a full-scale square wave). The decoder is PyAV. Its wheels include FFmpeg's libraries, so every format
below works without further packages. Resampling uses soxr's high quality, librosa's default.

A file passes three checks: its size, its header (container, codec, channels, sample rate, length), and
a decode that stops at the maximum length. Only an allow-list of containers and codecs is opened
(`formats`). Frames are mixed down (`downmix`) and resampled as they arrive, which bounds memory.

Bytes are a visitor's upload and are rejected over 30 MB, 20 minutes or `MAX_VALUES`. A path is a local
file of any size; only its first 20 minutes are read.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import downmix, file_headers, formats, frames, media_types, ogg_links
from soundalike.audio.clip import SAMPLE_RATE, Clip, _check_audible
from soundalike.audio.formats import EXTENSIONS as EXTENSIONS
from soundalike.audio.frames import Faults
from soundalike.audio.resampling import Levels, Stream
from soundalike.errors import AudioError

if TYPE_CHECKING:
    from av.audio.codeccontext import AudioCodecContext
    from av.audio.frame import AudioFrame
    from av.container import InputContainer


MAX_BYTES = 30 * 1024 * 1024
MAX_SECONDS = 20 * 60.0
MAX_VALUES = int(MAX_SECONDS) * 96_000 * 2
"""Samples of all channels of an upload: 20 minutes of stereo at 96 kHz, or 13 of 5.1 at 48 kHz. A few
bytes can hold any number of equal samples, and each costs the decoder's time."""

_OPENING_BYTES = 64 * 1024 * 1024
"""Number of bytes searched for the audio stream; cover art and other tags come first."""

_MISTAKEN_24_IN_32 = "pcm_f24le"
"""What FFmpeg takes whole numbers of 24 bits in 32 for."""
_LONGEST = f"{MAX_SECONDS / 60:.0f} minutes"


@dataclass(frozen=True)
class Header:
    """Properties from a file's header, read without decoding.

    `duration` is None if the file doesn't state its length, even if it could be guessed.
    """

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
        channels at 8 to 384 kHz, or if it is given as bytes and is over 30 MB, 20 minutes or
        `MAX_VALUES`.
    """
    with _open(source) as container:
        return _header(container, source)


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

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place; -1, which FFmpeg takes for an error, before the beginning.

        Damaged files lead there, and PyAV would print the exception.
        """
        try:
            return super().seek(offset, whence)
        except OSError:
            return -1


@contextmanager
def _open(source: str | Path | bytes) -> Iterator[InputContainer]:
    import av

    check_size(source)
    with ExitStack() as stack:
        try:
            # A stream instead of a name, which FFmpeg could interpret as a URL.
            stream = io.BytesIO(source) if isinstance(source, bytes) else _File(source)
            stack.enter_context(stream)
            container = stack.enter_context(_container(stream))
            if isinstance(stream, _File):
                stream.is_open = True
        except (av.FFmpegError, OSError, ValueError) as error:
            # FFmpeg raises the same error for some damaged files.
            if isinstance(error, PermissionError) and _is_local_file(source):
                raise AudioError("Permission denied. Check the file's permissions.") from error
            raise _unreadable(source) from error
        yield container


def _container(stream: Any) -> InputContainer:
    import av

    options = {"format_whitelist": formats.CONTAINERS, "codec_whitelist": formats.CODECS}
    container: InputContainer = av.open(
        stream, mode="r", options=options, metadata_errors="surrogateescape"
    )
    return container


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


def _header(container: InputContainer, source: str | Path | bytes) -> Header:
    if not container.streams.audio:
        raise AudioError(f"This file contains no audio. Try {formats.SENTENCE}.")
    stream = container.streams.audio[0]
    codec = stream.codec_context
    if codec is None:
        raise _unreadable(source)
    name = container.format.name.split(",")[0]
    with _reopened(source) as file:
        coded = _codec(codec.name, file)
        duration = _duration(container)
        if duration is not None and not file_headers.states_length(name, file, duration):
            duration = None
    if duration is not None and coded != codec.name:
        duration *= 24 / 32
    if coded not in formats.CODECS.split(","):
        raise formats.codec_refused(codec.codec.long_name)
    header = Header(
        name,
        coded,
        codec.channels,
        codec.sample_rate,
        duration,
        {key.lower(): _text(value) for key, value in (stream.metadata | container.metadata).items()},
        tuple(channel.name for channel in codec.layout.channels),
    )
    _check_header(header, _is_local_file(source))
    return header


def _reopened(source: str | Path | bytes) -> BinaryIO:
    """The source as a file of its own, as FFmpeg relies on the place in the one that it reads."""
    return io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")


def _codec(name: str, file: BinaryIO) -> str:
    """FFmpeg's name of the codec, corrected where it mistakes it."""
    is_mistaken = name == _MISTAKEN_24_IN_32 and file_headers.is_wav_of_24_in_32(file)
    return "pcm_s32le" if is_mistaken else name


def _duration(container: InputContainer) -> float | None:
    stream = container.streams.audio[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / 1_000_000


def _text(value: str) -> str:
    """A tag's text; bytes that are not UTF-8 are taken as Windows' Western encoding."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return value


def _check_header(header: Header, is_local: bool) -> None:
    if not 1 <= header.channels <= formats.MAX_CHANNELS:
        raise AudioError(
            f"This file has {header.channels} channels. Choose one with 1 to {formats.MAX_CHANNELS}."
        )
    if not formats.MIN_SAMPLE_RATE <= header.sample_rate <= formats.MAX_SAMPLE_RATE:
        raise AudioError(
            f"This file is sampled at {header.sample_rate} Hz. Choose one between "
            f"{formats.MIN_SAMPLE_RATE // 1000} and {formats.MAX_SAMPLE_RATE // 1000} kHz."
        )
    if header.duration is None or is_local:
        return
    if header.duration > MAX_SECONDS:
        raise _too_long()
    if header.duration * header.sample_rate * header.channels > MAX_VALUES:
        raise _too_many(header)


def _unreadable(source: str | Path | bytes) -> AudioError:
    try:
        with _reopened(source) as file:
            return formats.unreadable(file.read(media_types.HEAD_BYTES))
    except OSError:
        return formats.unreadable(b"")


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
    faults : what went wrong
    cut : whether the file is longer than `MAX_SECONDS`
    """

    samples: NDArray[np.float32]
    sides: NDArray[np.float32] | None
    levels: Levels
    header: Header
    faults: Faults
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
    whole = duration
    if decoded.cut:
        whole = header.duration or duration
        notes.append(f"The file is longer than {_LONGEST}, so we used only the beginning.")
    elif decoded.faults.first_part_only:
        notes.append("We used only the first part of the file, as the rest is in another form.")
    elif header.duration is not None and duration < 0.9 * header.duration - 0.5:
        notes.append(
            f"The file is damaged: we could decode {duration:.1f} s of {header.duration:.1f} s."
        )
    elif decoded.faults.broken:
        notes.append("We skipped some damaged parts of the file.")
    _check_audible(samples)
    return Clip(samples, SAMPLE_RATE, tuple(notes), source_duration=whole)


def _decode(
    source: str | Path | bytes, channel: int | None = None, keep_sides: bool = False
) -> _Decoded:
    """Decode one channel (the mix if None), and both sides if requested."""
    is_local = _is_local_file(source)
    with _open(source) as container:
        header = _header(container, source)
        sound = _sound(source, container, header, faults := Faults())
        keep_both = keep_sides and header.channels == 2
        weights = downmix.weights(header.layout)
        stream = Stream(weights, header.sample_rate, SAMPLE_RATE, channel, keep_both)
        max_samples = int(MAX_SECONDS * header.sample_rate)
        total = 0
        # One block is resampled while the next is decoded.
        with ThreadPoolExecutor(1) as executor:
            pending: Future[Any] = executor.submit(int)
            for block in frames.blocks(sound, header.channels, header.sample_rate, faults):
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
        raise _unreadable(source)
    return _Decoded(samples, sides, stream.levels, header, faults, total > max_samples)


def _sound(
    source: str | Path | bytes, container: InputContainer, header: Header, faults: Faults
) -> Iterator[AudioFrame]:
    """The frames of a file, or of all links of a chained Ogg file."""
    with _reopened(source) as file:
        starts = ogg_links.starts(file) if header.container == "ogg" else [0]
        if len(starts) == 1:
            yield from frames.decoded(container, faults, _other_decoder(container, header))
            return
        faults.first_part_only = len(starts) > ogg_links.MOST
        for start, end in islice(zip_longest(starts, starts[1:]), ogg_links.MOST):
            yield from _sound_of_link(ogg_links.Link(file, start, end), faults)


def _sound_of_link(link: ogg_links.Link, faults: Faults) -> Iterator[AudioFrame]:
    import av

    try:
        with _container(link) as container:
            audio = container.streams.audio
            codec = audio[0].codec_context if audio else None
            if codec is not None and codec.name in formats.CODECS.split(","):
                yield from frames.decoded(container, faults)
            else:
                faults.first_part_only = True
    except (av.FFmpegError, ValueError):
        faults.broken += 1


def _other_decoder(container: InputContainer, header: Header) -> AudioCodecContext | None:
    """A decoder in place of one that FFmpeg mistakes; None for FFmpeg's own."""
    import av

    codec = container.streams.audio[0].codec_context
    if header.codec == codec.name:
        return None
    decoder = cast("AudioCodecContext", av.CodecContext.create(header.codec, "r"))
    decoder.sample_rate = header.sample_rate
    decoder.layout = codec.layout
    return decoder
