"""The radius of one disc or one sphere, beside the physical parameters of a known geometry.

Signals are smooth functions of the radius r: they are known at a few radii, each with a mesh of its
own, and interpolated by Chebyshev polynomials in between. As cells come to touch their periodic
images at r = r_t, homogenised coefficients go as the square root of the gap: the polynomials are
those of sqrt(r_t - r).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Final

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey
from torrey.geometry.balls.base import Balls
from torrey.geometry.shapes import LEAST_GAP, Shape
from torrey.gradients.protocol import Measurement
from torrey.inversion.physical import PhysicalProblem, physical_problem
from torrey.inversion.problem import unit_of

Array = NDArray[np.float64]

RADIUS: Final = "radius"
"""Name of the parameter; in units of the cell."""

#: Radii at which models are made. What the polynomials leave out of the signals is then about what
#: they change from one unstructured mesh to the next (1e-6), unless cells nearly touch.
_NODES = 7
#: Farthest from the truth: relative to it, and of the way to where cells touch.
_SPREAD, _WAY = 0.2, 0.5


@dataclass(frozen=True)
class RoundCell:
    """A cell of one disc or one sphere, which can be made with another radius.

    Parameters
    ----------
    shape : Discs or Spheres
        With one cell that holds water behind a membrane.
    build : callable
        Operators of a shape.

    Raises
    ------
    InputError
        If it is another shape.
    """

    shape: Balls
    build: Callable[[Shape], BlochTorrey]

    def __post_init__(self) -> None:
        if not (isinstance(self.shape, Balls) and self.shape.n_compartments == 2):
            raise InputError(
                f"the shape {self.shape.to_dict()}",
                "one disc or one sphere with water inside and no layer",
            )

    @property
    def radius(self) -> float:
        """In units of the cell."""
        return self.shape.cells[0].radius

    @cached_property
    def touching(self) -> float:
        """Radius at which the cell touches its periodic images."""
        images = [i for i in product((-1, 0, 1), repeat=self.shape.dimension) if any(i)]
        apart = np.linalg.norm(np.array(images) @ self.shape.periods, axis=1).min()
        return float(min(apart, 1.0)) / 2

    @property
    def bracket(self) -> tuple[float, float]:
        """Smallest and largest radius that is considered."""
        r = self.radius
        largest = min((1.0 + _SPREAD) * r, r + _WAY * (self.touching - r))
        return (1.0 - _SPREAD) * r, max(r, min(largest, self.touching - LEAST_GAP / 2))

    def operators(self, radius: float) -> BlochTorrey:
        """Of the cell with another radius."""
        (cell,) = self.shape.cells
        return self.build(replace(self.shape, cells=(replace(cell, radius=radius),)))


@dataclass(frozen=True)
class Radii:
    """Chebyshev interpolation in sqrt(touching - r) on a bracket of radii.

    Parameters
    ----------
    bracket : pair of float
    touching : float
        Above both.
    count : int
        Of the nodes.
    """

    bracket: tuple[float, float]
    touching: float
    count: int = _NODES

    @property
    def nodes(self) -> Array:
        """Radii between which is interpolated, shape (count,)."""
        middle, half = self._interval
        return np.asarray(self.touching - (middle + half * chebyshev.chebpts1(self.count)) ** 2)

    def weights(self, radius: float) -> tuple[Array, Array]:
        """Weights of the values at the nodes for the value at a radius, and for its derivative."""
        middle, half = self._interval
        root = np.sqrt(self.touching - radius)
        place = (root - middle) / half
        slope = chebyshev.chebval(place, chebyshev.chebder(self._coefficients))
        return chebyshev.chebval(place, self._coefficients), -slope / (2.0 * root * half)

    @property
    def last(self) -> Array:
        """Weights of the values at the nodes for the last coefficient of the series."""
        return np.asarray(self._coefficients[-1])

    @property
    def _interval(self) -> tuple[float, float]:
        """Middle and half length, in the variable of the polynomials."""
        far, near = np.sqrt(self.touching - np.array(self.bracket))
        return float(far + near) / 2, float(far - near) / 2

    @cached_property
    def _coefficients(self) -> Array:
        """Coefficients of the polynomials that are one at one node each, in columns."""
        points = chebyshev.chebpts1(self.count)
        inverse = np.linalg.inv(chebyshev.chebvander(points, self.count - 1))
        return np.asarray(inverse, dtype=float)


@dataclass(frozen=True)
class RadiusProblem:
    """The radius and some of kappa, D_e and D_c from signals, the others known.

    The radius is the last parameter.

    Parameters
    ----------
    radii : Radii
    nodes : tuple of PhysicalProblem
        The same at each of the radii, for the other parameters.
    known : mapping of str to float
        kappa, radius, D_e and D_c; of those that are fitted the values do not count.
    """

    radii: Radii
    nodes: tuple[PhysicalProblem, ...]
    known: Mapping[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters that are fitted."""
        return (*self.nodes[0].names, RADIUS)

    @property
    def units(self) -> tuple[str, ...]:
        """Of `names`."""
        return tuple(map(unit_of, self.names))

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Those of the other parameters, and the bracket of the radii."""
        low, high = self.nodes[0].bounds
        return np.append(low, self.radii.bracket[0]), np.append(high, self.radii.bracket[1])

    @property
    def hidden(self) -> Array:
        """Those of the other parameters."""
        hidden = self.nodes[0].hidden
        return np.vstack([hidden, np.zeros((1, hidden.shape[1]))])

    def scale(self, x: Array) -> Array:
        """Each parameter itself."""
        return np.asarray(x)

    def evaluate(self, x: Array) -> tuple[Array, Array]:
        """Signals and derivatives; those by the radius are of the polynomials."""
        pairs = [node.evaluate(x[:-1]) for node in self.nodes]
        values, slopes = (np.array(parts) for parts in zip(*pairs, strict=True))
        weights, derivative = self.radii.weights(x[-1])
        with np.errstate(invalid="ignore", over="ignore"):  # signals of an unstable model
            others = np.tensordot(weights, slopes, axes=1)
            return weights @ values, np.column_stack([others, derivative @ values])

    def signals(self, rows: Array) -> Array:
        """Signals for several values of the parameters, shape (n_rows, n)."""
        weights = np.array([self.radii.weights(radius)[0] for radius in rows[:, -1]])
        with np.errstate(invalid="ignore", over="ignore"):
            return np.einsum("rj,jrn->rn", weights, self._at_nodes(rows))

    def interpolation(self, x: Array) -> float:
        """Largest last coefficient of the signals' series: what more nodes might change."""
        with np.errstate(invalid="ignore", over="ignore"):
            last = np.tensordot(self.radii.last, self._at_nodes(x[None]), axes=1)
        return float(np.abs(last).max())

    def knowing(self, known: Mapping[str, float]) -> RadiusProblem:
        """The same with other values known."""
        nodes = tuple(node.knowing(known) for node in self.nodes)
        return replace(self, nodes=nodes, known=dict(known))

    def truncation(self, x: Array) -> float:
        """As of `PhysicalProblem`, interpolated."""
        lower = [node.lower() for node in self.nodes]
        found = tuple(node for node in lower if node is not None)
        if not found:
            return float("nan")
        other = replace(self, nodes=found)
        return float(np.abs(self.signals(x[None]) - other.signals(x[None])).max())

    def _at_nodes(self, rows: Array) -> Array:
        return np.array([node.signals(rows[:, :-1]) for node in self.nodes])


def radius_problem(
    cell: RoundCell,
    material: Material,
    measurements: Sequence[Measurement],
    period: float,
    model: str,
    known: Mapping[str, float],
    names: Sequence[str],
) -> RadiusProblem:
    """Prepare a model of a cell for the fit of its radius and of physical parameters.

    Beside what the model leaves out, signals have the error of the mesh, which differs from one
    radius to the next, and of the interpolation.

    Parameters
    ----------
    cell : RoundCell
        With the true radius: others are considered round it.
    material, measurements, period, model, known
        See `torrey.inversion.physical.physical_problem`.
    names : sequence of str
        Parameters to fit; the radius always is.
    """
    others = [name for name in names if name != RADIUS]
    radii = Radii(cell.bracket, cell.touching)
    nodes = []
    for radius in radii.nodes.tolist():
        operators = cell.operators(radius)
        problem = physical_problem(
            operators, material, measurements, period, model, known, others or ("kappa",)
        )
        nodes.append(problem if others else replace(problem, names=()))
    return RadiusProblem(radii, tuple(nodes), {**known, RADIUS: cell.radius})
