"""Physical parameters from signals: permeability and diffusivities, by any model of the cell.

The geometry is known; kappa, D_e and D_c (of the outside and of all cells) are not. A radius may be
unknown too, see `torrey.inversion.radius`. What a model needs is prepared once, so that its signals
at other parameters cost no solve on the mesh.

- Every coefficient of G_0, G_1, G_2 (`torrey.models.expansion`) is a sum of 1, D_a and 1/D_a: the
  correctors of each compartment are solved on it alone, and lengths, times and diffusivities are
  tied by dimensions. The terms are found from a few expansions, and more of them check it.
- A projected model is affine in the diffusivities once its basis serves all of them: each field of
  the correctors is cut into its parts on the compartments, which only scale with D_a.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.cell.material import Material
from torrey.cell.operators import BlochTorrey, bloch_torrey
from torrey.gradients.protocol import Measurement, group_measurements
from torrey.inversion.problem import unit_of
from torrey.models import registry
from torrey.models.adjoint import converged_steps
from torrey.models.expansion import expand
from torrey.models.integration import Points
from torrey.models.model import Model
from torrey.models.polynomials import Monomial
from torrey.models.projection import ProjectedModel, extend, project_on, side_by_side
from torrey.models.rates import RateModel
from torrey.models.sensitivities import RegionForms, derivatives

Array = NDArray[np.float64]

PARAMETERS: Final = ("kappa", "D_e", "D_c")
"""Permeability (um/ms), and diffusivity outside and inside (um^2/ms)."""

_SMALLEST, _LARGEST = 1e-6, 10.0
#: Relative step of the differences that stand for derivatives, central and of order 2.
_STEP = 1e-4
#: Of the integration in time: far below what the steps of the differences need.
_TIME_TOLERANCE = 1e-9
#: Diffusivities at which the terms of the rate matrices are found, and checked.
_SAMPLES: Final = ((1.0, 1.0), (2.0, 1.0), (1.0, 2.0), (0.5, 1.0), (1.0, 0.5), (2.0, 3.0))
_SAME = 1e-8


class ParametricModel(Protocol):
    """A model of a cell for any diffusivities."""

    def at(self, D_e: float, D_c: float) -> Model:
        """The model at diffusivities (um^2/ms)."""


@dataclass(frozen=True)
class ParametricRates:
    """R_0, R_1 or R_2 for any diffusivities.

    Attributes
    ----------
    terms : tuple of mapping
        For each order, matrices (5, k, k) by monomial: of 1, D_e, D_c, 1/D_e and 1/D_c.
    model : RateModel
        At one point.
    """

    terms: tuple[Mapping[Monomial, Array], ...]
    model: RateModel

    def at(self, D_e: float, D_c: float) -> RateModel:
        """The model at diffusivities (um^2/ms)."""
        powers = _laurent(D_e, D_c)
        rates = tuple(
            {key: np.tensordot(powers, matrices, axes=1) for key, matrices in term.items()}
            for term in self.terms
        )
        # What is the same along the axis of a cell is another part at other diffusivities.
        return replace(self.model, rates=rates, axial=None)


@dataclass(frozen=True)
class ParametricProjection:
    """A projected model for any diffusivities, from two with the same basis.

    Attributes
    ----------
    models : pair of ProjectedModel
        At (D_e, D_c) = (2, 1) and (1, 2).
    """

    models: tuple[ProjectedModel, ProjectedModel]

    def at(self, D_e: float, D_c: float) -> ProjectedModel:
        """The model at diffusivities (um^2/ms)."""
        a, b = (2 * D_e - D_c) / 3, (2 * D_c - D_e) / 3
        first, second = self.models
        return replace(
            first,
            K=a * first.K + b * second.K,
            C=a * first.C + b * second.C,
            N=a * first.N + b * second.N,
            # The least of the diffusivities, which is 1 in both.
            axial=min(D_e, D_c) * first.axial,
        )

    @cached_property
    def slopes(self) -> RegionForms:
        """What a model changes by D_e and by D_c."""
        first, second = self.models
        turns = ((2.0 / 3.0, -1.0 / 3.0), (-1.0 / 3.0, 2.0 / 3.0))
        K, C, N = (
            np.array([a * getattr(first, name) + b * getattr(second, name) for a, b in turns])
            for name in ("K", "C", "N")
        )
        return RegionForms(K, np.einsum("aj,naxy->njxy", first.frame, C), N[:, 0, 0])

    def truncate(self, order: int) -> ParametricProjection:
        """The model of a lower order."""
        first, second = (model.truncate(order) for model in self.models)
        return ParametricProjection((first, second))


def parametric_model(
    operators: BlochTorrey, material: Material, frame: Array, name: str
) -> ParametricModel:
    """A model by its name, for any diffusivities outside and in the cells.

    Parameters
    ----------
    operators : BlochTorrey
        Of the cell, with any diffusivities.
    material : Material
        What fills it; its diffusivities play no part.
    frame : (c, d) float
        Axes of the gradients.
    name : str
        Of a kind and an order that can be fitted with: see `torrey.models.registry`.

    Raises
    ------
    InputError
        If it is another model, there is but one compartment, or T1 is given.
    """
    if not registry.can_be_fitted(name):
        raise InputError(f"the model {name}", registry.accepted_by_fits())
    model = registry.parse(name)
    if operators.cell.n_compartments < 2:
        raise InputError("a cell of one compartment", "one with a diffusivity inside")
    if material.T1:
        raise InputError("a material with T1", "one without: fits follow no stored magnetisation")

    def filled(D_e: float, D_c: float) -> BlochTorrey:
        inside = (D_c,) * (operators.cell.n_compartments - 1)
        return bloch_torrey(operators.cell, replace(material, diffusivity=(D_e, *inside)))

    return _BY_KIND[model.kind.pattern](filled, frame, model.order)


def _projection(
    filled: Callable[[float, float], BlochTorrey], frame: Array, order: int
) -> ParametricProjection:
    first = filled(2.0, 1.0)
    expansion = expand(first, frame, max(order - 1, 0))
    n = first.cell.n_dofs
    basis, ranks = np.empty((n, 0)), []
    for fields in expansion.fields[: order + 1]:
        together = side_by_side(fields, n)
        parts = np.hstack([together * here[:, None] for here in first.cell.indicators.T])
        basis = extend(basis, parts, first.mass_matrix)
        ranks.append(basis.shape[1])
    along = expansion.frame, basis, tuple(ranks)
    return ParametricProjection((project_on(first, *along), project_on(filled(1.0, 2.0), *along)))


def _laurent(D_e: float, D_c: float) -> Array:
    return np.array([1.0, D_e, D_c, 1.0 / D_e, 1.0 / D_c])


def _rates(
    filled: Callable[[float, float], BlochTorrey], frame: Array, order: int
) -> ParametricRates:
    models = [expand(filled(*at), frame, order).model for at in _SAMPLES]
    design = np.array([_laurent(*at) for at in _SAMPLES])
    largest = max(np.abs(X).max() for m in models for G in m.rates for X in G.values())
    terms = []
    for n in range(order + 1):
        zero = np.zeros((len(models[0].start),) * 2)
        found = {}
        for key in {key for model in models for key in model.rates[n]}:
            values = np.array([model.rates[n].get(key, zero) for model in models])
            flat = values.reshape(len(values), -1)
            solved = np.linalg.lstsq(design, flat, rcond=None)[0]
            if np.abs(design @ solved - flat).max() > _SAME * largest:
                raise ArithmeticError(
                    f"G_{n} of {key} is not a sum of 1, D_a and 1/D_a: "
                    f"{np.abs(design @ solved - flat).max():.1e} is left"
                )
            found[key] = solved.reshape(-1, *zero.shape)
        terms.append(found)
    return ParametricRates(tuple(terms), models[0])


_BY_KIND: Final[Mapping[str, Callable[..., ParametricModel]]] = {
    "R<n>": _rates,
    "P<n>": _projection,
}
"""What makes the models that the registry calls fitted."""


def _unknown_to(model: ParametricModel) -> set[str]:
    """Diffusivities that play no part in a model."""
    if not isinstance(model, ParametricRates):
        return set()
    matrices = np.array([X for term in model.terms for X in term.values()])
    size = np.abs(matrices).max(axis=(0, 2, 3))
    columns = {"D_e": (1, 3), "D_c": (2, 4)}
    return {name for name, at in columns.items() if size[list(at)].max() < _SAME * size.max()}


@dataclass(frozen=True)
class PhysicalProblem:
    """Some of kappa, D_e and D_c from signals, the others known.

    Parameters
    ----------
    measurements : tuple of Measurement
    period : float
        Size of the cell (um).
    models : mapping
        A model for each set of axes of the gradients: see `physical_problem`.
    known : mapping of str to float
        kappa, D_e and D_c; of those that are fitted the values do not count.
    names : tuple of str
        Of the parameters that are fitted, in the order of `PARAMETERS`.
    """

    measurements: tuple[Measurement, ...]
    period: float
    models: Mapping[tuple[tuple[float, ...], ...], ParametricModel]
    known: Mapping[str, float]
    names: tuple[str, ...] = PARAMETERS

    @property
    def units(self) -> tuple[str, ...]:
        """Of `names`."""
        return tuple(map(unit_of, self.names))

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Wide ones: all parameters are positive."""
        count = len(self.names)
        return np.full(count, _SMALLEST), np.full(count, _LARGEST)

    @property
    def hidden(self) -> Array:
        """Diffusivities that the model knows nothing of, such as D_c of R0 in closed cells."""
        blind = [
            i
            for i, name in enumerate(self.names)
            if all(name in _unknown_to(model) for model in self.models.values())
        ]
        return np.eye(len(self.names))[:, blind]

    def scale(self, x: Array) -> Array:
        """Each parameter itself."""
        return np.asarray(x)

    def evaluate(self, x: Array) -> tuple[Array, Array]:
        """Signals and derivatives: by the adjoint, or by central differences of a rate model.

        Signals of a homogenised model that is unstable may be infinite.
        """
        if all(isinstance(model, ParametricProjection) for model in self.models.values()):
            return self._by_adjoint(x)
        steps = _STEP * x
        rows = [x] + [x + s * step for step in np.diag(steps) for s in (1.0, -1.0)]
        signals = self.signals(np.array(rows))
        change = signals[1::2] - signals[2::2]
        return signals[0], (change / (2 * steps[:, None])).T

    def _by_adjoint(self, x: Array) -> tuple[Array, Array]:
        """Signals, and their derivatives, of projected models; see `torrey.models.adjoint`."""
        at = {**self.known, **dict(zip(self.names, x.tolist(), strict=True))}
        signals = np.empty(len(self.measurements))
        jacobian = np.empty((len(signals), len(self.names)))
        for axes, model in self.models.items():
            assert isinstance(model, ParametricProjection)
            here, frame = model.at(at["D_e"], at["D_c"]), np.array(axes)
            for waveform, where in self._groups[axes].items():
                q = np.array([self.measurements[i].q for i in where])
                points = Points.of(q, self.period, at["kappa"] / self.period)
                values, steps = converged_steps(here, waveform, points, _TIME_TOLERANCE)
                # Half of the steps: slopes need fewer digits than what they are the slopes of.
                few = max(steps // 2, 1)
                found = derivatives(here, waveform, points, frame, few, model.slopes)
                by = {"kappa": found.kappa, "D_e": found.D[:, 0], "D_c": found.D[:, 1]}
                signals[where] = values.real
                jacobian[where] = np.stack([by[name].real for name in self.names], axis=1)
        return signals, jacobian

    def signals(self, rows: Array) -> Array:
        """Signals for several values of the parameters, shape (n_rows, n)."""
        values = {name: np.full(len(rows), self.known[name]) for name in PARAMETERS}
        values |= {name: rows[:, i] for i, name in enumerate(self.names)}
        result = np.empty((len(rows), len(self.measurements)))
        pairs = list(zip(values["D_e"].tolist(), values["D_c"].tolist(), strict=True))
        for D in dict.fromkeys(pairs):
            same = np.array([i for i, pair in enumerate(pairs) if pair == D])
            sigma = values["kappa"][same, None] / self.period
            for axes, model in self.models.items():
                here = model.at(*D)
                for waveform, where in self._groups[axes].items():
                    q = np.array([self.measurements[i].q for i in where])
                    signal = here.signal(waveform, q, self.period, sigma, _TIME_TOLERANCE)
                    result[np.ix_(same, where)] = signal.real
        return result

    def knowing(self, known: Mapping[str, float]) -> PhysicalProblem:
        """The same with other values known."""
        return replace(self, known=dict(known))

    def truncation(self, x: Array) -> float:
        """Largest difference to the signals of the projected model of one order less.

        Not a number for homogenised models, whose error is not one of a basis.
        """
        other = self.lower()
        if other is None:
            return float("nan")
        return float(np.abs(self.signals(x[None]) - other.signals(x[None])).max())

    def lower(self) -> PhysicalProblem | None:
        """The same for the projected model of one order less; None for homogenised models."""
        lower = {}
        for axes, model in self.models.items():
            if not isinstance(model, ParametricProjection):
                return None
            order = len(model.models[0].ranks) - 1
            lower[axes] = model.truncate(max(order - 1, 0))
        return replace(self, models=lower)

    @cached_property
    def _groups(self) -> Mapping:
        return group_measurements(self.measurements)


def physical_problem(
    operators: BlochTorrey,
    material: Material,
    measurements: Sequence[Measurement],
    period: float,
    model: str,
    known: Mapping[str, float],
    names: Sequence[str] = PARAMETERS,
) -> PhysicalProblem:
    """Prepare a model of a cell for the fit of physical parameters.

    Parameters
    ----------
    operators : BlochTorrey
        Of the cell, on the mesh wanted.
    material : Material
    measurements : sequence of Measurement
    period : float
        In um.
    model : str
        See `parametric_model`.
    known : mapping of str to float
        kappa (um/ms), D_e and D_c (um^2/ms).
    names : sequence of str
        Parameters to fit.
    """
    unknown = [name for name in names if name not in PARAMETERS]
    if unknown or not names:
        raise InputError(f"the parameters {', '.join(names)}", f"some of {', '.join(PARAMETERS)}")
    axes = group_measurements(measurements)
    models = {key: parametric_model(operators, material, np.array(key), model) for key in axes}
    ordered = tuple(name for name in PARAMETERS if name in names)
    return PhysicalProblem(tuple(measurements), period, models, dict(known), ordered)


def diffusivities(material: Material) -> tuple[float, float]:
    """D_e, and D_c of all cells.

    Raises
    ------
    InputError
        If a diffusivity is a matrix, or the cells differ.
    """
    outside, *inside = material.diffusivity
    if not isinstance(outside, float) or len(set(inside)) != 1 or not isinstance(inside[0], float):
        raise InputError(f"the diffusivities {material.diffusivity}", "one outside and one inside")
    return float(outside), float(inside[0])
