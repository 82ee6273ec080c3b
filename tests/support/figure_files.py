"""Small files in the layout of a run, for figures to be drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from support.slab_files import write_slabs
from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable, stacked
from torrey.geometry import Disc, Discs
from torrey.geometry.files import write_meshes
from torrey.geometry.mesh import CellMesh, Facets, Piece, break_mesh
from torrey.gradients.axes import axis_variable, coordinates, direction_labels
from torrey.gradients.sweep import Product, Sweep, WaveformGrid
from torrey.models.evaluation import ModelTable
from torrey.reference.cumulants import EstimatedCumulants
from torrey.reference.files import write_reference
from torrey.reference.full import ReferenceSignal
from torrey.study.files import fit_kurtoses, fit_orders, gather_signals

PROVENANCE = Provenance("test")
NUMERICAL_ERROR = 1e-9
RADIUS = 0.25

MODELS = ("reference", "R0", "R2")
ALL_MODELS = (*MODELS, "lumped-R0", "lumped-R2")

#: Signal of a model: (model, period, kappa, Delta, b) -> S.
Signal = Callable[[str, float, float, float, float], float]


def signal(model: str, period: float, kappa: float, Delta: float, b: float) -> float:
    """Different for every model and point; errors of R0 and R2 of orders 2 and 4."""
    exact = np.exp(-(0.5 + kappa + 0.01 * Delta) * b)
    change = {"R0": 1e-3 * period**2, "R2": 1e-5 * period**4}.get(
        model.removeprefix("lumped-"), 0.0
    )
    return float(exact * (1.0 - 0.5 * change if model.startswith("lumped") else 1.0 - change))


def disc_mesh() -> CellMesh:
    """Twelve curved triangles: a disc in the middle of the cell."""
    corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    angles = np.pi * (np.array([5, 7, 1, 3])) / 4
    ring = 0.5 + RADIUS * np.column_stack([np.cos(angles), np.sin(angles)])
    points = [*corners, *map(tuple, ring), (0.5, 0.5)]
    outside = [(i, (i + 1) % 4, 4 + i) for i in range(4)]
    outside += [((i + 1) % 4, 4 + (i + 1) % 4, 4 + i) for i in range(4)]
    inside = [(4 + i, 4 + (i + 1) % 4, 8) for i in range(4)]
    middles: dict[frozenset[int], int] = {}

    def middle(a: int, b: int) -> int:
        key = frozenset((a, b))
        if key not in middles:
            place = 0.5 * (np.array(points[a]) + points[b])
            if {a, b} <= {4, 5, 6, 7}:  # on the circle
                place = 0.5 + RADIUS * (place - 0.5) / np.linalg.norm(place - 0.5)
            middles[key] = len(points)
            points.append(tuple(place))
        return middles[key]

    def quadratic(triangles: Sequence[tuple[int, int, int]]) -> np.ndarray:
        return np.array(
            [[a, b, c, middle(a, b), middle(b, c), middle(c, a)] for a, b, c in triangles]
        )

    pieces = [
        Piece(quadratic(triangles), i, np.full(len(triangles), i))
        for i, triangles in enumerate((outside, inside))
    ]
    ring_facets = [(4 + i, 4 + (i + 1) % 4) for i in range(4)]
    facets = Facets(np.array([[a, b, middle(a, b)] for a, b in ring_facets]), 0, 0, 1)
    return break_mesh(np.array(points), pieces, [facets], np.eye(2))


def write_disc(path: Path) -> str:
    """Write a cell with a disc on two meshes, both the same."""
    shape = Discs((Disc((0.5, 0.5), RADIUS),))
    made = Provenance("test", shape.to_dict())
    write_meshes(path, shape, [disc_mesh(), disc_mesh()], made)
    return str(path)


def sweep(
    periods: Sequence[float] = (2.0,),
    kappas: Sequence[float] = (0.05,),
    Deltas: Sequence[float] = (20.0,),
    b: Sequence[float] = (1.0,),
) -> Sweep:
    shapes = WaveformGrid("pgse", (("delta", (5.0,)), ("Delta", tuple(Deltas))))
    protocol = Product(shapes, "b", tuple(b), ((0, 1),))
    return Sweep(tuple(periods), "permeability", tuple(kappas), protocol)


def write_signals(
    directory: Path,
    points: Sweep,
    models: Sequence[str],
    signal: Signal,
    unstable: Sequence[str] = (),
    error: float = NUMERICAL_ERROR,
) -> str:
    """Write the table of a study whose signals are known."""
    directory.mkdir(parents=True)
    references = {}
    axes, shape = points.axes(), points.shape
    table = np.zeros((len(models) - 1, 2, *shape), dtype=complex)
    for index, point in points.points().items():
        coordinates = dict(zip(axes, index, strict=True))
        where = tuple(
            axes[name][coordinates[name]] for name in ("period", "permeability", "Delta", "b")
        )
        value = signal("reference", *where)
        path = directory / f"reference{len(references)}.nc"
        reference = ReferenceSignal(value, error, 0.0, 1, 8, value, 0.1 * error)
        write_reference(path, reference, point, PROVENANCE)
        references[index] = path
        for row, model in enumerate(models[1:]):
            table[(row, slice(None), *index)] = signal(model, *where)
    growth, amplification = np.zeros((2, len(models) - 1, *shape))
    amplification += 1.0
    for model in unstable:
        growth[models.index(model) - 1], amplification[models.index(model) - 1] = 0.1, 2.0
    found = ModelTable(tuple(models[1:]), table, growth, amplification)
    slabs = write_slabs(directory, points, found, PROVENANCE)
    group = gather_signals(points, models, list(references.values()), slabs)
    artifacts.write(directory / "signals.nc", group, PROVENANCE)
    return str(directory / "signals.nc")


def write_table(
    directory: Path,
    axes: Mapping[str, np.ndarray],
    signals: np.ndarray,
    more: Mapping[str, tuple[tuple[str, ...], np.ndarray]],
    models: Sequence[str] = ("R0", "R2"),
) -> str:
    """Write the table of a study over any axes: signals of some models, and what else there is."""
    dims = ("model", *axes)
    table = {
        "model": (("model",), np.array(models)),
        **{name: ((name,), values) for name, values in axes.items()},
        "signal_real": (dims, signals),
        "signal_imag": (dims, 0.0 * signals),
        "numerical_error": (dims, 0.0 * signals + NUMERICAL_ERROR),
        "validity": (dims, np.zeros(signals.shape, np.int8)),
        **more,
    }
    group = {
        name: Variable(of, values, "" if values.dtype.kind == "U" else "1", name)
        for name, (of, values) in table.items()
    }
    artifacts.write(directory / "signals.nc", group, PROVENANCE)
    return str(directory / "signals.nc")


def write_convergence(signals: str, models: Sequence[str]) -> str:
    """Write the fitted orders of a table of signals beside it."""
    path = Path(signals).with_name("convergence.nc")
    artifacts.write(path, fit_orders(signals, models), PROVENANCE)
    return str(path)


def write_kurtosis(signals: str) -> str:
    """Write the fitted kurtoses of a table of signals beside it."""
    path = Path(signals).with_name("kurtosis.nc")
    artifacts.write(path, fit_kurtoses(signals), PROVENANCE)
    return str(path)


def write_cumulants(signals: str, points: Sweep, models: Sequence[str]) -> str:
    """Write cumulants beside a table of signals: those of `signal`, and kurtoses 0.1, 0.2, ..."""
    resting = points.without_strengths()
    dims = [dim for dim in resting.axes() if dim != "q"]
    shape = tuple(len(resting.axes()[dim]) for dim in dims)
    adc = np.empty((len(models), *shape))
    for index in np.ndindex(shape):
        kappa = points.permeabilities[index[dims.index("permeability")]]
        Delta = points.axes()["Delta"][index[dims.index("Delta")]]
        adc[(slice(None), *index)] = 0.5 + kappa + 0.01 * Delta
    kurtosis = np.multiply.outer(0.1 * np.arange(1, len(models) + 1), np.ones(shape))
    table = [
        EstimatedCumulants(D, 1e-6 * D, K, 1e-6 * K, np.ones(D.shape))
        for D, K in zip(adc, kurtosis, strict=True)
    ]
    axes = {name: x for name, x in coordinates(resting).items() if name != "q"}
    names = Variable(("model",), np.array(models), "", "reference or model")
    path = Path(signals).with_name("cumulants.nc")
    variables = stacked(table, "model", line=dims)
    artifacts.write(path, {"model": names, **axes, **variables}, PROVENANCE)
    return str(path)


def write_eigenvalues(path: Path, points: Sweep, counts: dict[str, int]) -> str:
    """Write eigenvalues 0.1, 1.1, 2.1, ... times b, as many per model as it has compartments."""
    axes = points.axes()
    shape = (len(counts), *points.shape, 5, max(counts.values()))
    values = np.full(shape, np.nan)
    b, Deltas = np.array(axes["b"]), axes["Delta"]
    for i, count in enumerate(counts.values()):
        for k in range(count):
            values[i, ..., k] = (0.1 + k) * b[:, None, None]
    time = np.empty((1, len(Deltas), 5))
    time[0] = [[(Delta + 5.0) * (k + 0.5) / 5 for k in range(5)] for Delta in Deltas]
    group = {
        "model": Variable(("model",), np.array(list(counts)), "", "homogenised model"),
        "time": Variable(("delta", "Delta", "instant"), time, "ms", "time in the waveform"),
        "eigenvalue_real": Variable(
            ("model", *axes, "instant", "eigenvalue"),
            values,
            "ms-1",
            "real part of the eigenvalues",
            {"allow_missing": True},
        ),
    }
    units = {"period": "um", "permeability": "um ms-1", "delta": "ms", "Delta": "ms"}
    for name, values_along in axes.items():
        if name == "direction":
            group[name] = axis_variable(name, direction_labels(values_along))
        else:
            unit = units.get(name, "ms um-2")
            group[name] = Variable((name,), np.array(values_along), unit, name)
    artifacts.write(path, group, PROVENANCE)
    return str(path)
