"""One small cell, whose meshes and operators all tests of the door share."""

from __future__ import annotations

import pytest

import torrey as tr


@pytest.fixture(scope="session")
def cell() -> tr.Cell:
    """A disc in the plane, on two coarse meshes."""
    return tr.Cell(
        tr.Discs((tr.Disc((0.5, 0.5), 0.4),)),
        diffusivity={"outside": "3e-3 mm^2/s", "inside": "1.7e-3 mm^2/s"},
        period="10 um",
        permeability="5e-5 m/s",
        mesh=tr.MeshOptions(0.2, 2),
    )
