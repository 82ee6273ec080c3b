"""The papers' own homogenised tensors, from their own cell problems: a second way to G_0, G_1, G_2.

Per compartment a, with nu on a membrane pointing from its inside to its outside and s = +1 for the
compartment outside, -1 for the one inside, KL23 solves on the unit cell::

    -div D(grad omega_j + e_j) = 0                             no flux through membranes      (3.18)
    -div(D grad chi_ij + D e_i omega_j) = 0                    no flux                        (3.21)
    -div D grad phi_ij = D e_i . (grad omega_j + e_j) - D^a_ij no flux                        (3.22)
    -div D grad psi_m = s eta_m           D grad psi_m . nu = 1 on membrane m, 0 on others    (3.23)

all periodic and with zero mean on each compartment; eta_m = |Gamma_m|/|Y_a|. Then come D, S, T, B
(3.17), (3.24)-(3.26), I (3.28), Z (3.27), and the ordinary differential equations (4.4)-(4.10).
They are written here for any number of compartments and membranes, with one function psi_m and one
pair I, Z per membrane; KL23 has the two compartments e (outside) and c (inside).

Letters: eta is an exchange rate and theta a share of the water here, as in CHL14. KL23 has them the
other way round: what it calls theta is eta here.

Sign of (3.23): KL23 prints -div D grad psi = -+theta (- for e), with nu pointing out of the
cell. Integrated over Y_e, whose outward normal is -nu, the flux condition gives
int -div D grad psi = +int_Gamma D grad psi . nu = +|Gamma|; over Y_c it gives -|Gamma|. So both
signs are reversed in print, as in (A.7), (A.12) and (A.15): that problem has no solution. The
same condition one order later, (A.20) and (A.39), has the signs used here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from torrey.base.errors import InputError
from torrey.base.stored import stored
from torrey.cell.operators import Array, BlochTorrey
from torrey.geometry.membranes import NOTHING
from torrey.models.cell_problems import Forms, Traces, solve_cell_problems
from torrey.models.polynomials import Polynomial

#: Dims of tensors of second and fourth order in a file, and what follows their long names.
AXES = ("axis_i", "axis_j", "axis_k", "axis_l")
_D = ("compartment", *AXES[:2])
_I = ("compartment", "membrane", *AXES[:2])
_Z = ("compartment", "compartment_b", *_I[1:])
_AREA = "; unit: that of the cell squared"


@dataclass(frozen=True)
class Tensors:
    """Homogenised tensors of one cell and material; lengths in units of the cell, times in ms.

    Axes named i, j, k, l are space directions, as the papers index them.

    Attributes
    ----------
    D, S, T, B
        One per compartment, k+1: S_ij = -<omega_i omega_j>, B = -T + D (x) S (KHM19 (20)).
    I : (k+1, n_membranes, d, d) float
        [a, m, j, l], zero where membrane m does not bound compartment a.
    Z : (k+1, k+1, n_membranes, d, d) float
        [a, b, m, j, l], zero unless membrane m bounds both a and b.
    eta : (k+1, n_membranes) float
        Zero where membrane m does not bound compartment a.
    psi_jump, omega_jump
        <[psi_n]>_{Gamma_m} at [m, n], symmetric up to the membranes' measures, and <[omega_j]> at
        [m, j].
    measures, interface_measures
        |Y_a| and |Gamma_m|.
    incidence : (n_membranes, k+1) float
        +1 for the compartment outside membrane m, -1 for the one inside.
    diffusivity : (k+1, d, d) float, um^2/ms
        Intrinsic diffusivity; of lumped cells, its mean.
    volume : float
        |Y| of the cell with its obstacles: 1 on square lattices.
    lumped : bool
        Whether several cells share one compartment, which is no consistent homogenisation: see
        `torrey.models.lumped`.
    """

    D: Array = field(
        metadata=stored(
            _D, "um2 ms-1", "homogenised diffusivity, a mean over the compartment (KL23 3.17)"
        )
    )
    S: Array = field(metadata=stored(_D, "1", f"KL23 3.24{_AREA}"))
    T: Array = field(metadata=stored(("compartment", *AXES), "um2 ms-1", f"KL23 3.26{_AREA}"))
    B: Array = field(
        metadata=stored(("compartment", *AXES), "um2 ms-1", f"Burnett, KL23 3.25{_AREA}")
    )
    I: Array = field(metadata=stored(_I, "1", "KL23 3.28; unit: that of the cell"))
    Z: Array = field(metadata=stored(_Z, "1", "KL23 3.27; unit: that of the cell"))
    eta: Array = field(
        metadata=stored(
            ("compartment", "membrane"),
            "1",
            "|Gamma|/|Y_a|, the exchange rate per kappa/L (eta in CHL14 3.18, theta in KL23 3.9); "
            "unit: 1 / that of the cell",
        )
    )
    psi_jump: Array = field(
        metadata=stored(
            ("membrane", "membrane_of_psi"),
            "ms um-2",
            "<[psi]> on each membrane; unit: that of the cell times ms um-2",
        )
    )
    omega_jump: Array = field(
        metadata=stored(
            ("membrane", "axis_i"), "1", "<[omega]> on each membrane; unit: that of the cell"
        )
    )
    measures: Array
    interface_measures: Array
    incidence: Array
    diffusivity: Array
    volume: float
    lumped: bool = False

    @property
    def theta(self) -> Array:
        """Share of the water in each compartment, shape (k+1,): eta in KL23 (3.8)."""
        return self.measures / self.measures.sum()


def papers_tensors(operators: BlochTorrey) -> Tensors:
    """KL23 (3.17), (3.24)-(3.28), KHM19 (20), with one compartment per connected component.

    Shares nothing with `models.expansion` but the finite-element space and the factors of the
    stiffness matrix, so that each checks the other.

    Parameters
    ----------
    operators : BlochTorrey

    Raises
    ------
    ValueError
        If a membrane has the same compartment on both sides, or water is immobile somewhere.
    """
    forms = Forms(_without_surfaces(operators))
    fields = solve_cell_problems(forms)
    cell, d = forms.cell, forms.n_axes
    omega, second = fields.omega, (fields.chi + fields.phi).reshape(-1, d * d)

    D = forms.homogenised_diffusivity(omega)
    S = -forms.mean(omega, forms.mass, omega)
    ones = np.ones((cell.n_dofs, 1))
    # The last term vanishes where D is constant on a compartment, as in the papers.
    T = np.array(
        [
            [
                forms.mean(ones, w, second).reshape(-1, d, d) - forms.mean(omega, w, omega)
                for w in row
            ]
            for row in forms.weighted
        ]
    )
    T = np.moveaxis(T, 2, 0)
    for i, flux in enumerate(forms.flux):
        down = forms.mean(second, flux, omega) - forms.mean(omega, flux, second).swapaxes(1, 2)
        T[:, i] += down.reshape(-1, d, d, d)
    traces = Traces.of(forms)
    interface = traces.interface
    I, psi_jump = _of_psi(traces, omega)
    sign = cell.incidence.T
    eta = np.abs(sign) * interface / forms.measures[:, None]
    return Tensors(
        D=D,
        S=S,
        T=T,
        B=burnett(T, D, S),
        I=I + np.einsum("am,am,ajl->amjl", sign, eta, S),
        Z=_on_membranes(traces, omega, second),
        eta=eta,
        psi_jump=psi_jump,
        omega_jump=(traces.jump.T @ omega) / interface[:, None],
        measures=forms.measures,
        interface_measures=interface,
        incidence=cell.incidence,
        diffusivity=forms.diffusivity,
        volume=float(abs(np.linalg.det(cell.lattice))),
    )


def _without_surfaces(operators: BlochTorrey) -> BlochTorrey:
    """The same where surfaces of obstacles do not relax: nothing passes them.

    Raises
    ------
    InputError
        If water is immobile somewhere.
    """
    cell = operators.cell
    if operators.immobile.any():
        raise InputError(
            "a compartment of immobile water",
            "water that moves everywhere, for the papers' tensors",
        )
    kept = ~np.any(cell.membranes.reshape(-1, 2) == NOTHING, axis=1)
    if kept.all():
        return operators
    of_membranes = kept[cell.jump_membrane]
    number = np.cumsum(kept) - 1
    closed = replace(
        cell,
        membranes=cell.membranes[kept],
        jump_position=cell.jump_position[of_membranes],
        jump_membrane=number[cell.jump_membrane[of_membranes]],
        jump_value=cell.jump_value[of_membranes],
    )
    return replace(operators, cell=closed)


def burnett(T: Array, D: Array, S: Array) -> Array:
    """KL23 (3.25), KHM19 (20)."""
    return -T + np.einsum("aij,akl->aijkl", D, S)


def _of_psi(traces: Traces, omega: Array) -> tuple[Array, Array]:
    """I without its term in eta (KL23 (3.28)), and <[psi]> on each membrane."""
    forms, cell = traces.forms, traces.forms.cell
    d, n = forms.n_axes, cell.n_membranes
    I, psi_jump = np.zeros((cell.n_compartments, n, d, d)), np.zeros((n, n))
    down = [[flux @ omega[:, j] - flux.T @ omega[:, j] for flux in forms.flux] for j in range(d)]
    sides = [traces.on_side(side) for side in range(2)]
    for held, psi in traces.psi():
        packed, a = np.nonzero(held >= 0)
        for j, i in product(range(d), repeat=2):
            integrals = forms.member @ (psi * down[j][i][:, None])
            I[a, held[packed, a], j, i] = integrals[a, packed] / forms.measures[a]
        for side, jump in enumerate(sides):
            # The psi that is there on this side of each membrane, of whichever membrane it is.
            found = held[:, cell.membranes[:, side]].T
            m, packed = np.nonzero(found >= 0)
            psi_jump[m, found[m, packed]] += (jump.T @ psi)[m, packed]
    return I, psi_jump / traces.interface[:, None]


def _on_membranes(traces: Traces, omega: Array, second: Array) -> Array:
    """Z (KL23 (3.27))."""
    forms, cell = traces.forms, traces.forms.cell
    k, n, d = cell.n_compartments, cell.n_membranes, forms.n_axes
    # Nearly all of it stays zero, and untouched.
    Z, every = np.zeros((k, k, n, d, d)), np.arange(n)
    # A function that lives on one side jumps by s times its trace.
    s = (1.0, -1.0)
    for b, a in product(range(2), repeat=2):
        trace = s[b] * (traces.on_side(b).T @ second).reshape(n, d, d)
        both = s[a] * s[b] * traces.product(omega, side_u=a, side_v=b)
        into = cell.membranes[:, a]
        weight = s[a] / forms.measures[into]
        Z[into, cell.membranes[:, b], every] = weight[:, None, None] * (both - trace)
    return Z


def rate_matrices(
    tensors: Tensors, direction: Sequence[float], *, first_order: bool = True
) -> tuple[Polynomial, Polynomial, Polynomial]:
    """G_0, G_1, G_2 of KL23 (4.3)-(4.10) for one gradient direction and any number of membranes.

    In the form that `torrey.models.rates.RateModel` takes: real (k+1, k+1) matrices per monomial in
    (s, ds/dt, sigma), s = i |g|, with dm/dt = -sum_n L^n G_n m. Row a and column b of G_2, with
    s_am the incidence, read::

        g^4         delta_ab B^a :: nnnn
        -g dg/dt    delta_ab S^a : nn
        g^2 sigma   sum_m s_bm (|Y_a|/|Y_b|) (I^a_m + Z^ab_m) : nn
        sigma^2     sum_mn s_am |Gamma_m| <[psi_n]>_{Gamma_m} s_bn / |Y_b|

    and for a compartment outside and one inside they are (4.7)-(4.10).

    Parameters
    ----------
    tensors : Tensors
    direction : (d,) sequence of float
        Normalised here.
    first_order : bool
        False leaves G_1 out, as KL23 does in (4.11): it is imaginary.

    Raises
    ------
    ValueError
        If the direction is zero, not finite or has another number of components than the cell.
    """
    n = _unit(direction, tensors.D.shape[-1])
    sign, V = tensors.incidence.T, tensors.measures
    flow = sign * tensors.interface_measures
    diffusion = np.einsum("aij,i,j->a", tensors.D, n, n)
    S = np.einsum("aij,i,j->a", tensors.S, n, n)
    B = np.einsum("aijkl,i,j,k,l->a", tensors.B, n, n, n, n)
    exchange = np.einsum("amjl,j,l,bm->ab", tensors.I, n, n, sign)
    exchange += np.einsum("abmjl,j,l,bm->ab", tensors.Z, n, n, sign, optimize=True)
    exchange *= V[:, None] / V
    transfer = (np.abs(sign) * (tensors.omega_jump @ n)) @ flow.T / V
    np.fill_diagonal(transfer, 0.0)
    zeroth: Polynomial = {(2, 0, 0): -np.diag(diffusion), (0, 0, 1): flow @ sign.T / V}
    first: Polynomial = {(1, 0, 1): transfer} if first_order else {}
    second: Polynomial = {
        (4, 0, 0): np.diag(B),
        (1, 1, 0): np.diag(S),
        (2, 0, 1): -exchange,
        (0, 0, 2): flow @ tensors.psi_jump @ sign.T / V,
    }
    return zeroth, first, second


def _unit(direction: Sequence[float], dimension: int) -> Array:
    n = np.asarray(direction, dtype=float)
    length = np.linalg.norm(n)
    if n.shape != (dimension,) or not (np.isfinite(length) and length > 0):
        raise ValueError(f"direction {list(direction)}: {dimension} numbers are needed, not all 0")
    return n / length
