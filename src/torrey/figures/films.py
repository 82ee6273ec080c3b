"""Films of a figure: animated pictures whose colours are few, so that the files are small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

#: Colours of a GIF.
_MOST: Final = 256
#: Shades between white and each of the colours of lines, as their smooth edges have.
_SHADES: Final = 12
#: Pixels of an inch.
_RESOLUTION: Final = 130
_SECONDS: Final = 6.0
#: How long the last frame stays, in frames.
_REST: Final = 8


@dataclass(frozen=True)
class Film:
    """A figure that changes.

    Attributes
    ----------
    figure : Figure
    show : callable
        Makes the figure that of a frame, by its number.
    frames : int
    lines : tuple of str
        Colours of lines and letters.
    map : str
        Name of the map of colours of what else is drawn; empty for none.
    """

    figure: Figure
    show: Callable[[int], None]
    frames: int
    lines: tuple[str, ...]
    map: str = ""


def write_film(film: Film, path: str | Path) -> None:
    """Write a film as an animated GIF that begins anew when it is over."""
    film.figure.set_dpi(_RESOLUTION)
    canvas = FigureCanvasAgg(film.figure)
    pictures = []
    for number in range(film.frames):
        film.show(number)
        canvas.draw()
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    palette = Image.new("P", (1, 1))
    palette.putpalette(_colours(film))
    frames = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures]
    each = round(1000.0 * _SECONDS / film.frames)
    frames[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[each] * (len(frames) - 1) + [_REST * each],
        loop=0,
    )


def _colours(film: Film) -> list[int]:
    """Colours that all frames are made of: red, green and blue of each, one after the other."""
    shares = np.arange(_SHADES) / _SHADES
    found = [np.ones((1, 3))]
    for name in dict.fromkeys(film.lines):
        color = np.array(to_rgb(name))
        found.append(color + shares[:, None] * (1.0 - color))
    left = _MOST - sum(map(len, found))
    if film.map:
        found.append(colormaps[film.map](np.linspace(0.0, 1.0, left))[:, :3])
    return np.round(255.0 * np.concatenate(found)).astype(int).ravel().tolist()
