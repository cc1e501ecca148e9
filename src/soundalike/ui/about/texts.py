"""The About page's texts; their numbers come from the code and the index."""

from __future__ import annotations

from soundalike import representations
from soundalike.audio import decoding
from soundalike.audio.clip import HOP_LENGTH, MIN_SECONDS, N_FRAMES, SAMPLE_RATE
from soundalike.features import psychoacoustics, spectral, spectrogram_image
from soundalike.index import duplicates
from soundalike.index.index import Index
from soundalike.models import vgg16
from soundalike.representations import genre_head, vgg_mel
from soundalike.ui.components import plain

_NAMED = 3
"""Number of most and least common genres that are named."""

SOUND = """
Sound is air pressure that swings above and below its resting value. The number of swings per second
is its **frequency**, in hertz (Hz). The size of the swings is its **amplitude**. A sine is the
simplest sound: one frequency, one line in its **spectrum**. Every other steady sound is a sum of
sines. A square wave gets its pitch from the lowest sine and its harshness from the odd multiples
above.

Levels are given in **decibels** (dB), which measure ratios: 6 dB less is half the amplitude, 20 dB
less is a tenth. Here, 0 dBFS is the loudest sine that a file can hold.
"""

_NYQUIST = SAMPLE_RATE / 2
DIGITAL = f"""
A computer stores a sound as numbers: its pressure, measured many thousand times a second. Half of
this **sample rate** is the **Nyquist frequency**, and only tones below it survive. A higher tone
gives exactly the same samples as a lower one, its **alias**, which is mirrored at the Nyquist
frequency. Afterwards, nothing can tell the two apart. This is why recorders filter a sound before
sampling it. The second player deliberately skips the filter.

Soundalike uses {SAMPLE_RATE:,} Hz and therefore frequencies up to {_NYQUIST:,.0f} Hz.
Cymbals lose some shimmer; melodies lose nothing that matters.
"""

HEARING = """
Ears aren't microphones. They are most sensitive at 3 to 4 kHz, where the ear canal resonates, and
much less so at low frequencies: a deep tone needs far more pressure to sound as loud. Each line
connects tones that listeners aged 18 to 25 with normal hearing find equally loud, according to ISO
226:2003. Its number, in **phon**, is the level of the 1 kHz tone on the line. **dB SPL** measures
pressure relative to 20 µPa, about the faintest audible tone at 1 kHz.

Play both tones at the same level, then equally loud. Loudspeakers matter too: small ones produce
little sound below 150 Hz. Start with the volume low.
"""

_CENTRES = psychoacoustics.mel_centres(spectral.N_MELS, _NYQUIST)
_LOWEST_STEP = _CENTRES[1] - _CENTRES[0]
_HIGHEST_STEP = _CENTRES[-1] - _CENTRES[-2]
PITCH = f"""
An octave is a doubling of frequency, wherever it starts. Equal steps in hertz are therefore not
equal steps in pitch: 250 Hz more is a whole octave at 250 Hz, but only about a semitone at 4,000 Hz.
The **mel** scale is based on listeners' judgements: equal steps sound equally far apart. There are
several formulas. Soundalike uses Slaney's, as librosa does: linear up to 1 kHz, logarithmic above.

We split the sound into {spectral.N_MELS} bands, evenly spaced in mel. Neighbouring bands are
{_LOWEST_STEP:.0f} Hz apart at the bottom and {_HIGHEST_STEP:.0f} Hz at the top: fine where melodies
are, coarse where cymbals hiss.
"""

SPECTROGRAMS = f"""
A spectrum has no sense of time, and music is made of time. We therefore cut the sound into short,
overlapping **windows**, analyse each one separately, and show the spectra side by side; bright is
loud. The window's length is a trade-off. A long window separates close frequencies but smears a drum
hit over its whole length. A short window locates the hit but blurs the pitch. The **hop** is the step
from one window to the next. A smaller hop gives more columns, but can't sharpen what the window has
blurred.

Soundalike uses windows of {spectral.N_FFT:,} samples and a hop of {HOP_LENGTH}, which gives
{N_FRAMES:,} columns for 30 s.
"""

_JOINED = representations.get("vgg_genre").title
_BANDS, _CELLS = vgg_mel.GRID
METHOD = f"""
1. We turn half a minute into a **mel spectrogram** of {spectral.N_MELS} bands, in dB relative to its
   loudest point, and draw it as a picture of {spectrogram_image.WIDTH} × {spectrogram_image.HEIGHT}
   pixels.
2. **VGG16**, a network trained on photographs, processes the picture. From its last convolution we
   keep the largest values in {_BANDS} frequency bands and {_CELLS} spans of 3 s, on
   {vgg16.CHANNELS} channels. These {vgg_mel.DIM:,} numbers are the sound's **embedding**.
3. The **genre head**, a small network trained on genre labels, reduces VGG16's output to
   {genre_head.DIM} numbers and computes the probability of each genre from them. "{_JOINED}" combines
   both embeddings and multiplies the second by {representations.GENRE_WEIGHT:.0f}.
4. The closer two embeddings point in the same direction, the more alike the clips. We measure this by
   **cosine similarity**, which is at most 1. A playlist consists of the library's nearest tracks,
   without the recording itself.

This is the method of the article "Content-based automated playlist generation using deep learning"
(2020). By default, the app compares by **{representations.get("soundalike").title}**, which combines
two networks. musicnn was trained to tag 200,000 songs, YAMNet to name 521 kinds of sound on two million
clips. We first bring the clip to a standard level. Each network's output for short stretches is averaged
over the clip, and the library's average is subtracted. We then compare the remaining
{representations.get("soundalike").dim:,} numbers. Recordings are corrected for the room and the
loudspeaker first.

An earlier default was reported to beat musicnn. On music that it had not been selected on, it lost. We
chose the current default because it does well on several data sets. The Compare page has its figures: it
is level with musicnn on the evaluation clips, and ahead on this library.
"""

