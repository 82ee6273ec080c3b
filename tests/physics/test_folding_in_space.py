"""Folding and narrow pulses in three dimensions, against the full system on the same mesh."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.bloch.bands import band_basis, band_set
from torrey.bloch.echo_runs import run_schemes
from torrey.bloch.folded_basis import folded_models, road
from torrey.bloch.folded_signals import Propagator, converged_signal, magnetisation
from torrey.bloch.narrow_pulses import pulsed_signal
from torrey.cell.build import levels
from torrey.cell.folding import Zone
from torrey.cell.material import Material
from torrey.cell.system import AffineSystem
from torrey.geometry import MeshOptions, Sphere, Spheres
from torrey.geometry.meshing import build_meshes
from torrey.gradients.waveforms import Pgse
from torrey.reference.full import folded_signal

#: An obstacle of MMG20's figure 7.
SHAPE = Spheres((Sphere((0.5, 0.5, 0.5), 0.4),), "obstacle")
OPTIONS = MeshOptions(0.2, 0)
DIAGONAL = (1, 1, 1)
AXIS = np.full((1, 3), np.sqrt(1 / 3))
D, PERIOD = 2.0, 3.0
WIDTH = 2.0 * np.pi * np.sqrt(3.0) / PERIOD
#: g reaches 5/6 of |G|: beyond one half it is folded.
WAVEFORM, Q = Pgse(0.2, 0.2), WIDTH * 5.0 / 6.0


@pytest.fixture(scope="module")
def operators():
    return levels(SHAPE, OPTIONS, Material((D,)))[0]


@pytest.fixture(scope="module")
def full(operators):
    """The whole system on the mesh, with folds."""
    system = AffineSystem.at(operators, PERIOD, 0.0, np.eye(3))
    zone = Zone(operators.cell.lattice, PERIOD)
    return folded_signal(system, zone, WAVEFORM, AXIS, Q, 16).real


def test_small_systems_in_space_agree_with_the_full_one(operators, full):
    fine, coarse = map(
        Propagator, folded_models(operators, PERIOD, 0.0, road(DIAGONAL), 40, [DIAGONAL])
    )
    found = converged_signal(fine, coarse, WAVEFORM, AXIS, Q, 1e-6)
    assert found.signal.real == pytest.approx(full, rel=1e-3)
    m = magnetisation(fine, WAVEFORM, AXIS, Q, found.steps)
    mean = np.ones(len(m)) @ (operators.mass_matrix @ m) / operators.cell.measures().sum()
    assert mean == pytest.approx(found.signal, rel=1e-6)


def test_narrow_pulses_in_space_approach_the_full_system_at_second_order(operators, full):
    basis = band_basis(operators, PERIOD, 0.0, [DIAGONAL], 0.12 * PERIOD)
    found = np.array(
        [
            pulsed_signal(band_set(basis, DIAGONAL, P), WAVEFORM, Q).signal.real
            for P in (6, 12, 24, 96)
        ]
    )
    assert found[-1] == pytest.approx(full, rel=2e-3)
    errors = np.abs(found[:-1] / found[-1] - 1.0)
    assert np.all(np.log2(errors[:-1] / errors[1:]) > 1.8), errors
    # MMG20 (28) with the pulse along the diagonal; less where obstacles hinder diffusion.
    assert 0.5 < errors[0] / ((WIDTH / 6) ** 2 * D * WAVEFORM.echo_time / 6) < 1.0


def test_both_schemes_stand_in_one_table_and_modes_converge(operators):
    mesh = build_meshes(SHAPE, OPTIONS)[0]
    found = run_schemes([operators], mesh, PERIOD, 0.0, DIAGONAL, 0.3, 1.0, [24], [5, 30, 60], 0.15)
    (continuous,) = found.signal
    pulsed = found.pulsed_signal
    assert pulsed.shape == (1, 1, 3, 4)
    by_rule = dict(zip(found.rule, pulsed[0, 0, -1], strict=True))
    assert by_rule["round"] == pytest.approx(continuous, rel=0.01)
    assert by_rule["ceil"] < continuous < by_rule["floor"]
    few, more, most = pulsed[0, 0, :, 2]
    assert abs(more - most) < 0.1 * abs(few - most)
    assert found.magnetisation.shape == (len(mesh.points),)


def test_more_modes_than_the_basis_has_are_refused(operators):
    mesh = build_meshes(SHAPE, OPTIONS)[0]
    with pytest.raises(ValueError, match="5000 modes"):
        run_schemes([operators], mesh, PERIOD, 0.0, DIAGONAL, 0.4, 0.5, [6], [5000], 0.25)
