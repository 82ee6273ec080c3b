"""What is fitted: parameters, their bounds and sizes, and the signals that they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from torrey.base.errors import InputError
from torrey.base.stored import stored
from torrey.models.karger import Exchange, FinitePulseKarger

Array = NDArray[np.float64]

#: Largest rate of exchange (1/ms), largest entry of a diffusion tensor (um^2/ms), and the smallest
#: value of what must be positive. Free water at body temperature has 3 um^2/ms.
_FASTEST, _LARGEST, _SMALLEST = 20.0, 10.0, 1e-6
#: A singular value this small, relative to the largest, is rounding.
_ROUNDING = 1e-12

EACH: Final = "see parameter_unit"
"""Units of values that are one per parameter, each in its own."""


class Problem(Protocol):
    """Signals as a function of some parameters."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters x that are fitted."""

    @property
    def units(self) -> tuple[str, ...]:
        """CF style, one per parameter."""

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Smallest and largest values, shape (n_parameters,) each."""

    @property
    def hidden(self) -> Array:
        """Directions that signals never depend on, orthonormal; shape (n_parameters, n_hidden)."""

    def scale(self, x: Array) -> Array:
        """Size of each parameter, to which its errors are compared; shape (n_parameters,)."""

    def evaluate(self, x: Array) -> tuple[Array, Array]:
        """Signals (n,) and their derivatives by x (n, n_parameters)."""


@dataclass(frozen=True)
class KargerProblem:
    """The parameters of CHL14 section 5 from signals.

    Parameters
    ----------
    model : FinitePulseKarger
        For the measurements.
    constraint : bool
        Whether theta_c = eta_e/(eta_e + eta_c) (CHL14 (3.18), section 5) takes the place of a free
        theta_c.
    symmetric : bool
        Whether D_e is a symmetric matrix, with one parameter for the two entries that mirror each
        other. CHL14 fits all entries, although a signal depends on their sum alone.
    """

    model: FinitePulseKarger
    constraint: bool = False
    symmetric: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """``eta_e``, ``eta_c``, ``theta_c`` unless it follows, ``D_e_xx``, ``D_e_xy``, ..."""
        return tuple(name for name, kept in zip(self.all_names, self.kept, strict=True) if kept)

    @cached_property
    def all_names(self) -> tuple[str, ...]:
        """Names of all parameters, with those that follow from the others."""
        return ("eta_e", "eta_c", "theta_c", *(f"D_e_{i}{j}" for i, j in self._entries()))

    @property
    def units(self) -> tuple[str, ...]:
        """Of `names`."""
        return tuple(map(unit_of, self.names))

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Wide ones: positive rates and diagonal, a share from 0 to 1."""
        low = {"eta_e": _SMALLEST, "eta_c": _SMALLEST, "theta_c": _SMALLEST}
        high = {"eta_e": _FASTEST, "eta_c": _FASTEST, "theta_c": 1.0 - _SMALLEST}
        for i, j in self._entries():
            low[f"D_e_{i}{j}"] = _SMALLEST if i == j else -_LARGEST
            high[f"D_e_{i}{j}"] = _LARGEST
        lower, upper = (np.array([limit[name] for name in self.names]) for limit in (low, high))
        return lower, upper

    @cached_property
    def hidden(self) -> Array:
        """Changes of D_e that leave the integral of g.D_e g of every measurement as it is."""
        b = np.array([m.b_tensor.ravel() for m in self.model.measurements])
        if any(m.waveform.n_components > 1 for m in self.model.measurements):
            # g turns: more than its mean square may count.
            b = np.vstack([b, np.eye(b.shape[1]) + np.eye(b.shape[1])[self._mirror]])
        entries = self._entry_matrix()
        _, values, right = np.linalg.svd(b @ entries, full_matrices=True)
        null = right[int(np.sum(values > _ROUNDING * values[0])) :].T
        return np.vstack([np.zeros((len(self.names) - len(null), null.shape[1])), null])

    def scale(self, x: Array) -> Array:
        """Each parameter itself; of D_e, the mean of its diagonal."""
        parameters = self.parameters(x)
        size = float(np.trace(parameters.tensors(self.model.dimension)[0])) / self.model.dimension
        return np.array(
            [
                size if name.startswith("D_e") else value
                for name, value in zip(self.names, x, strict=True)
            ]
        )

    def evaluate(self, x: Array) -> tuple[Array, Array]:
        """Signals and derivatives by the fitted parameters."""
        signal, full = self.model.signal_and_jacobian(self.parameters(x))
        return signal, full @ self._spread(x)

    def parameters(self, x: Array) -> Exchange:
        """Parameters of the model."""
        eta_e, eta_c, theta_c, *D_e = self.complete(x)
        d = self.model.dimension
        tensor = (self._entry_matrix() @ np.array(D_e)).reshape(d, d)
        return Exchange(eta_e, eta_c, theta_c, tensor)

    def complete(self, x: ArrayLike) -> Array:
        """Values of `all_names`: the fitted parameters and theta_c where it follows."""
        x = np.asarray(x, dtype=float)
        if not self.constraint:
            return x
        return np.concatenate([x[:2], [x[0] / (x[0] + x[1])], x[2:]])

    def reduce(self, parameters: Exchange) -> Array:
        """Values of `names` of given parameters."""
        D_e = parameters.tensors(self.model.dimension)[0]
        entries = [D_e["xyz".index(i), "xyz".index(j)] for i, j in self._entries()]
        values = [parameters.eta_e, parameters.eta_c, parameters.theta_c, *entries]
        return self.reduce_values(np.array(values))

    def reduce_values(self, values: Array) -> Array:
        """Values of `names` out of those of `all_names`."""
        return np.asarray(values[self.kept])

    def complete_errors(self, x: Array, covariance: Array) -> Array:
        """Standard errors of `all_names` from the covariance of the fitted ones."""
        turn = self.completion(x)
        known = np.isfinite(np.diag(covariance))
        finite = np.where(known[:, None] & known, covariance, 0.0)
        errors = np.sqrt(np.einsum("ij,jk,ik->i", turn, finite, turn))
        # What depends on a parameter of which nothing is known.
        errors[np.any(turn[:, ~known] != 0.0, axis=1)] = np.inf
        return np.asarray(errors)

    def completion(self, x: Array) -> Array:
        """Derivatives of `all_names` by `names`, shape (n_all, n_parameters)."""
        turn = np.eye(len(self.all_names))[:, self.kept]
        if self.constraint:
            total = x[0] + x[1]
            turn[2, :2] = x[1] / total**2, -x[0] / total**2
        return turn

    @cached_property
    def kept(self) -> list[bool]:
        """Which of `all_names` are fitted."""
        return [not (self.constraint and name == "theta_c") for name in self.all_names]

    def _entries(self) -> list[tuple[str, str]]:
        letters = "xyz"[: self.model.dimension]
        return [(i, j) for i in letters for j in letters if not self.symmetric or i <= j]

    def _spread(self, x: Array) -> Array:
        """Derivatives of the model's parameters, all entries of D_e each, by the fitted ones."""
        entries = self._entry_matrix()
        turn = np.zeros((3 + len(entries), len(self.all_names)))
        turn[:3, :3] = np.eye(3)
        turn[3:, 3:] = entries
        return np.asarray(turn @ self.completion(x))

    def _entry_matrix(self) -> Array:
        """Which parameter each entry of D_e is, shape (d^2, n_entries)."""
        d = self.model.dimension
        matrix = np.zeros((d * d, len(self._entries())))
        for column, (i, j) in enumerate(self._entries()):
            row, other = "xyz".index(i), "xyz".index(j)
            matrix[row * d + other, column] = 1.0
            if self.symmetric:
                matrix[other * d + row, column] = 1.0
        return matrix

    @property
    def _mirror(self) -> NDArray[np.int64]:
        """Position of the transposed entry of each entry of D_e."""
        d = self.model.dimension
        return np.arange(d * d, dtype=np.int64).reshape(d, d).T.ravel()


