"""What the About page says, in its own words; the figures come from the code and the index."""

from __future__ import annotations

import numpy as np

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
"""Genres that are named as the commonest, and as the rarest."""

SOUND = """
Sound is air pressure that swings above and below its resting value. How often it swings in a second
is its **frequency**, in hertz (Hz); how far, its **amplitude**. A sine is the plainest sound there
is: one frequency, one line in its **spectrum**. Every other steady sound is a sum of sines. A
square wave takes its pitch from the lowest of them, and its edge from the odd multiples above.

Levels are counted in **decibels** (dB), which measure ratios: 6 dB less is half the amplitude, 20
dB less a tenth. Here 0 dBFS is the loudest sine that a file can hold.
"""

_NYQUIST = SAMPLE_RATE / 2
DIGITAL = f"""
A computer keeps a sound as numbers: its pressure, measured many thousand times a second. Half that
**sample rate** is the **Nyquist frequency**, and only tones below it survive. A higher one gives
exactly the same samples as a lower one, its **alias**, folded back at the Nyquist frequency, and
nothing can tell the two apart afterwards. This is why recorders filter a sound before they sample
it; the second player leaves the filter out on purpose.

Soundalike listens at {SAMPLE_RATE:,} Hz, so up to {_NYQUIST:,.0f} Hz: cymbals lose some
shimmer, melodies nothing that matters.
"""

HEARING = """
Ears are no microphones. They are keenest at 3 to 4 kHz, where the ear canal resonates, and dull at
the bottom: a deep tone needs far more pressure to sound as loud. Each line joins tones that
listeners of 18 to 25 years with normal hearing find equally loud, after ISO 226:2003; its number,
in **phon**, is the level of the 1 kHz tone on it. **dB SPL** measures pressure against 20 µPa,
about the faintest tone of 1 kHz that can be heard.

Play both tones at one level, then made equally loud. Loudspeakers have their say as well: small
ones play little below 150 Hz. Begin with the volume low.
"""

_CENTRES = psychoacoustics.mel_centres(spectral.N_MELS, _NYQUIST)
_LOWEST_STEP = _CENTRES[1] - _CENTRES[0]
_HIGHEST_STEP = _CENTRES[-1] - _CENTRES[-2]
PITCH = f"""
An octave is twice the frequency, wherever it begins. So equal steps in hertz are not equal steps in
pitch: 250 Hz more is a whole octave at 250 Hz, and about a semitone at 4,000 Hz. The **mel** scale
was made from listeners' judgements, such that equal steps sound equally far apart. Of its several
formulas Soundalike takes librosa's, by Slaney: straight up to 1 kHz, logarithmic above.

The sound is split into {spectral.N_MELS} bands, evenly in mel. Neighbours lie {_LOWEST_STEP:.0f} Hz
apart at the bottom and {_HIGHEST_STEP:.0f} Hz at the top: fine where melodies live, coarse where
cymbals hiss.
"""

SPECTROGRAMS = f"""
A spectrum knows no time, and music is made of it. So the sound is cut into short, overlapping
**windows**, each is analysed by itself, and their spectra stand side by side, bright for loud. The
window's length is a bargain: a long one tells close frequencies apart and smears a drum hit over
its whole length, a short one places the hit and blurs the pitch. The **hop** is the step from one
window to the next. A smaller one draws more columns, but sharpens nothing that the window has
blurred.

Soundalike takes {spectral.N_FFT:,} samples and a hop of {HOP_LENGTH}: {N_FRAMES:,}
columns for 30 s.
"""

_JOINED = representations.get("vgg_genre").title
_BANDS, _CELLS = vgg_mel.GRID
METHOD = f"""
1. Half a minute becomes a **mel spectrogram** of {spectral.N_MELS} bands, in dB below its loudest
   point, and that a picture of {spectrogram_image.WIDTH} × {spectrogram_image.HEIGHT} pixels.
2. **VGG16**, a network that learned to see from photographs, looks at the picture. Of what its last
   convolution reports, the largest values in {_BANDS} bands of pitch and {_CELLS} spans of 3 s are
   kept, on {vgg16.CHANNELS} channels: {vgg_mel.DIM:,} numbers, the **embedding** of the sound.
3. The **genre head**, a small network trained on genre labels, takes VGG16's report down to
   {genre_head.DIM} numbers, and those to the probability of each genre. "{_JOINED}" joins both
   embeddings, the second times {representations.GENRE_WEIGHT:.0f}.
4. Two clips are as alike as their embeddings point the same way: their **cosine similarity**, 1 at
   most. A playlist is the nearest of the library, the recording itself left out.

That is the way of the article "Content-based automated playlist generation using deep learning"
(2020). Unless told otherwise the app compares by **{representations.get("soundalike").title}**. It
joins two networks: musicnn, which learned to tag 200,000 songs, and YAMNet, which learned to name 521
kinds of sound on two million clips. The clip is first brought to one level. Each network's output for
short stretches is averaged over the clip, the library's average is subtracted, and the
{representations.get("soundalike").dim:,} numbers that remain are compared. A recording is corrected
for the room and the loudspeaker before that.

An earlier default was said to beat musicnn. On music that it had not been chosen on, it lost to it. This
one was chosen because it holds on several sets, and the Compare page has its figures: on the evaluation
clips it is level with musicnn, and on this library it is ahead.
"""

