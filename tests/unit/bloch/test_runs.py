"""Every kind of run makes its file from plain values, on a coarse cell."""

from __future__ import annotations

import json

import numpy as np
import pytest

from torrey.base.progress import untold
from torrey.bloch import laws
from torrey.bloch.runs import compute
from torrey.cell.build import levels
from torrey.cell.material import Material
from torrey.geometry import Disc, Discs, MeshOptions
from torrey.geometry.meshing import build_meshes

SHAPE = Discs((Disc((0.5, 0.5), 0.4),), "obstacle")
OPTIONS = MeshOptions(0.2, 1)
D, PERIOD = 2.0, 3.0
PULSES = 30


@pytest.fixture(scope="module")
def cell():
    return levels(SHAPE, OPTIONS, Material((D,))), build_meshes(SHAPE, OPTIONS)


def run(cell, kind: str, progress=untold, **settings):
    recipe = {
        "kind": kind,
        "period": PERIOD,
        "permeability": 0.0,
        "settings": json.dumps(settings),
    }
    return compute(recipe, *cell, progress)


def test_a_spectrum_has_its_branches_and_scales(cell):
    found = run(cell, "spectrum", direction=[1, 0], strengths=[15.0], count=1).variables
    np.testing.assert_allclose(found["gradient"].values, [15.0 * D / PERIOD**3])
    assert found["eigenvalue_real"].values.shape == (1, 1)
    assert found["eigenvalue_real"].values.item() > 0.0


@pytest.mark.slow
def test_modes_are_on_the_finest_mesh(cell):
    found = run(cell, "modes", direction=[1, 0], gradient_lengths=[0.3], count=1).variables
    assert found["place"].values.shape == cell[1][-1].points.shape
    np.testing.assert_allclose(found["gradient"].values, D / (0.3 * PERIOD) ** 3)


def test_maps_and_strengths_agree_on_a_signal(cell):
    common = {"directions": [[1, 0]], "pulses": PULSES}
    maps = run(cell, "maps", gradient_lengths=[0.25], ratio=1.2, **common).variables
    strengths = run(cell, "strengths", pulse_lengths=[0.3], strengths=[1.2**6], **common).variables
    one, other = maps["signal"].values.item(), strengths["signal"].values.item()
    assert one == pytest.approx(other, rel=1e-4)
    m = maps["magnetisation_real"].values[0, 0]
    assert m.shape == (len(cell[1][-1].points),)
    # MMG20 (28) with l_delta = 0.3.
    law = laws.sampling_error(PULSES, 1.0, 2 * 0.3**2, 1.0)
    for table in (maps, strengths):
        assert table["pulses"].values == PULSES
        pulsed = table["pulsed_signal"].values.item()
        assert 0.0 < 1.0 - pulsed / table["signal"].values.item() < law
    both = [maps[f"{name}_real"].values for name in ("magnetisation", "pulsed_magnetisation")]
    assert 0.0 < np.abs(both[1] - both[0]).max() < 4 * law * np.abs(both[0]).max()


def test_bands_come_with_their_matrices(cell):
    found = run(cell, "bands", directions=[[1, 0], [1, 1]], pulses=8, resolution=0.2)
    assert found.variables == {}
    assert sorted(found.groups) == ["line0", "line1"]
    for group in found.groups.values():
        assert {"value", "mean", "static", "folds_real", "vectors"} <= set(group)
    diagonal = found.groups["line1"]["direction"].values
    np.testing.assert_allclose(diagonal, np.sqrt(0.5))


def test_bands_tell_how_far_they_are(cell):
    told = []
    run(
        cell,
        "bands",
        lambda *said: told.append(said),
        directions=[[1, 0]],
        pulses=4,
        resolution=0.4,
    )
    assert [part for _, part in told] == ["bands along (1, 0)"] * 4
    assert told[0][0] == 0.0
    assert told[-1][0] == 1.0


def test_narrow_pulses_begin_with_all_of_the_signal(cell):
    common = {"directions": [[1, 0]], "pulses": 8, "resolution": 0.2, "diffusion_lengths": [0.3]}
    signals = run(cell, "narrow-signals", turns=[0.25, 0.5], **common).variables
    np.testing.assert_allclose(signals["turns"].values, [0.0, 0.25, 0.5])
    assert signals["signal"].values[0, 0, 0] == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(signals["Delta"].values, (0.3 * PERIOD) ** 2 / D)
    surface = 2 * np.pi * 0.4 / (1 - np.pi * 0.16) / PERIOD
    assert signals["surface_to_volume"].values == pytest.approx(surface, rel=1e-3)
    maps = run(cell, "narrow-maps", turns=0.5, **common).variables
    assert maps["m_real"].values.shape[-1] == len(cell[1][-1].points)


def test_samplings_have_all_rules(cell):
    found = run(cell, "sampling", delta=1.0, Delta=2.0, turns=3.3, pulses=1).variables
    assert found["q"].values.max() == pytest.approx(3.3 * 2 * np.pi / PERIOD)
    assert found["pulse"].values == pytest.approx(2 * np.pi / PERIOD)


def test_unknown_kinds_are_refused(cell):
    with pytest.raises(ValueError, match="found the kind other, accepted: bands"):
        run(cell, "other")


def test_one_mesh_is_not_enough_for_a_spectrum(cell):
    one = (cell[0][:1], cell[1][:1])
    with pytest.raises(ValueError, match=r"mesh\.refinements of 1 or more"):
        run(one, "spectrum", direction=[1, 0], strengths=[5.0], count=1)


def test_both_schemes_give_one_signal_on_both_meshes(cell):
    found = run(
        cell, "schemes", direction=[1, 0], gradient_length=0.25, ratio=1.2, pulses=[48],
        modes=[20], resolution=0.1,
    ).variables  # fmt: skip
    assert found["signal"].values.shape == (2,)
    rounded = found["pulsed_signal"].values[:, 0, 0, list(found["rule"].values).index("round")]
    np.testing.assert_allclose(rounded, found["signal"].values, rtol=0.02)
    assert found["magnetisation_real"].values.shape == (len(cell[1][-1].points),)


def test_dispersion(cell):
    found = run(
        cell, "dispersion", directions=[[1, 0], [1, 1]], times=[0.1, 1.0], frequencies=[0.01, 1.0]
    ).variables
    D = np.asarray(found["D_time"].values)
    assert D.shape == (2, 2)
    assert found["D_time"].dims == ("line", "time")
    np.testing.assert_allclose(D[0], D[1], rtol=1e-2)
    assert np.all(np.diff(D) < 0)
    # Obstacles leave one compartment: nothing exchanges.
    assert np.asarray(found["rate"].values).shape == (0,)
    assert np.asarray(found["D_fast"].values) == pytest.approx([2.0, 2.0])
