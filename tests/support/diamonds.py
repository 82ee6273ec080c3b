"""A kind of geometry that the library does not have: what a new one takes, all in one file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.base.fields import declared
from torrey.geometry import Membrane, Shape, kinds
from torrey.geometry.drawing import Canvas
from torrey.geometry.pieces import Drawing, Owner
from torrey.geometry.shapes import LEAST_GAP


@dataclass(frozen=True)
class Diamond(Shape):
    """One diamond behind a membrane, with a core of another material in it.

    Parameters
    ----------
    center : tuple of float
    half_width, half_height : float
    core : float
        Size of the core over that of the diamond; the field is continuous around it.
    """

    center: tuple[float, float] = declared(description="two numbers in [0, 1[, such as [0.5, 0.5]")
    half_width: float = declared(description="a number above 0 and below 0.5", gt=0)
    half_height: float = declared(description="a number above 0 and below 0.5", gt=0)
    core: float = declared(description="a number above 0 and below 1", default=0.5)

    kind: ClassVar[str] = "diamond"
    dimension: ClassVar[int] = 2
    dimensions: ClassVar[tuple[int, ...]] = (2,)

    def __post_init__(self) -> None:
        for i, x in enumerate(self.center):
            if not 0 <= x < 1:
                raise InputError(f"{x:g}", "a number in [0, 1[", at=("center", i))
        for name in ("half_width", "half_height"):
            if not 0 < getattr(self, name) <= (1 - LEAST_GAP) / 2:
                accepted = "a diamond that does not touch its image"
                raise InputError(f"{getattr(self, name):g}", accepted, at=(name,))
        if not 0 < self.core < 1:
            raise InputError(f"{self.core:g}", "a core inside the diamond", at=("core",))

    @property
    def compartment_names(self) -> tuple[str, ...]:
        """Water around it and in it."""
        return ("outside", "diamond")

    @property
    def region_names(self) -> tuple[str, ...]:
        """The core is a region of the diamond."""
        return ("outside", "rim", "core")

    @property
    def region_compartment(self) -> tuple[int, ...]:
        """Compartment of each region."""
        return (0, 1, 1)

    def membranes(self) -> tuple[Membrane, ...]:
        """Around the diamond."""
        return (Membrane("membrane", 0, 1),)

    def measures(self) -> tuple[float, ...]:
        """Exact area of each compartment."""
        inside = 2 * self.half_width * self.half_height
        return (1 - inside, inside)

    def region_measures(self) -> tuple[float, ...]:
        """Exact area of each region."""
        outside, inside = self.measures()
        return (outside, inside * (1 - self.core**2), inside * self.core**2)

    def interface_measures(self) -> tuple[float, ...]:
        """Exact length of the membrane."""
        return (4 * math.hypot(self.half_width, self.half_height),)

    def draw(self, canvas: Canvas) -> Drawing:
        """Draw the diamond and its core, with the periodic images that reach into the box."""
        reach = np.array([self.half_width, self.half_height])
        corners = reach * [[1, 0], [0, 1], [-1, 0], [0, -1]]
        drawn = []
        for place in canvas.box.images(np.array(self.center), reach):
            # What is drawn later is cut out of what was drawn before.
            for size, region in ((1.0, 1), (self.core, 2)):
                drawn.append((canvas.polygon(place + size * corners), Owner(region)))
        return Drawing(canvas.cut(drawn))


@contextmanager
def registered(*added: type[Shape]) -> Iterator[None]:
    """Let there be further kinds of geometry for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torrey.geometry.registry.KINDS", (*kinds(), *added))
        yield
