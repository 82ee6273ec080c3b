"""What the tests look for in a figure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.figures.catalogue import CATALOGUE
from torrey.figures.drawing import Drawing, FigureFiles, draw
from torrey.figures.own_kinds import KINDS


def lines(ax: Axes) -> dict[str, Line2D]:
    """Curves of the models by their labels, hollow markers and the like left out."""
    return {str(line.get_label()): line for line in ax.lines}


def texts(figure: Figure) -> list[str]:
    found = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    return [text for text in found if text]


def draw_checked(name: str, files: FigureFiles, directory: Path) -> Drawing:
    """Draw by the catalogue, and check what holds for every figure."""
    return _checked(draw(CATALOGUE[name], files), name, directory)


def draw_own(
    kind: str, files: FigureFiles, settings: Mapping[str, Any], directory: Path
) -> Drawing:
    """Draw a figure of one's own of a kind, and check what holds for every figure."""
    drawing = _checked(draw(KINDS[kind], files, settings), kind, directory)
    assert overlapping_texts(drawing.figure) == []
    return drawing


def _checked(drawing: Drawing, name: str, directory: Path) -> Drawing:
    artifacts.write(directory / f"{name}.nc", drawing.data, Provenance("test"))
    for ax in drawing.figure.axes:
        assert ax.lines or ax.patches or ax.get_label() == "<colorbar>", "an empty panel"
    assert identifiers(drawing.figure) == []
    for variable in drawing.data.values():
        assert variable.long_name
    return drawing


def identifiers(figure: Figure) -> list[str]:
    """Texts with a name of a configuration or a variable in them, which is no word."""
    plain = {text: re.sub(r"\$.*?\$", "", text) for text in texts(figure)}
    return [text for text, words in plain.items() if re.search(r"\w_\w", words)]


def overlapping_texts(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that lie on each other."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    hidden = _labels_outside_the_axes(figure)
    shown = [t for t in figure.findobj(Text) if t.get_text().strip() and t not in hidden]
    boxes = [(t.get_text(), Text.get_window_extent(t, renderer)) for t in shown]
    return [
        (a, b)
        for i, (a, box_a) in enumerate(boxes)
        for b, box_b in boxes[i + 1 :]
        if box_a.padded(-1.0).overlaps(box_b.padded(-1.0)) and box_a.width and box_b.width
    ]


def labels_of(ax: Axes) -> tuple[str, str]:
    return ax.get_xlabel(), ax.get_ylabel()


def _labels_outside_the_axes(figure: Figure) -> set[Text]:
    """Labels of ticks beyond the limits: they exist and are not drawn."""
    found: set[Text] = set()
    for axis in figure.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        margin = 1e-9 * (high - low)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            inside = low - margin <= tick.get_loc() <= high + margin
            labels = {tick.label1, tick.label2}
            found |= {label for label in labels if not (inside and label.get_visible())}
    return found
