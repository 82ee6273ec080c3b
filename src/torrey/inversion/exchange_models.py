"""Models of exchange for measured tables: Karger's with finite pulses, and sticks.

Karger's: Karger, Pfeifer and Heink (1988). Sticks of all directions in a Gaussian outside (NEXI):
Jelescu et al. (2022); with finite pulses (SMEX), and with closed spheres (SANDIX): Olesen et al.
(2022). Their parameters are those of `torrey.inversion.table_model`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.base.errors import InputError
from torrey.inversion.exchange_kernel import (
    BLOCK,
    Steps,
    exchange_signals,
    finite_steps,
    narrow_steps,
)
from torrey.inversion.measured import MeasuredProtocol
from torrey.inversion.sphere import cosines, sphere_signal, sphere_signal_and_slope
from torrey.inversion.table_model import (
    Evaluate,
    ModelParameter,
    TableModel,
    diffusivity,
    directions_of,
    only_means,
    share,
)

Array = NDArray[np.float64]

_T_EX = ModelParameter(
    "t_ex", "ms", 1.0, 1000.0, "exchange time, 1 over the sum of both rates", log=True
)
_STICKS: Final = (
    diffusivity("D_i", "diffusivity along the sticks"),
    diffusivity("D_e", "diffusivity outside them, in all directions"),
)
_STICKS_IN_ZEPPELIN: Final = (
    diffusivity("D_i", "diffusivity along the sticks"),
    diffusivity("D_e_par", "diffusivity outside along the sticks"),
    diffusivity("D_e_perp", "diffusivity outside across the sticks"),
)


@dataclass(frozen=True)
class KargerTable(TableModel):
    """Two compartments that exchange, with pulses as they are."""

    name: str = "karger"
    description: str = "two isotropic compartments with exchange, finite pulses"

    @property
    def parameters(self) -> tuple[ModelParameter, ...]:
        """Two diffusivities, the share of the cells and the exchange time."""
        return (
            diffusivity("D_e", "diffusivity outside: the larger one"),
            diffusivity("D_c", "diffusivity in the cells: the smaller one"),
            share("f", "share of the water in the cells"),
            _T_EX,
        )

    def prepare(self, protocol: MeasuredProtocol) -> Evaluate:
        """See `TableModel.prepare`; any waveforms, of any number of components."""
        # Directions play no part: rows of one waveform and b-value have one signal.
        rows = np.column_stack([protocol.which, protocol.b])
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        different = protocol.rows(first)
        shape = (len(different), 1)
        turn = np.ones((1, *shape, 1))

        def along(x: Array) -> tuple[Array, Array]:
            outside, inside = (x[:, i, None, None] for i in (0, 1))
            full = (len(x), *shape)
            return np.broadcast_to(outside, full), np.broadcast_to(inside, full)

        turns = (turn * [1.0, 0.0], turn * [0.0, 1.0])
        few = _Exchange(different.b, finite_steps(different), np.ones(1), along, turns)
        where = inverse.ravel()

        def evaluate(x: Array, derivatives: bool = True) -> tuple[Array, Array | None]:
            signal, by = few(x, derivatives)
            return signal[:, where], None if by is None else by[:, where]

        return evaluate

    def canonical(self, x: Array) -> Array:
        """The compartment of the larger diffusivity is the outside."""
        swapped = np.column_stack([x[:, 1], x[:, 0], 1.0 - x[:, 2], x[:, 3]])
        return np.where((x[:, 1] > x[:, 0])[:, None], swapped, x)


_ENTRIES: Final = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True)
class KargerTensorTable(TableModel):
    """Karger's model with a diffusion tensor outside."""

    name: str = "karger-tensor"
    description: str = "a tensor outside and an isotropic inside with exchange, finite pulses"

    @property
    def parameters(self) -> tuple[ModelParameter, ...]:
        """Six entries of the tensor, D_c, the share of the cells and the exchange time."""
        entries = (
            ModelParameter(
                f"D_e_{'xyz'[i]}{'xyz'[j]}",
                "um2 ms-1",
                0.02 if i == j else -2.0,
                3.5 if i == j else 2.0,
                "entry of the diffusion tensor outside",
            )
            for i, j in _ENTRIES
        )
        return (
            *entries,
            diffusivity("D_c", "diffusivity in the cells"),
            share("f", "share of the water in the cells"),
            _T_EX,
        )

    def prepare(self, protocol: MeasuredProtocol) -> Evaluate:
        """See `TableModel.prepare`; gradients along one direction of space in each row."""
        n = directions_of(protocol)
        steps = finite_steps(protocol)
        products = np.column_stack(
            [n[:, i] * n[:, j] * (1.0 if i == j else 2.0) for i, j in _ENTRIES]
        )
        turn = np.zeros((1, len(protocol), 1, 7))
        turn[0, :, 0, :6] = products
        inner = np.zeros_like(turn)
        inner[..., 6] = 1.0

        def along(x: Array) -> tuple[Array, Array]:
            # Away from the truth a tensor may not be positive: no gradient makes signal.
            outside = np.maximum((x[:, None, :6] * products).sum(axis=-1), 1e-3)
            return outside[..., None], np.broadcast_to(x[:, 6, None, None], (*outside.shape, 1))

        return _Exchange(protocol.b, steps, np.ones(1), along, (turn, inner))


