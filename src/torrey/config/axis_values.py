"""Values of the axes of sweeps as people write them: read, found in a sweep, and written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np

from torrey.base.budgets import quoted
from torrey.base.errors import InputError
from torrey.base.units import UNITS, Kind, unit_factor
from torrey.config.nodes import listed
from torrey.config.quantities import type_of
from torrey.gradients.axes import direction_labels, orientation_labels
from torrey.gradients.sweep import WAVEFORM, axis_declaration

#: Quantities are read to twelve digits.
_SAME: Final = 1e-9
#: Directions are written with few digits.
_NEAR: Final = 1e-3


def place_of(axis: str, values: Sequence[Any], text: object, of: str) -> int:
    """Return the place of a value on an axis of a sweep.

    Parameters
    ----------
    axis : str
    values : sequence
        Of the axis: see `Sweep.axes`.
    text : object
        As it stands in a file: a quantity with its unit, or a vector or a label for ``direction``
        and ``orientation``, or a name for ``waveform``.
    of : str
        Whose axis it is, in words, for the message.

    Raises
    ------
    InputError
        If the text is no value of the axis, or stands for several.
    """
    found = _places(axis, values, text)
    if len(found) != 1:
        what = "what several values could be" if found else "no value"
        raise InputError(
            f"{_shown(text)}, {what} of {axis} in {of}",
            f"one of {listed([written(axis, values, i) for i in range(len(values))])}",
        )
    return found[0]


def written(axis: str, values: Sequence[Any], place: int) -> str:
    """Write a value of an axis as `place_of` reads it."""
    if axis in ("direction", "orientation"):
        label = _labels(axis, values)[place]
        return f'"{label}"' if "roll" in label else f"[{label.replace(',', ', ')}]"
    if axis == WAVEFORM:
        return str(values[place])
    unit = axis_declaration(axis).unit
    if unit is None:
        return f"{values[place]:g}"
    kind = cast(Kind, unit)
    name = UNITS[kind].example.split(maxsplit=1)[1]
    return f"{values[place] / unit_factor(name, kind, name):.10g} {name}"


def _labels(axis: str, values: Sequence[Any]) -> tuple[str, ...]:
    if axis == "direction":
        return direction_labels(values)
    return orientation_labels(values) if axis == "orientation" else tuple(map(str, values))


def _places(axis: str, values: Sequence[Any], text: object) -> list[int]:
    if axis in ("direction", "orientation", WAVEFORM):
        labels = _labels(axis, values)
        if isinstance(text, str):
            return [i for i, label in enumerate(labels) if label == text.strip()]
        vectors = [getattr(value, "axis", value) for value in values]
        return [] if axis == WAVEFORM else _along(vectors, text)
    number = type_of(axis_declaration(axis)).read(text)
    return [
        i
        for i, value in enumerate(values)
        if math.isclose(value, number, rel_tol=_SAME, abs_tol=1e-300)
    ]


def _along(vectors: Sequence[Sequence[float]], text: object) -> list[int]:
    """Places of the vectors that point where some numbers do."""
    try:
        given = np.array([float(str(x)) for x in cast(Sequence[object], text)])
    except (TypeError, ValueError):
        return []
    norm = float(np.linalg.norm(given))
    if not 0 < len(given) <= 3 or not math.isfinite(norm) or norm == 0.0:
        return []
    wanted = np.pad(given / norm, (0, 3 - len(given)))
    far = [np.linalg.norm(np.pad(v, (0, 3 - len(v))) - wanted) for v in vectors]
    return [i for i, distance in enumerate(far) if distance == min(far) and distance < _NEAR]


def _shown(text: object) -> str:
    if isinstance(text, list):
        return f"[{listed([quoted(str(x)).strip(chr(34)) for x in text])}]"
    return quoted(text) if isinstance(text, str) else "nothing" if text is None else "a mapping"
