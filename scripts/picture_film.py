"""An animated picture of a browser page, with the pointer, its clicks and the file it carries."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Locator, Page

WIDTH = 960
FRAME_MS = 80
REST_MS = 40
QUALITY = 70
ARROW = ((0, 0), (0, 17), (3.9, 13.4), (6.6, 19.6), (9.3, 18.4), (6.6, 12.4), (12, 12.2))
"""The pointer's outline, in pixels from its tip."""
FINE = 4
"""Drawn so many times larger and then reduced, for smooth edges."""
INK, PAPER, ACCENT = (10, 12, 22, 255), (255, 255, 255, 255), (74, 91, 196)
CARRIED = (10, 14)
"""Where a carried file hangs from the pointer's tip."""

Spot = tuple[float, float]


@dataclass
class Film:
    """What was filmed of a page so far.

    Attributes
    ----------
    page : that is filmed
    frames : with how long each of them is shown, in milliseconds
    tip : where the pointer is, in the page's pixels
    carried : the name of the file that the pointer carries
    """

    page: Page
    frames: list[tuple[Image.Image, int]] = field(default_factory=list)
    tip: Spot = (640.0, 500.0)
    carried: str = ""

    @property
    def ms(self) -> int:
        """How long the film is."""
        return sum(ms for _, ms in self.frames)

    def seen(self, pressed: float = 0.0) -> Image.Image:
        """The page as it is now; `pressed` is how far the ring of a click has grown, if there is one."""
        shot = Image.open(io.BytesIO(self.page.screenshot()))
        scale = WIDTH / shot.width
        size = (WIDTH, round(shot.height * scale))
        frame = shot.resize(size, Image.Resampling.LANCZOS).convert("RGBA")
        tip = (self.tip[0] * scale, self.tip[1] * scale)
        if pressed:
            frame.alpha_composite(ring(pressed), _corner(tip, -RING / 2))
        if self.carried:
            frame.alpha_composite(file(self.carried), _corner(tip, *CARRIED))
        frame.alpha_composite(arrow(), _corner(tip, -MARGIN))
        return frame.convert("RGB")

    def shoot(self, ms: int = FRAME_MS) -> None:
        """Add the page as it is now."""
        self.add(self.seen(), ms)

    def add(self, frame: Image.Image, ms: int) -> None:
        """Add a frame; one that looks like the last makes that last longer."""
        if self.frames and self.frames[-1][0].tobytes() == frame.tobytes():
            self.frames[-1] = (self.frames[-1][0], self.frames[-1][1] + ms)
        else:
            self.frames.append((frame, ms))

    def follow(self, seconds: float, faster: float = 1.0) -> None:
        """Film what moves for some time, to be shown so many times faster."""
        last = time.monotonic()
        end = last + seconds
        while last < end:
            self.page.wait_for_timeout(REST_MS)
            frame, now = self.seen(), min(time.monotonic(), end)
            self.add(frame, round(1000 * (now - last) / faster))
            last = now

    def move(self, target: Locator, frames: int = 6) -> None:
        """Lead the pointer to the middle of a part of the page."""
        box = target.bounding_box()
        if box is None:
            raise LookupError(f"{target} is not on the page")
        start, end = self.tip, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for number in range(1, frames + 1):
            self.tip = between(start, end, number / frames)
            self.page.mouse.move(*self.tip)
            self.shoot()

    def click(self, target: Locator, frames: int = 6) -> None:
        """Lead the pointer to a part of the page and press there."""
        self.move(target, frames)
        self.page.mouse.down()
        self.press()
        self.page.mouse.up()

    def press(self) -> None:
        """Show that the pointer is pressed."""
        for grown in (0.5, 1.0):
            self.add(self.seen(grown), FRAME_MS)

    def save(self, path: Path) -> None:
        """Write the film as an animated WebP that repeats without end."""
        pictures = [frame for frame, _ in self.frames]
        pictures[0].save(
            path,
            save_all=True,
            append_images=pictures[1:],
            duration=[ms for _, ms in self.frames],
            loop=0,
            quality=QUALITY,
            method=4,
        )


def between(start: Spot, end: Spot, share: float) -> Spot:
    """A place on the way, slow at both ends."""
    eased = share * share * (3 - 2 * share)
    return start[0] + (end[0] - start[0]) * eased, start[1] + (end[1] - start[1]) * eased


MARGIN = 3
RING = 44


@lru_cache
def arrow() -> Image.Image:
    """The pointer, its tip `MARGIN` pixels from the corner."""
    size = (12 + 2 * MARGIN, 20 + 2 * MARGIN)
    canvas = Image.new("RGBA", (size[0] * FINE, size[1] * FINE))
    outline = [((x + MARGIN) * FINE, (y + MARGIN) * FINE) for x, y in ARROW]
    draw = ImageDraw.Draw(canvas)
    draw.polygon(outline, INK)
    draw.line([*outline, outline[0], outline[1]], PAPER, round(1.3 * FINE), "curve")
    return canvas.resize(size, Image.Resampling.LANCZOS)


@lru_cache
def ring(grown: float) -> Image.Image:
    """What shows a click: a ring that grows and fades."""
    canvas = Image.new("RGBA", (RING * FINE, RING * FINE), (*ACCENT, 0))
    middle, radius = RING * FINE / 2, RING * FINE / 2 * (0.35 + 0.6 * grown)
    box = (middle - radius, middle - radius, middle + radius, middle + radius)
    strength = round(200 * (1.25 - grown))
    ImageDraw.Draw(canvas).ellipse(
        box, (*ACCENT, strength // 3), (*ACCENT, min(strength, 255)), 2 * FINE
    )
    return canvas.resize((RING, RING), Image.Resampling.LANCZOS)


@lru_cache
def file(name: str) -> Image.Image:
    """A file as it hangs from the pointer while it is dragged."""
    font = ImageFont.load_default(15 * FINE)
    width, height = round(font.getlength(name) / FINE) + 52, 38
    canvas = Image.new("RGBA", (width * FINE, height * FINE), (255, 255, 255, 0))
    draw = ImageDraw.Draw(canvas)
    edge = (FINE, FINE, (width - 1) * FINE, (height - 1) * FINE)
    draw.rounded_rectangle(edge, 8 * FINE, (255, 255, 255, 240), (*ACCENT, 255), round(1.5 * FINE))
    for number, tall in enumerate((6, 14, 20, 10, 4)):
        x = (12 + 4 * number) * FINE
        bar = (x, (height - tall) / 2 * FINE, x + 2 * FINE, (height + tall) / 2 * FINE)
        draw.rounded_rectangle(bar, FINE, (*ACCENT, 255))
    draw.text((40 * FINE, height * FINE / 2), name, INK, font, "lm")
    return canvas.resize((width, height), Image.Resampling.LANCZOS)


def _corner(tip: Spot, x: float, y: float | None = None) -> tuple[int, int]:
    """Where something is put that lies so far from the pointer's tip; nothing may begin outside."""
    return max(round(tip[0] + x), 0), max(round(tip[1] + (x if y is None else y)), 0)
