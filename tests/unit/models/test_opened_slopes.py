"""Derivatives that share their first pulse, beside those by the adjoint of each signal."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.cell.radii import radius_slopes
from torrey.geometry import Disc, Discs, Layers, MeshOptions
from torrey.geometry.meshing import build_meshes
from torrey.geometry.shapes import Shape
from torrey.gradients.waveforms import Pgse, StimulatedEcho, TrapezoidalPgse, Waveform
from torrey.models.integration import Points
from torrey.models.openings import Opened, opening_of
from torrey.models.sensitivities import (
    Derivatives,
    derivatives,
    radius_forms,
    region_forms,
    shared_derivatives,
)
from torrey.reference.ladder import GrowingLadder

RUNG, STEPS, NODES = 4, 96, (28, 20)
L, KAPPA, Q = 8.0, 0.06, np.array([0.15, 0.5, 0.8])
LAYERS, DISC = Layers((0.6, 0.4)), Discs((Disc((0.45, 0.5), 0.3),))
PLAIN = Material((2.0, 1.2))
CASES: dict[str, tuple[Shape, Material, list[Waveform]]] = {
    "two times": (LAYERS, PLAIN, [Pgse(4.0, 12.0), Pgse(4.0, 4.0), Pgse(4.0, 30.0)]),
    "ramps": (DISC, PLAIN, [TrapezoidalPgse(4.0, 12.0, 1.0)] * 3),
    "densities and T2": (
        LAYERS,
        Material((2.0, 1.2), T2=(60.0, 30.0), density=(1.0, 0.5)),
        [Pgse(4.0, 12.0)] * 3,
    ),
    "stored": (
        LAYERS,
        Material((2.0, 1.2), T2=(60.0, 30.0), T1=(800.0, 600.0)),
        [StimulatedEcho(4.0, 40.0, 10.0)] * 3,
    ),
    "radius": (DISC, Material((2.0, 1.2), T2=(60.0, 30.0)), [Pgse(4.0, 12.0)] * 3),
}


@pytest.mark.parametrize("case", CASES)
def test_all_agree_with_those_by_the_adjoint(case: str) -> None:
    shape, material, waveforms = CASES[case]
    d = shape.dimension
    operators = levels(shape, MeshOptions(0.2, 0), material)[0]
    ladder = GrowingLadder(operators, np.eye(d), RUNG)
    model, basis = ladder.truncate(RUNG), ladder.basis(RUNG)
    frame, radii = np.array([[1.0], [0.6, 0.8]][d - 1])[None], None
    regions = region_forms(operators, basis)
    if case == "radius":
        mesh = build_meshes(shape, MeshOptions(0.2, 0))[0]
        radii = radius_forms(operators, radius_slopes(mesh, shape, material), basis)
    halves = [opening_of(waveform) for waveform in waveforms]
    opening, _ = halves[0]
    assert all(half[0] == opening for half in halves)
    opened = Opened(
        opening,
        L,
        KAPPA / L,
        Q,
        np.array([tau for _, tau in halves]),
        np.array([waveform.b_factor for waveform in waveforms]),
    )
    found, change = shared_derivatives(model, opened, frame, 1e-10, NODES, regions, radii)
    for row, waveform in enumerate(waveforms):
        points = Points.of(Q[row : row + 1], L, KAPPA / L)
        one = derivatives(model, waveform, points, frame, STEPS, regions, radii)
        for f in fields(Derivatives):
            own, other = getattr(found, f.name)[row], getattr(one, f.name)[0]
            scale = np.abs(other).max(initial=1e-30)
            np.testing.assert_allclose(own, other, rtol=0.0, atol=1e-7 * scale, err_msg=f.name)
    assert 0.0 < np.abs(change.kappa).max() < 1e-3 * np.abs(found.kappa).max()
    assert found.R.shape[1] == (case == "radius")


def test_fewer_nodes_tell_the_error_in_time() -> None:
    operators = levels(LAYERS, MeshOptions(0.05, 0), PLAIN)[0]
    model = GrowingLadder(operators, np.eye(1), RUNG).truncate(RUNG)
    opening, tau = opening_of(Pgse(4.0, 12.0))
    opened = Opened(opening, L, KAPPA / L, Q, np.full(3, tau), np.full(3, Pgse(4.0, 12.0).b_factor))
    best, _ = shared_derivatives(model, opened, np.eye(1), 1e-12, (40, None))
    errors = []
    for nodes in (4, 6, 8):
        found, change = shared_derivatives(model, opened, np.eye(1), 1e-12, (nodes, nodes - 3))
        for name in ("kappa", "L", "q"):
            error = np.abs(getattr(found, name) - getattr(best, name))
            assert np.all(error <= np.abs(getattr(change, name)))
        errors.append(np.abs(found.L - best.L).max())
    assert errors[0] > 10.0 * errors[1] > 100.0 * errors[2]
