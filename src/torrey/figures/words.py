"""What the panels of a figure show, in words: what tells them apart, and what all of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray

from torrey.figures import style

#: How the values of the known quantities are written, in the order of a sentence.
_TEXTS: Final[dict[str, Callable[[Any], str]]] = {
    "study": lambda name: str(name).replace("_", " "),
    "cell": str,
    "period": style.period_text,
    "sigma0": style.sigma0_text,
    "permeability": style.kappa_text,
    "delta": style.delta_text,
    "Delta": style.Delta_text,
    "b": style.b_text,
    "direction": style.direction_text,
}
#: Coordinates that name panels and rows and say nothing of what was measured.
_NAMES: Final = frozenset({"panel", "model", "instant", "eigenvalue", "axis"})


@dataclass(frozen=True)
class PanelWords:
    """What the panels of a figure show.

    Attributes
    ----------
    titles : tuple of str
        One per panel: the quantities that its title always names, and all others in which the
        panels differ.
    shared : str
        What all panels have in common and no title says; may be empty.
    """

    titles: tuple[str, ...]
    shared: str


def words_of(panels: xarray.Dataset, titled: Sequence[str] = ()) -> PanelWords:
    """Say what panels show.

    Parameters
    ----------
    panels : Dataset
        As `read_panels` cuts them: what has one value in a panel is a coordinate of the panels.
        A single panel will do, whose coordinates have no dimension.
    titled : sequence of str
        Quantities that titles name first, whether or not the panels differ in them.
    """
    if "panel" not in panels.dims:
        panels = panels.expand_dims("panel")
    values = {name: _values(panels, name) for name in _quantities(panels)}
    differing = [name for name, of in values.items() if len(set(of)) > 1 and name not in titled]
    common = [name for name in values if name not in (*titled, *differing)]
    texts = {name: [_text(panels, name, value) for value in of] for name, of in values.items()}
    rows = [
        {name: texts[name][i] for name in (*titled, *differing)}
        for i in range(panels.sizes["panel"])
    ]
    return PanelWords(
        titles=tuple(_title(row) for row in rows),
        shared=", ".join(filter(None, (texts[name][0] for name in common))),
    )


def _title(texts: dict[str, str]) -> str:
    """Join what a title says; a cell takes a line of its own."""
    cell = texts.pop("cell", "")
    return "\n".join(filter(None, (cell, ", ".join(texts.values()))))


def _quantities(panels: xarray.Dataset) -> list[str]:
    """Names of what has one value in each panel, in the order of a sentence."""
    found = [
        str(name)
        for name, values in panels.coords.items()
        if name not in _NAMES and set(values.dims) <= {"panel"}
    ]
    known = [name for name in _TEXTS if name in found]
    at = known.index("Delta") + 1 if "Delta" in known else len(known)
    # Other parameters of the waveform stand beside its times.
    return [*known[:at], *(name for name in found if name not in _TEXTS), *known[at:]]


def _values(panels: xarray.Dataset, name: str) -> list[Any]:
    values = panels[name].values
    return list(np.broadcast_to(values, panels.sizes["panel"]).tolist())


def _text(panels: xarray.Dataset, name: str, value: Any) -> str:
    return text_of(name, value, str(panels[name].attrs.get("units", "")))


def text_of(name: str, value: Any, units: str) -> str:
    """Write the value of a quantity with its symbol and unit.

    Parameters
    ----------
    name : str
        Of an axis of a sweep, ``cell`` or ``study``.
    value : object
        In the units of files.
    units : str
        Written where the quantity has no text of its own.
    """
    if name in _TEXTS:
        return _TEXTS[name](value)
    number = f"{value:.6g}" if isinstance(value, float) else f"{value}"
    return f"{name.replace('_', ' ')} = {number} {units if units != '1' else ''}".strip()
