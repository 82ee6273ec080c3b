"""The table of tensors of Kchaou, Haddar and Moakher 2019."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.gradients.waveforms import Pgse
from torrey.models.kurtosis import CONFINED, fourth_moment, symmetric_part, unique_components
from torrey.tables.writing import RESOLVED, Column, Table, TableFiles, zero_within

Array = NDArray[np.float64]
Timing = tuple[float, float]

_UNITS: Final = {
    "D": "um^2/ms",
    "S": "cell^2",
    "T": "um^2/ms cell^2",
    "B": "um^2/ms cell^2",
    "W / L^2": "1/um^2",
}
_OTHERS: Final = frozenset({"rise_time", "cycles", "mixing_time", "angle"})
_DIRECTIONS: Final = 3600
"""Of the plane, over which B::nnnn is searched for its largest value."""


@dataclass(frozen=True)
class _Box:
    """Tensors of one compartment of a box."""

    name: str
    tensors: dict[str, Array]


@dataclass(frozen=True)
class _Row:
    tensor: str
    component: str
    unit: str
    values: tuple[float, ...]
    scale: float
    """Largest component of the tensor: what is small beside it is rounding or the mesh."""


def table_tensors(files: TableFiles) -> Table:
    """D, S, T, B and W of every box: all components, then what symmetry leaves of W, and checks.

    KHM19 (8)-(16), (20), (25). W grows with the square of the period L, and is given over L^2.

    Raises
    ------
    ValueError
        If the gradients of a study are not two pulses, the studies have no timing in common, or
        the boxes are of several dimensions.
    """
    timing = _common_timing(files.files["signals"])
    cells = files.cells()
    boxes = [
        box
        for study, path in files.files["tensors"].items()
        for box in _boxes(path, timing, cells.get(study, study))
    ]
    sizes = {len(box.tensors["D"]) for box in boxes}
    if len(sizes) > 1:
        raise ValueError("boxes of one dimension go into one table")
    rows = [*_components(boxes), *_independent(boxes), *_symmetries(boxes)]
    words = {
        "tensor": ("tensor", [row.tensor for row in rows]),
        "component": ("component", [row.component for row in rows]),
        "unit": ("unit", [row.unit for row in rows]),
    }
    columns = [Column(name, label, values) for name, (label, values) in words.items()]
    for i, box in enumerate(boxes):
        values = [row.values[i] for row in rows]
        errors = [RESOLVED * row.scale for row in rows]
        numbers = zero_within(values, errors)
        texts = [_fixed(value, row.scale) for value, row in zip(numbers, rows, strict=True)]
        columns.append(Column(f"box_{i + 1}", box.name, values, "1", texts, errors))
    title = "Homogenised tensors of the boxes of KHM19"
    return Table(title, tuple(columns), _notes(sizes.pop(), *timing))


def _common_timing(signals: Mapping[str, str]) -> Timing:
    """First delta and Delta (ms) that all studies have."""
    timings = [_timings(study, path) for study, path in signals.items()]
    common = [timing for timing in timings[0] if all(timing in others for others in timings)]
    if not common:
        raise ValueError(f"studies {', '.join(signals)}: no delta and Delta that all have")
    return common[0]


def _timings(study: str, path: str) -> list[Timing]:
    table = artifacts.read(path)
    # Other waveforms with these two have more parameters.
    if not {"delta", "Delta"} <= set(table) or _OTHERS & set(table):
        raise ValueError(f"study {study}: W needs two rectangular pulses (pgse)")
    return list(product(map(float, table["delta"]), map(float, table["Delta"])))


def _boxes(path: str, timing: Timing, cell: str) -> Iterator[_Box]:
    """One box for each compartment of a cell; several are told apart by their names."""
    data = artifacts.read(path)
    several = len(data["compartment"]) > 1
    waveform = Pgse(*timing)
    ratio = fourth_moment(waveform) / waveform.b_factor**2
    for a, compartment in enumerate(data["compartment"]):
        D, S, T, B = (data[name][a] for name in "DSTB")
        mean = np.trace(D) / len(D)
        # Water that is confined has no kurtosis: its W is missing.
        W = np.full_like(B, np.nan) if mean <= CONFINED else -6.0 * ratio / mean**2 * B
        name = f"{cell}: {compartment}" if several else cell
        yield _Box(name, {"D": D, "S": S, "T": T, "B": B, "W / L^2": W})


def _components(boxes: list[_Box]) -> Iterator[_Row]:
    """All components of all tensors."""
    for name, unit in _UNITS.items():
        scale = _scale(boxes, name)
        shape = boxes[0].tensors[name].shape
        for index in product(*map(range, shape)):
            component = "".join("xyz"[i] for i in index)
            yield _Row(name, component, unit, _of(boxes, name, index), scale)


def _independent(boxes: list[_Box]) -> Iterator[_Row]:
    """What signals see of W: its fully symmetric part, in the order of DIPY."""
    name = "W / L^2"
    found = [unique_components(box.tensors[name]) for box in boxes]
    for component in found[0]:
        values = tuple(entries[component] for entries in found)
        yield _Row(f"sym {name}", component, _UNITS[name], values, _scale(boxes, name))


def _symmetries(boxes: list[_Box]) -> Iterator[_Row]:
    """Largest departures from the symmetries, and the largest B::nnnn."""
    checks = {
        "D": ("ij - ji", lambda X: X - X.T),
        "S": ("ij - ji", lambda X: X - X.T),
        "T": ("ijkl - jilk", lambda X: X - X.transpose(1, 0, 3, 2)),
        "B": ("ijkl - jilk", lambda X: X - X.transpose(1, 0, 3, 2)),
    }
    for name, (component, change) in checks.items():
        values = tuple(float(np.abs(change(box.tensors[name])).max()) for box in boxes)
        yield _Row(f"largest abs {name}", component, _UNITS[name], values, _scale(boxes, name))
    values = tuple(float(np.abs(_unseen(box.tensors["B"])).max()) for box in boxes)
    yield _Row("largest abs B - sym B", "ijkl", _UNITS["B"], values, _scale(boxes, "B"))
    values = tuple(largest_quartic(box.tensors["B"]) for box in boxes)
    yield _Row("largest B", "nnnn", _UNITS["B"], values, _scale(boxes, "B"))


def _unseen(tensor: Array) -> Array:
    """The part of a tensor that no direction sees."""
    return tensor - symmetric_part(tensor)


def largest_quartic(tensor: Array) -> float:
    """Largest X::nnnn over directions: of a fine grid in the plane, of a random set in space."""
    d = len(tensor)
    if d == 2:
        angles = np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
        n = np.column_stack([np.cos(angles), np.sin(angles)])
    else:
        n = np.random.default_rng(0).normal(size=(_DIRECTIONS, d))
        n /= np.linalg.norm(n, axis=1, keepdims=True)
    return float(np.einsum("ijkl,ai,aj,ak,al->a", tensor, n, n, n, n, optimize=True).max())


def _of(boxes: list[_Box], name: str, index: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(float(box.tensors[name][index]) for box in boxes)


def _scale(boxes: list[_Box], name: str) -> float:
    values = np.abs([box.tensors[name] for box in boxes])
    return float(values[np.isfinite(values)].max(initial=0.0))


def _fixed(value: float, scale: float) -> str:
    """Write a number with six digits of the largest component of its tensor."""
    if not np.isfinite(value):
        return ""
    digits = max(0, 5 - int(np.floor(np.log10(scale)))) if scale > 0.0 else 6
    # Adding zero turns -0 into 0.
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _notes(dimension: int, delta: float, Delta: float) -> tuple[str, ...]:
    notes = [
        "D is a mean over the water of the box. Lengths in S, T and B are in units of the cell: "
        "times L^2 they are those of a cell of period L.",
        f"W is for delta = {delta:g} ms and Delta = {Delta:g} ms (KHM19 (27)), over the square of "
        f"Tr D / {dimension}; signals and apparent kurtoses do not depend on this choice.",
        "Where the box has one diffusivity, T, B and W keep their values when both pairs of "
        "indices are exchanged at once (ijkl, jilk). They are not fully symmetric; signals see "
        "the fully symmetric part alone.",
        f"A number of at most {RESOLVED:g} of the largest component of its tensor cannot be told "
        "from errors of the mesh, and is printed as 0.",
    ]
    if dimension != 3:
        notes[1] += f" Over (Tr D / 3)^2, as (25) is printed, W is {9 / dimension**2:g} times this."
    return tuple(notes)