EVALUATION = """
There is no measure of whether two pieces sound alike but listeners. What can be counted is how far
the sound agrees with genre labels, and those are rough themselves; so a figure here says how two
systems compare, not how good a playlist is. **Held out** means that no head was tested on an album
or an artist that it was trained on. **Precision at 10** is the share of a track's ten nearest that
have its genre; tracks by its own artist are left out, since an album is easily known by its
production.
"""

_MAX_MB, _MAX_MINUTES = decoding.MAX_BYTES // 2**20, decoding.MAX_SECONDS / 60
PRIVACY = f"""
- **Nothing about you is asked or kept.** There is no account and no listening history, and usage
  statistics are switched off.
- **Your clips stay in memory.** An upload or a recording goes to the computer that serves this
  page, is held in its memory for as long as your session shows it, and is never written to disk or
  logged. No one else's session can see it. The microphone is used only while you record.
- **No other host is called.** Fonts, scripts, models and music all come from the server itself; a
  page works offline once the server does.
- **Your browser keeps two small things:** a cookie that guards uploads against forged requests, gone
  when you close the browser, and whether you like the page light or dark.
- **Links carry settings, not sound.** The address in your browser names the track and the settings
  on screen, so that a copied link reopens them. Of an upload it says no more than that there was
  one.
- **Limits of what is read:** files up to {_MAX_MB} MB and {_MAX_MINUTES:.0f} minutes, of which half
  a minute is analysed.
"""


def data(index: Index) -> str:
    """The library: how much, where from, and under what terms."""
    tracks = index.tracks
    named = {
        column: int(tracks[column].replace("", np.nan).nunique())
        for column in ("artist", "album", "genre")
    }
    size = (
        f"The library holds {_counted(len(index), 'clip')} by {_counted(named['artist'], 'artist')} on "
        f"{_counted(named['album'], 'album')}, in {_counted(named['genre'], 'genre')}."
    )
    if "package" not in tracks:
        return size
    return (
        f"{size} They come with free games and a few other free programs, packaged by Debian; the cut, "
        "the loudness and the encoding are the only changes. Each clip stays under the licence of the "
        "piece it was cut from, and may be used as that licence says."
    )


def limits(index: Index, accuracy: float | None) -> str:
    """What it cannot do."""
    right = tagged = ""
    if accuracy is not None:
        right = f" Of tracks that its training left out, the genre head named {accuracy:.0%} right."
    if "genre_source" in index.tracks:
        share = (index.tracks["genre_source"] == "tagger").mean()
        tagged = f", {share:.0%} of them from an automatic tagger, none checked by listening"
    return f"""
- **It can recommend only what it has.** {_spread(index)} Music of another kind gets the least unlike of
  these.
- **Alike is not liked.** It compares timbre, register and texture. It follows no words, knows no
  culture, and cannot tell what a song means to you.
- **It borrows its networks.** VGG16 learned from photographs; that pictures of sound work at all is a
  finding. musicnn learned from tags that listeners gave to popular songs, mostly Western, and tells
  those apart best. YAMNet learned from the sound of public videos.
- **Recordings are estimates.** A song that a phone recorded in a room keeps about six of its ten
  neighbours, fewer in loud noise, unless the library has the song.
- **Genres are rough.** One label a track{tagged}.{right}
- **Half a minute stands for a track**, the loudest of a long one. A clip under
  {MIN_SECONDS:.0f} s is refused, and one under 30 s is repeated to fill them.
- **Time counts for the article's ways.** VGG16's embeddings keep when things happen, so that the
  same music shifted by a second looks less like itself. Copies are told by a similarity of
  {duplicates.SIMILARITY} or more in them if they begin together, and by a fingerprint if they do not.
"""


def _spread(index: Index) -> str:
    """How many clips there are, and of which genres most and fewest."""
    size = _counted(len(index), "clip")
    counts = index.tracks["genre"][index.tracks["genre"] != ""].value_counts()
    if len(counts) < 2 * _NAMED:
        return f"{size[:1].upper()}{size[1:]}."
    common, rare = (
        ", ".join(f"{plain(str(genre))} {n:,}" for genre, n in ends.items())
        for ends in (counts.head(_NAMED), counts.tail(_NAMED))
    )
    return f"{size}, unevenly spread: most {common}; fewest {rare}."


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
