"""One homogenised model of a cell, to look into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray

from torrey.door.quantities import argument
from torrey.door.signals import ask, growth_rates, stability_of
from torrey.door.site import Site
from torrey.door.threads import single_threaded
from torrey.gradients.protocol import frame
from torrey.models.evaluation import build_models
from torrey.models.model import Model

if TYPE_CHECKING:
    from torrey.door.gradients import Directions, Strengths, Waveforms
    from torrey.door.orientations import Orientations
    from torrey.door.quantities import Quantities


@dataclass(frozen=True, repr=False)
class CellModel:
    """A homogenised model of one cell.

    Parameters
    ----------
    site : Site
    name : str
        Such as ``R2``.
    """

    site: Site
    name: str

    def __repr__(self) -> str:
        return (
            f"{self.name} of a cell of {self.site.medium.discretisation.shape.kind}, "
            f"{self.site.described}"
        )

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
    ) -> xarray.DataArray:
        """Signal of this model: `Cell.signal` with its name for the model.

        Parameters
        ----------
        waveform, b, q, gradient, direction, orientation
            See `Cell.signal`.

        Returns
        -------
        DataArray
            As `Cell.signal` returns it.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((1.0,)), 2.0, "10 um", "1e-5 m/s")
        >>> round(cell.model("P4").signal(tr.Pgse("5 ms", "25 ms"), b=1.0).item(), 3)
        0.726
        """
        strengths: Strengths = {"b": b, "q": q, "gradient": gradient}
        given = waveform, strengths, direction, self.name
        return ask("CellModel.signal", self.site, *given, orientation=orientation)

    @single_threaded
    def growth_rate(
        self,
        waveform: Waveforms,
        *,
        b: Quantities | None = None,
        q: Quantities | None = None,
        gradient: Quantities | None = None,
        direction: Directions | None = None,
    ) -> xarray.DataArray:
        """Largest rate (1/ms) at which the model makes some state grow: see `stability`.

        Parameters
        ----------
        waveform, b, q, gradient, direction
            See `Cell.signal`.

        Returns
        -------
        DataArray
            With a dimension for each argument that is a list.
        """
        strengths: Strengths = {"b": b, "q": q, "gradient": gradient}
        call = "CellModel.growth_rate"
        return growth_rates(call, self.site, waveform, strengths, direction, self.name)

    @single_threaded
    def stability(
        self,
        waveform: Waveforms,
        *,
        b: Quantities | None = None,
        q: Quantities | None = None,
        gradient: Quantities | None = None,
        direction: Directions | None = None,
    ) -> xarray.Dataset:
        """Whether the model makes states grow that the exact flow only lets decay.

        States are measured by the energy norm of the fields that they stand for: see
        docs/theory.md.

        Parameters
        ----------
        waveform, b, q, gradient, direction
            See `Cell.signal`.

        Returns
        -------
        Dataset
            ``growth_rate`` (1/ms), the largest at any instant; ``amplification``, the largest
            factor between two instants, 1 of a model that dissipates; and ``validity``, a mark
            that is not zero where the signal means nothing.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((0.6, 0.4)), [2.0, 1.0], "10 um", "1e-5 m/s")
        >>> found = cell.model("R2").stability(tr.Pgse("5 ms", "25 ms"), b=[1, 40])
        >>> found.amplification.round(2).values.tolist(), found.validity.values.tolist()
        ([1.0, 13.03], [0, 2])
        """
        strengths: Strengths = {"b": b, "q": q, "gradient": gradient}
        call = "CellModel.stability"
        return stability_of(ask(call, self.site, waveform, strengths, direction, self.name))

    @single_threaded
    def system(self, direction: Directions | None = None, *, components: int = 1) -> Model:
        """Small system of the model on the finest mesh: its matrices, as the library has them.

        Parameters
        ----------
        direction : vector
            Of the gradients: the first axis of waveforms with several components.
        components : int
            Of the waveforms that it is for.

        Returns
        -------
        RateModel, ProjectedModel or PadeModel
            Of ``torrey.models``: for R models, ``rates`` are G_0, G_1, ... by monomial.

        Examples
        --------
        >>> import torrey as tr
        >>> cell = tr.Cell(tr.Layers((0.6, 0.4)), [2.0, 1.0], "10 um", "1e-5 m/s")
        >>> len(cell.model("R2").system().rates)
        3
        """
        with argument("CellModel.system", "direction"):
            site, n = self.site.along(direction, components)
            axes = frame(n, components)
        return build_models(site.medium.levels[-1], np.asarray(axes), [self.name])[0]
