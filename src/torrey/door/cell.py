"""A periodic cell and all that can be asked of it, each in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xarray

from torrey.base.errors import InputError
from torrey.door.description import Description
from torrey.door.fits import fit_kurtosis, with_error
from torrey.door.given import Given, read_arguments
from torrey.door.model import CellModel
from torrey.door.periodic import bands, spectrum
from torrey.door.quantities import argument
from torrey.door.signals import Method, ask, check_models
from torrey.door.small_gradients import cumulants, dispersion
from torrey.door.tensors import tensors
from torrey.door.threads import single_threaded
from torrey.gradients.sweep import REFERENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from torrey.door.derivatives import Wanted
    from torrey.door.gradients import Directions, Strengths, Waveforms
    from torrey.door.materials import ByPart
    from torrey.door.orientations import Orientations
    from torrey.door.quantities import Quantities, Quantity
    from torrey.geometry import MeshOptions, Shape


@dataclass(frozen=True, init=False, repr=False)
class Cell(Description):
    """A periodic, permeable cell of tissue.

    Quantities are texts with units, quantities of pint, or plain numbers in um and ms and what
    follows from them (um^2/ms for diffusivities, um/ms for permeabilities, ms/um^2 for b). Meshes,
    operators and bases are made when they are first needed and kept, in this cell and in those that
    `with_` makes from it.

    Parameters
    ----------
    shape : Discs, Spheres or Layers
        In units of the period.
    diffusivity : quantity, or by part
        One value or matrix for the whole cell, a list with one for each region (outside first), or
        a mapping ``{"outside": ..., "inside": ...}``, whose values may be lists; ``layer`` for
        layers around discs, ``coat`` for coats, and names of regions, such as ``cell_3``, which go
        before these. A matrix has as many rows as the cell has dimensions, or three. Zero: the
        water is immobile. ``{"radial": ..., "tangential": ...}`` in a coat.
    period : quantity
        Physical size L of the cell.
    permeability : quantity or list of quantity
        kappa of all membranes, or of each.
    surface_relaxivity : quantity or list of quantity
        Of the surfaces of obstacles and walls, and of membranes on both sides: all, or each. Beside
        no permeability membranes let nothing through.
    T2 : quantity or "infinite", or by part, optional
        Of the transverse magnetisation; without it nothing relaxes.
    T1 : quantity or "infinite", or by part, optional
        Of magnetisation that is stored along z, beside T2: see `StimulatedEcho`, `FilterExchange`.
    density : number, or by part, optional
        Initial spin density, relative.
    mesh : MeshOptions or float, optional
        Size of the coarsest elements, in units of the period (by default 0.1, in space 0.2), and
        how often a tolerance may halve them; see `MeshOptions`.

    Raises
    ------
    InputError
        If an argument cannot be used, here or of a method: the message names it.
    ToleranceError
        Of methods with a tolerance, if the meshes do not reach it.

    Examples
    --------
    >>> import torrey as tr
    >>> disc = tr.Discs([tr.Disc((0.5, 0.5), 0.4)])
    >>> D = {"outside": "3e-3 mm^2/s", "inside": "1.7e-3 mm^2/s"}
    >>> tr.Cell(disc, diffusivity=D, period="10 um", permeability="5e-5 m/s")
    Cell of discs in 2D: outside, cell_1 with D = 3, 1.7 um^2/ms,
      period 10 um, permeability 0.05 um/ms
    """

    def __init__(
        self,
        shape: Shape,
        diffusivity: ByPart,
        period: Quantity,
        permeability: Quantity | Sequence[Quantity] = 0.0,
        *,
        surface_relaxivity: Quantity | Sequence[Quantity] = 0.0,
        T2: ByPart | None = None,
        T1: ByPart | None = None,
        density: ByPart | None = None,
        mesh: MeshOptions | float | None = None,
    ) -> None:
        given = {
            "shape": shape,
            "diffusivity": diffusivity,
            "period": period,
            "permeability": permeability,
            "surface_relaxivity": surface_relaxivity,
            "T2": T2,
            "T1": T1,
            "density": density,
            "mesh": mesh,
        }
        self._fit("Cell", Given(**read_arguments("Cell", given)), None)

    @single_threaded
    def signal(
        self,
        waveform: Waveforms,
        *,
        b: Quantities | None = None,
        q: Quantities | None = None,
        gradient: Quantities | None = None,
        direction: Directions | None = None,
        orientation: Orientations | None = None,
        model: str | Sequence[str] = REFERENCE,
        tolerance: float = 1e-4,
        method: Method = "auto",
        derivatives: Wanted = False,
    ) -> xarray.DataArray:
        """Signal, normalised to the initial magnetisation, with its numerical error.

        Parameters
        ----------
        waveform : Waveform, or list of Waveform
        b, q, gradient : quantity or list of quantity
            Exactly one of them: b-values, largest wave numbers (gamma G delta of rectangular
            pulses), or largest gradients, as G or as gamma G.
        direction : vector, or list of vectors
            Of as many numbers as the cell has dimensions, or three: first axis of a waveform. Or
            ``{"powder": 60}``, ``{"lebedev": 19}``: see docs/configuration.md.
        orientation : mapping, or list of mappings, optional
            Where z of the cell points: ``{"axis": [1, 0, 0]}`` or ``{"watson": {"kappa": 8}}``.
        model : str, or list of str
            ``reference``, ``R0``, ``R2``, ..., ``P4``, ..., ``Pade``, ``lumped-R0`` or ``-R2``.
        tolerance : float
            Of the reference, relative to the signal. Other models are computed on the finest mesh.
        method : {"auto", "full", "projected"}
            Of the reference: ``auto`` takes the full system for a point or two in a plane or on a
            line, and projected models, as accurate, for more, in space and for derivatives.
        derivatives : bool, or list of str
            As coordinates ``dS_dkappa``, ..., all or some: see docs/library.md.

        Returns
        -------
        DataArray
            Its dimensions are those of ``model, orientation, waveform, b`` (or ``q, gradient``)
            and ``direction`` given as lists. Real, unless an imaginary part is larger than the
            coordinate ``numerical_error``, an absolute estimate. Models have ``growth_rate``,
            ``amplification`` and ``validity``, which is zero where a signal means something.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> S = cell.signal(tr.Pgse("5 ms", "25 ms"), b=["500 s/mm^2", "1000 s/mm^2"])
        >>> S.dims, S.round(3).values.tolist()
        (('b',), [0.851, 0.726])
        """
        strengths: Strengths = {"b": b, "q": q, "gradient": gradient}
        given = waveform, strengths, direction, model, tolerance, method, orientation, derivatives
        return ask("Cell.signal", self.site, *given)

    def adc(
        self,
        waveform: Waveforms,
        *,
        b: Quantities,
        direction: Directions | None = None,
        model: str | Sequence[str] = REFERENCE,
        tolerance: float = 1e-4,
    ) -> xarray.DataArray:
        """Apparent diffusion coefficient (um^2/ms), of a fit to several b-values.

        Parameters
        ----------
        waveform, direction, model, tolerance
            See `signal`.
        b : list of quantity
            Three values or more: log S is fitted by a parabola in b, see `fit_kurtosis`.

        Returns
        -------
        DataArray
            With the dimensions that `signal` has, but ``b``; its coordinate ``numerical_error`` is
            what the errors of the signals make of it at worst.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> round(cell.adc(tr.Pgse("5 ms", "25 ms"), b=[0, 0.2, 0.4]).item(), 2)
        0.33
        """
        fit = fit_kurtosis(
            self.signal(waveform, b=b, direction=direction, model=model, tolerance=tolerance)
        )
        return with_error(fit, "adc")

    def kurtosis(
        self,
        waveform: Waveforms,
        *,
        b: Quantities,
        direction: Directions | None = None,
        model: str | Sequence[str] = REFERENCE,
        tolerance: float = 1e-4,
    ) -> xarray.DataArray:
        """Apparent kurtosis, of the same fit to several b-values as `adc`.

        Parameters
        ----------
        waveform, b, direction, model, tolerance
            See `adc`.

        Returns
        -------
        DataArray
            As of `adc`, without a unit.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> round(cell.kurtosis(tr.Pgse("5 ms", "25 ms"), b=[0, 0.2, 0.4]).item(), 1)
        0.4
        """
        fit = fit_kurtosis(
            self.signal(waveform, b=b, direction=direction, model=model, tolerance=tolerance)
        )
        return with_error(fit, "kurtosis")

    @single_threaded
    def cumulants(
        self,
        waveform: Waveforms,
        *,
        direction: Directions | None = None,
        model: str | Sequence[str] = REFERENCE,
        tolerance: float = 1e-4,
    ) -> xarray.Dataset:
        """Apparent diffusivity and kurtosis at b -> 0, exact: no signal is fitted.

        Parameters
        ----------
        waveform, direction, model, tolerance
            See `signal`; the tolerance is relative, and where the finest mesh does not meet it the
            errors say so.

        Returns
        -------
        Dataset
            ``adc`` (um^2/ms), ``kurtosis``, their numerical errors ``adc_error`` and
            ``kurtosis_error``, and ``s0``, the signal without gradients; see docs/theory.md.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> found = cell.cumulants(tr.Pgse("5 ms", "25 ms"), model=["reference", "R2"])
        >>> found.adc.round(3).values.tolist()
        [0.327, 0.1]
        """
        return cumulants(self.site, waveform, direction, model, tolerance)

    @single_threaded
    def dispersion(
        self,
        direction: Directions | None = None,
        *,
        times: Quantities,
        frequencies: Quantities,
    ) -> xarray.Dataset:
        """D(t) and K(t) of narrow pulses, D(omega), their limits, and the rates of exchange.

        Parameters
        ----------
        direction : vector
            As for `signal`.
        times : list of quantity
            Between the pulses.
        frequencies : list of quantity
            omega / (2 pi).

        Returns
        -------
        Dataset
            ``D_time``, ``K_time``, ``D_frequency`` with errors, and more; see docs/theory.md.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> found = cell.dispersion(times=["10 ms", "1 s"], frequencies="10 Hz")
        >>> round(float(found.D_slow), 4), round(float(found.D_fast), 4)  # 1/(1/D + 1/(kappa L))
        (0.0952, 2.0)
        """
        return dispersion(self.site, direction, times, frequencies)

    @single_threaded
    def tensors(self) -> xarray.Dataset:
        """Homogenised tensors of the papers, on the finest mesh: D, S, T, B, I, Z and others.

        Returns
        -------
        Dataset
            With names of compartments, membranes and axes; see docs/artifacts.md, KL23
            section 3.

        Raises
        ------
        InputError
            If a membrane has the same compartment on both sides.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((0.6, 0.4)), [2.0, 1.0], "10 um", "1e-5 m/s")
        >>> cell.tensors().theta.round(6).values.tolist()
        [0.6, 0.4]
        """
        return tensors(self.site)

    def model(self, name: str) -> CellModel:
        """One of the homogenised models of this cell, to look into.

        Parameters
        ----------
        name : str
            See `signal`, but ``reference``.

        Returns
        -------
        CellModel

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> float(cell.model("R2").stability(tr.Pgse("5 ms", "25 ms"), b=1.0).amplification)
        1.0
        """
        with argument("Cell.model", "name"):
            if name == REFERENCE:
                raise InputError(name, "a model beside the reference, such as R2")
            check_models(self.site, (name,))
        return CellModel(self.site, name)

    @single_threaded
    def bands(
        self,
        direction: Directions | None = None,
        *,
        resolution: Quantity | None = None,
        pulses: int = 60,
    ) -> xarray.Dataset:
        """Bands of the Laplacian along a line through the Brillouin zone (MMG20).

        Parameters
        ----------
        direction : vector
            Along a vector of the reciprocal lattice, such as (1, 0) or (1, 1).
        resolution : quantity, optional
            Length l: bands up to D / l^2 are computed, by default of a tenth of the period.
        pulses : int
            Wave numbers in a whole reciprocal lattice vector; half of them are computed, the other
            half mirrors them.

        Returns
        -------
        Dataset
            ``value`` (1/ms) over ``p`` (rad/um) and ``band``, and the ``mean`` of each band.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> cell.bands().value.dims
        ('p', 'band')
        """
        return bands(self.site, direction, resolution, pulses)

    @single_threaded
    def spectrum(
        self, direction: Directions | None = None, *, gradient: Quantities, count: int = 4
    ) -> xarray.Dataset:
        """Eigenvalues of the Bloch-Torrey operator against the gradient (MMG20).

        Parameters
        ----------
        direction : vector
            As for `bands`.
        gradient : list of quantity
            As G or as gamma G, above zero.
        count : int
            Branches to follow, the lowest ones.

        Returns
        -------
        Dataset
            ``eigenvalue`` (1/ms), complex, over ``branch`` and ``gradient`` (rad/um/ms): those
            asked for and those that the continuation of the branches stopped at. Branching points,
            and the bands that the branches begin at.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> cell.spectrum(gradient=[0.01, 0.02], count=2).eigenvalue.dims
        ('branch', 'gradient')
        """
        return spectrum(self.site, direction, gradient, count)

    def plot(self, *, mesh: bool = False, ax: Axes | None = None) -> Axes:
        """Draw the cell: its regions and membranes in um, and parts of its neighbours, faint.

        In space the octant nearest to the eye is cut away, and nothing is measured.

        Parameters
        ----------
        mesh : bool
            Whether to draw the elements of the coarsest mesh.
        ax : Axes, optional
            Of matplotlib; a new figure without.

        Returns
        -------
        Axes

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Discs([tr.Disc((0.5, 0.5), 0.4)]), 2.0, "10 um")
        >>> ax = cell.plot(mesh=True)
        """
        # matplotlib takes a second to load, which signals need not wait for.
        from torrey.door.drawing import draw_cell

        cell = self.medium.discretisation
        return draw_cell(cell.meshes[0], cell.shape.region_names, self.period, mesh, ax)