EVALUATION = """
Only listeners can say whether two pieces sound alike. What we can measure is agreement with genre
labels, which are rough themselves. The figures here compare systems; they don't say how good a
playlist is. **Held out** means that no genre head was tested on an album or artist it was trained on.
**Precision at 10** is the share of a track's ten nearest neighbours that have its genre. Tracks by
the same artist are left out, because an album is easily recognised by its production.
"""

_MAX_MB, _MAX_MINUTES = decoding.MAX_BYTES // 2**20, decoding.MAX_SECONDS / 60
PRIVACY = f"""
- **We don't ask for or store anything about you.** There are no accounts and no listening history,
  and usage statistics are switched off.
- **Your clips stay in memory.** An upload or recording is sent to the computer that serves this page.
  It stays in memory while your session shows it, and is never written to disk or logged. No other
  session can see it. The microphone is used only while you record.
- **No other host is contacted.** Fonts, scripts, models and music all come from the server itself, so
  the pages work offline if the server does.
- **Your browser stores two small things:** a cookie that protects uploads against forged requests,
  deleted when you close the browser, and your choice of light or dark mode.
- **Links contain settings, not sound.** The address in your browser names the track and the current
  settings, so a copied link reopens them. For an upload, it says only that there was one.
- **Limits:** files up to {_MAX_MB} MB and {_MAX_MINUTES:.0f} minutes. We analyse half a minute of
  each.
"""


def data(index: Index) -> str:
    """The library: its size, origin and licences."""
    tracks = index.tracks
    named = {column: index.count(column) for column in ("artist", "album", "genre")}
    size = (
        f"The library has {_counted(len(index), 'clip')} by {_counted(named['artist'], 'artist')} from "
        f"{_counted(named['album'], 'album')}, in {_counted(named['genre'], 'genre')}."
    )
    if "package" not in tracks:
        return f"{size} Each clip keeps its own licence." if "licence" in tracks else size
    return (
        f"{size} They come from free games and a few other free programs, packaged by Debian. We "
        "changed only the excerpt, the loudness and the encoding. Each clip keeps the licence of the "
        "piece it was cut from and may be used under its terms."
    )


def limits(index: Index, accuracy: float | None) -> str:
    """The limits of the app."""
    right = tagged = ""
    if accuracy is not None:
        right = f" On tracks left out of training, the genre head was right {accuracy:.0%} of the time."
    if "genre_source" in index.tracks:
        share = (index.tracks["genre_source"] == "tagger").mean()
        tagged = (
            f" {share:.0%} of the labels come from an automatic tagger, and none were checked by ear."
        )
    return f"""
- **It can only recommend what the library has.** {_spread(index)} Other kinds of music get the closest
  match available.
- **Similar doesn't mean you'll like it.** We compare timbre, register and texture. Lyrics, culture and
  what a song means to you don't count.
- **The networks were trained for other tasks.** VGG16 was trained on photographs; that it works on
  pictures of sound at all is a finding. musicnn was trained on listeners' tags for popular songs, mostly
  Western, and works best on those. YAMNet was trained on the sound of public videos.
- **Recordings are estimates.** A song recorded with a phone in a room keeps about six of its ten
  neighbours, fewer in loud noise, unless the library has the song.
- **Genres are rough.** Each track has one label.{tagged}{right}
- **Half a minute represents a track**, the loudest part of a long one. Clips under
  {MIN_SECONDS:.0f} s are rejected, and clips under 30 s are looped.
- **The article's methods depend on timing.** VGG16's embeddings record when things happen, so the same
  music shifted by a second looks less similar. We recognise copies by a similarity of
  {duplicates.SIMILARITY} or more in these embeddings if they start at the same time, and by a
  fingerprint otherwise.
"""


def _spread(index: Index) -> str:
    """The number of clips, and the most and least common genres."""
    size = _counted(len(index), "clip")
    counts = index.tracks["genre"][index.tracks["genre"] != ""].value_counts()
    if len(counts) < 2 * _NAMED:
        return f"{size[:1].upper()}{size[1:]}."
    common, rare = (
        ", ".join(f"{plain(str(genre))} {n:,}" for genre, n in ends.items())
        for ends in (counts.head(_NAMED), counts.tail(_NAMED))
    )
    return f"{size}, unevenly distributed. Most common: {common}. Least common: {rare}."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
