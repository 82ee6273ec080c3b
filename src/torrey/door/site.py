"""Where signals are computed: a medium of some period and permeability."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torrey.door.gradients import Gradients, read_direction, read_gradients
from torrey.door.labels import Coordinates, cell_coordinates
from torrey.door.medium import Medium
from torrey.door.quantities import arguments
from torrey.gradients.protocol import Measurement, Vector
from torrey.gradients.sweep import Acquisition, PermeabilityKind, Sweep

if TYPE_CHECKING:
    from torrey.door.gradients import Directions, Strengths, Waveforms
    from torrey.door.orientations import Orientations


@dataclass(frozen=True)
class Site:
    """A medium of some period and permeability, in which signals are computed.

    Parameters
    ----------
    medium : Medium
    period : float, um
    permeability : float, um/ms
    """

    medium: Medium
    period: float
    permeability: float

    @property
    def permeability_kind(self) -> PermeabilityKind:
        """What the permeability is: where nothing passes membranes, the relaxivity of surfaces."""
        surfaces = [m.is_surface for m in self.medium.discretisation.shape.membranes()]
        relaxes = self.medium.material.walls or (bool(surfaces) and all(surfaces))
        return "surface_relaxivity" if relaxes else "permeability"

    def read(
        self,
        call: str,
        waveform: Waveforms,
        strengths: Strengths,
        direction: Directions | None,
        orientation: Orientations | None = None,
    ) -> tuple[Site, Gradients]:
        """Gradients that were given, and the site with as many axes as they have.

        Parameters as of `read_gradients`.
        """
        shape, in_space = self.medium.discretisation.shape, self.medium.material.in_space
        found = read_gradients(
            call, shape.dimension, waveform, strengths, direction, in_space, orientation
        )
        with arguments(call):
            return replace(self, medium=self.medium.for_axes(found.n_axes)), found

    def along(self, direction: Directions | None, n_components: int = 1) -> tuple[Site, Vector]:
        """One direction that was given, and the site with as many axes as it has."""
        shape, in_space = self.medium.discretisation.shape, self.medium.material.in_space
        n = read_direction(direction, shape.dimension, n_components, in_space)
        return replace(self, medium=self.medium.for_axes(len(n))), n

    @property
    def within(self) -> Site:
        """The same for gradients that lie within the cell."""
        return replace(self, medium=self.medium.within)

    @property
    def described(self) -> str:
        """Period and permeability, as people say them."""
        name = self.permeability_kind.replace("_", " ")
        return f"period {self.period:g} um, {name} {self.permeability:g} um/ms"

    def coordinates(self) -> Coordinates:
        """Period and permeability as coordinates of a result."""
        return cell_coordinates(self.period, self.permeability, self.permeability_kind)

    def sweep(self, measurements: tuple[Measurement, ...]) -> Sweep:
        """Measurements in this one cell as a sweep."""
        acquisition = Acquisition("b", measurements)
        return Sweep((self.period,), self.permeability_kind, (self.permeability,), acquisition)