_UNITS: Final = {
    "theta_c": "1",
    "radius": "1",
    "kappa": "um ms-1",
    "eta_e": "ms-1",
    "eta_c": "ms-1",
}


def unit_of(name: str) -> str:
    """Unit of a parameter by its name, CF style."""
    return _UNITS.get(name, "um2 ms-1")


@dataclass(frozen=True)
class Parameters:
    """Parameters of an inversion, and what their values are measured in."""

    names: tuple[str, ...] = field(
        metadata=stored(("parameter",), "", "parameter", name="parameter")
    )
    units: tuple[str, ...] = field(
        metadata=stored(("parameter",), "", "unit of the parameter", name="parameter_unit")
    )

    @classmethod
    def of(cls, names: Sequence[str]) -> Parameters:
        """Parameters by their names."""
        return cls(tuple(names), tuple(map(unit_of, names)))


@dataclass(frozen=True)
class Pinned:
    """A problem with one parameter held at a value.

    Parameters
    ----------
    problem : Problem
    index : int
        Of the parameter.
    value : float
    """

    problem: Problem
    index: int
    value: float

    @property
    def names(self) -> tuple[str, ...]:
        """Without the one that is held."""
        names = list(self.problem.names)
        del names[self.index]
        return tuple(names)

    @property
    def units(self) -> tuple[str, ...]:
        """Of `names`."""
        return tuple(map(unit_of, self.names))

    @property
    def hidden(self) -> Array:
        """Of the others: directions in which the one that is held plays no part.

        One that does is held at a start that fits as well as any other.
        """
        hidden = self.problem.hidden
        return np.delete(hidden[:, np.abs(hidden[self.index]) < _ROUNDING], self.index, axis=0)

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Of the others."""
        lower, upper = self.problem.bounds
        return np.delete(lower, self.index), np.delete(upper, self.index)

    def scale(self, x: Array) -> Array:
        """Of the others."""
        return np.delete(self.problem.scale(self.fill(x)), self.index)

    def evaluate(self, x: Array) -> tuple[Array, Array]:
        """Signals and derivatives by the others."""
        signal, jacobian = self.problem.evaluate(self.fill(x))
        return signal, np.delete(jacobian, self.index, axis=1)

    def fill(self, x: Array) -> Array:
        """All parameters."""
        return np.insert(x, self.index, self.value)


def homogenised(tensors: Mapping[str, NDArray], sigma: float) -> Exchange:
    """Parameters of CHL14's model from the tensors of a cell, all cells in one compartment.

    eta_e = sigma |Gamma|/|Y_e|, eta_c = sigma |Gamma|/|Y_c| and theta_c = |Y_c|/|Y| (CHL14 (3.18)).
    With cells that differ this is the model of their mean, as the paper has it for four discs.

    Parameters
    ----------
    tensors : mapping of str to array
        ``theta``, ``eta`` and ``D`` of a file of tensors; compartment 0 is the outside.
    sigma : float
        kappa / L (1/ms).

    Raises
    ------
    InputError
        If a membrane does not lie between the outside and a cell, or water diffuses from cell to
        cell.
    """
    theta, eta, D = tensors["theta"], tensors["eta"], tensors["D"]
    if eta.shape[1] == 0 or np.any(eta[0] == 0.0):
        raise InputError("a cell whose membranes do not all bound the outside", "closed cells")
    if np.abs(D[1:]).max() > 1e-6 * np.abs(D[0]).max():
        raise InputError("cells that reach from one period to the next", "closed cells (D_c = 0)")
    area = theta[0] * eta[0].sum()
    inside = theta[1:].sum()
    return Exchange(sigma * area / theta[0], sigma * area / inside, inside / theta.sum(), D[0])
