"""Spectrograms as pictures: draw a matrix as VGG16's 480 x 640 input image.

There are two renderers:

`figure`
    The article's: librosa's `specshow` on a default matplotlib figure of 6.4 x 4.8 inches at
    100 dpi, including axes, ticks and labels. It needs matplotlib, which the app doesn't.
`canvas`
    Only the matrix: levels are averaged to the pixel grid, then coloured.

Conventions: images are uint8 [shape=(480, 640, 3)], rows from the top, channels in BGR order, as in
VGG16's training; low frequencies are at the bottom. The colours are matplotlib's
`magma` (Smith and van der Walt, 2015; CC0), dark for quiet and pale yellow for loud.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike import numba_cache
from soundalike.audio.clip import HOP_LENGTH, SAMPLE_RATE

HEIGHT, WIDTH = 480, 640
BANDS, TIMES = 5, 10
"""Number of cells of the picture along frequency and time."""

MAGMA = np.frombuffer(
    bytes.fromhex(
        "00000300000400000601000701010901010b02020d02020f03031104031304041505041706051907051b"
        "08061d09071f0a07220b08240c09260d0a280e0a2a0f0b2c100c2f110c31120d33140d35150e38160e3a"
        "170f3c180f3f1a10411b10441c10461e10491f114b20114d2211502311522511552611572811592a115c"
        "2b115e2d10602f1062301065321067341068350f6a370f6c390f6e3b0f6f3c0f713e0f72400f73420f74"
        "430f75450f76470f774810784a10794b10794d117a4f117b50127b52127c53137c55137d57147d58157e"
        "5a157e5b167e5d177e5e177f60187f61187f63197f651a80661a80681b80691c806b1c806c1d806e1e81"
        "6f1e81711f81731f817420817621817721817922817a22817c23817e24817f2481812581822581842681"
        "8526818727818928818a28818c29808d29808f2a80912a80922b80942b80952c80972c7f992d7f9a2d7f"
        "9c2e7f9e2e7e9f2f7ea12f7ea3307ea4307da6317da7317da9327cab337cac337bae347bb0347bb1357a"
        "b3357ab53679b63679b83778b93778bb3877bd3977be3976c03a75c23a75c33b74c53c74c63c73c83d72"
        "ca3e72cb3e71cd3f70ce4070d0416fd1426ed3426dd4436dd6446cd7456bd9466ada4769dc4869dd4968"
        "de4a67e04b66e14c66e24d65e44e64e55063e65162e75262e85461ea5560eb5660ec585fed595fee5b5e"
        "ee5d5def5e5df0605df1615cf2635cf3655cf3675bf4685bf56a5bf56c5bf66e5bf6705bf7715bf7735c"
        "f8755cf8775cf9795cf97b5df97d5dfa7f5efa805efa825ffb8460fb8660fb8861fb8a62fc8c63fc8e63"
        "fc9064fc9265fc9366fd9567fd9768fd9969fd9b6afd9d6bfd9f6cfda16efda26ffda470fea671fea873"
        "feaa74feac75feae76feaf78feb179feb37bfeb57cfeb77dfeb97ffebb80febc82febe83fec085fec286"
        "fec488fec689fec78bfec98dfecb8efdcd90fdcf92fdd193fdd295fdd497fdd698fdd89afdda9cfddc9d"
        "fddd9ffddfa1fde1a3fce3a5fce5a6fce6a8fce8aafceaacfcecaefceeb0fcf0b1fcf1b3fcf3b5fcf5b7"
        "fbf7b9fbf9bbfbfabdfbfcbf"
    ),
    np.uint8,
).reshape(256, 3)
"""The 256 colours of magma, dark to light, RGB."""


def canvas(matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw a matrix without margins or axes.

    Parameters
    ----------
    matrix : [shape=(d, t)], any finite values; the smallest becomes dark, the largest pale yellow

    Returns
    -------
    uint8 array [shape=(480, 640, 3)], BGR
    """
    from PIL import Image

    flipped = np.ascontiguousarray(matrix[::-1], dtype=np.float32)
    resized = Image.fromarray(flipped).resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    return colour(np.asarray(resized), float(matrix.min()), float(matrix.max()))[:, :, ::-1]


def canvas_levels(matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colour indexes into `MAGMA` of the pixels of `canvas`, one row per row of the matrix.

    Parameters
    ----------
    matrix : [shape=(d, t)], d at most 480

    Returns
    -------
    uint8 array [shape=(d, 640)], in the order of the matrix's rows; `canvas` repeats each row
    """
    from PIL import Image

    rows = Image.fromarray(np.ascontiguousarray(matrix, dtype=np.float32))
    resized = rows.resize((WIDTH, len(matrix)), Image.Resampling.BOX)
    return _levels(np.asarray(resized), float(matrix.min()), float(matrix.max()))


def colour(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """Map values between low and high to magma, RGB; a constant matrix is all dark."""
    coloured: NDArray[np.uint8] = MAGMA[_levels(values, low, high)]
    return coloured


def _levels(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    span = high - low
    if span <= 0:
        return np.zeros(values.shape, np.uint8)
    levels: NDArray[np.uint8] = np.clip((values - low) / span * 256, 0, 255).astype(np.uint8)
    return levels


def figure(mel_db: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw a mel spectrogram as the article did, with matplotlib and axes.

    This is for reference and evaluation; matplotlib is in the extra `dev` only.

    Parameters
    ----------
    mel_db : [shape=(216, t)], dB

    Returns
    -------
    uint8 array [shape=(480, 640, 3)], BGR
    """
    numba_cache.ready()
    import librosa.display
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(matplotlib.rcParamsDefault):
        drawing = Figure(figsize=(6.4, 4.8), dpi=100)
        agg = FigureCanvasAgg(drawing)
        librosa.display.specshow(
            mel_db,
            x_axis="time",
            y_axis="mel",
            sr=SAMPLE_RATE,
            hop_length=HOP_LENGTH,
            ax=drawing.add_subplot(),
        )
        agg.draw()  # type: ignore[no-untyped-call]
        rgb = np.asarray(agg.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(rgb[:, :, ::-1])