@dataclass(frozen=True)
class SticksTable(TableModel):
    """Sticks of all directions that exchange with a Gaussian outside, as mean over directions."""

    name: str
    description: str
    anisotropic: bool
    finite: bool
    powder: bool = True

    @property
    def parameters(self) -> tuple[ModelParameter, ...]:
        """Diffusivities, the share of the sticks and the exchange time."""
        diffusivities = _STICKS_IN_ZEPPELIN if self.anisotropic else _STICKS
        return (*diffusivities, share("f", "share of the water in the sticks"), _T_EX)

    def prepare(self, protocol: MeasuredProtocol) -> Evaluate:
        """See `TableModel.prepare`; every row with a gradient is a mean over directions."""
        only_means(protocol, self.name)
        steps = finite_steps(protocol) if self.finite else narrow_steps(protocol)
        highest = 3.5 * float(protocol.b.max())
        c, weights = cosines(highest)
        square = c**2
        m = len(protocol)
        inner, outer = np.zeros((2, 1, 1, len(c), len(self.parameters) - 2))
        inner[..., 0] = square
        outer[0, 0, :, 1] = square if self.anisotropic else 1.0
        if self.anisotropic:
            outer[0, 0, :, 2] = 1.0 - square

        def along(x: Array) -> tuple[Array, Array]:
            D = x[:, None, None, : inner.shape[-1]]
            outside, inside = (D * outer).sum(axis=-1), (D * inner).sum(axis=-1)
            shape = (len(x), m, len(c))
            return np.broadcast_to(outside, shape), np.broadcast_to(inside, shape)

        return _Exchange(protocol.b, steps, weights, along, (outer, inner))


@dataclass(frozen=True)
class SticksAndSpheresTable(TableModel):
    """Exchanging sticks and closed spheres."""

    anisotropic: bool = False
    D_sphere: float = 3.0
    name: str = "sandix"
    description: str = "smex and closed spheres"
    powder: bool = True

    def __post_init__(self) -> None:
        if not (np.isfinite(self.D_sphere) and self.D_sphere > 0.0):
            raise InputError(f"{self.D_sphere}", "a diffusivity above zero", at=("D_sphere",))

    @property
    def parameters(self) -> tuple[ModelParameter, ...]:
        """Those of smex, then the share and the radius of the spheres."""
        return (
            *self._sticks.parameters,
            share("f_s", "share of the water in the spheres"),
            ModelParameter("R_s", "um", 1.0, 15.0, "radius of the spheres"),
        )

    def prepare(self, protocol: MeasuredProtocol) -> Evaluate:
        """See `TableModel.prepare`; pulsed gradients without rise time, means over directions."""
        sticks = self._sticks.prepare(protocol)
        delta, Delta = protocol.delta, protocol.Delta
        lost = np.flatnonzero((np.isnan(delta) | np.isnan(Delta)) & (protocol.b > 0.0))
        if len(lost):
            raise InputError(
                "a row without delta and Delta", "pulsed gradients", at=(int(lost[0]),)
            )
        table = protocol.b, np.nan_to_num(delta, nan=1.0), np.nan_to_num(Delta, nan=2.0)

        def evaluate(x: Array, derivatives: bool = True) -> tuple[Array, Array | None]:
            outside, by = sticks(x[:, :-2], derivatives)
            share, radius = x[:, -2, None], x[:, -1]
            if by is None:
                sphere = sphere_signal(*table, radius, self.D_sphere)
                return (1.0 - share) * outside + share * sphere, None
            sphere, slope = sphere_signal_and_slope(*table, radius, self.D_sphere)
            last = np.stack([sphere - outside, share * slope], axis=-1)
            changes = np.concatenate([(1.0 - share)[..., None] * by, last], axis=-1)
            return (1.0 - share) * outside + share * sphere, changes

        return evaluate

    @property
    def _sticks(self) -> SticksTable:
        return SticksTable("smex", "", self.anisotropic, finite=True)


@dataclass(frozen=True)
class _Exchange:
    """Exchange of two compartments whose diffusivities depend linearly on parameters.

    The last two parameters are the share of the inner compartment and the exchange time.

    Attributes
    ----------
    b : (m,) float
    steps : Steps
    weights : (c,) float
        Of the directions in each row.
    along : callable
        Diffusivities outside and inside, (n, m, c) each, at parameters.
    turns : pair of (1, m or 1, c, p - 2) float
        Their derivatives by the first parameters.
    """

    b: Array
    steps: Steps
    weights: Array
    along: Callable[[Array], tuple[Array, Array]]
    turns: tuple[Array, Array]

    def __call__(self, x: Array, derivatives: bool = True) -> tuple[Array, Array | None]:
        """See `Evaluate`."""
        size = max(1, BLOCK // (len(self.b) * len(self.weights)))
        parts = [self._block(x[i : i + size], derivatives) for i in range(0, len(x), size)]
        signals = np.concatenate([part[0] for part in parts])
        changes = [part[1] for part in parts if part[1] is not None]
        return signals, np.concatenate(changes) if changes else None

    def _block(self, x: Array, derivatives: bool) -> tuple[Array, Array | None]:
        outside, inside = self.along(x)
        b = self.b[:, None]
        f, time = x[:, -2], x[:, -1]
        signal, by = exchange_signals(
            self.steps, b * (outside - inside), 1.0 / time, f, derivatives
        )
        common = np.exp(-b * inside) * self.weights
        mean = (signal * common).sum(axis=-1)
        if by is None:
            return mean, None
        by = by * common
        by_outside = b * by[0]
        by_inside = -by_outside - b * signal * common
        outer, inner = self.turns
        count = x.shape[1] - 2
        changes = np.empty((*mean.shape, count + 2))
        for i in range(count):
            changes[..., i] = (by_outside * outer[..., i] + by_inside * inner[..., i]).sum(axis=-1)
        changes[..., count] = by[2].sum(axis=-1)
        changes[..., count + 1] = -by[1].sum(axis=-1) / time[:, None] ** 2
        return mean, changes
