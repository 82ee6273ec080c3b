"""Random spheres: none overlaps, they fill what was asked for, and they are the same everywhere."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from torrey.base.errors import InputError
from torrey.base.provenance import Provenance
from torrey.geometry import MeshOptions, RadiusLaw, RandomPacking, shape_from_dict
from torrey.geometry.balls.packing_files import read_packing, write_packing
from torrey.geometry.balls.radius_laws import Gamma, Lognormal
from torrey.geometry.balls.random_discs import place_discs, touching_pairs
from torrey.geometry.balls.random_packing import PlacedSpheres
from torrey.geometry.meshing import build_meshes

LAWS = {
    "uniform": RadiusLaw(uniform=(1.0, 5.0)),
    "gamma": RadiusLaw(gamma=Gamma(3.0, 1.0, 1.0, 8.0)),
    "lognormal": RadiusLaw(lognormal=Lognormal(3.0, 1.0, 1.0, 8.0)),
    "equal": RadiusLaw(list=(3.0,)),
}
SMALL = RandomPacking(25.0, LAWS["uniform"], count=6, seed=2, gap=0.3, dimension=3)


def narrowest(centres: np.ndarray, radii: np.ndarray) -> float:
    """Least distance of two spheres, from all pairs and all images."""
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    apart = centres[:, None, None] - centres[None, :, None] + shifts
    width = np.linalg.norm(apart, axis=-1) - (radii[:, None] + radii)[:, :, None]
    home = np.all(shifts == 0, axis=1)
    width[:, :, home] += np.where(np.eye(len(radii)), np.inf, 0.0)[:, :, None]
    return float(width.min())


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("fraction", [0.2, 0.4, 0.55])
def test_spheres_keep_their_gap_at_every_fraction(law: str, fraction: float) -> None:
    radii = LAWS[law].draw(40.0, 2, fraction=fraction, dimension=3)
    placed = place_discs(radii, 2, 1e-3, 3)
    assert np.array_equal(placed.radii, radii)
    assert placed.centres.shape == (len(radii), 3)
    assert np.all((placed.centres >= 0.0) & (placed.centres < 1.0))
    assert placed.fraction == pytest.approx(4 / 3 * math.pi * np.sum(radii**3), rel=1e-14)
    # As many spheres as come nearest: half of one is missing at most.
    assert abs(placed.fraction - fraction) <= 2 / 3 * math.pi * radii.max() ** 3
    # Some two are not much further apart than they must be.
    assert 1e-3 - 1e-9 <= narrowest(placed.centres, radii) < 5e-3


def test_dense_spheres_are_random_and_no_crystal() -> None:
    """The mean of cos(2 pi k x) over places is of order n^-1/2 in every direction."""
    radii = LAWS["equal"].draw(60.0, 1, fraction=0.55, dimension=3)
    placed = place_discs(radii, 1, 1e-4, 3)
    assert placed.method == "relaxation"
    waves = np.array(list(product(range(-6, 7), repeat=3)))
    waves = waves[np.any(waves != 0, axis=1)]
    peaks = np.abs(np.exp(2j * np.pi * placed.centres @ waves.T).mean(axis=0))
    # In a crystal one of them would be of order 1.
    assert peaks.max() < 0.35
    first, _, _ = touching_pairs(placed.centres, radii, 0.3 * float(radii[0]))
    assert 5 < 2 * len(first) / len(radii) < 14


def test_radii_of_spheres_follow_their_law() -> None:
    radii = 250.0 * LAWS["uniform"].draw(250.0, 3, fraction=0.5, dimension=3)
    assert len(radii) > 10_000
    assert stats.kstest(radii, stats.uniform(1.0, 4.0).cdf).pvalue > 0.01
    # They are drawn as those of discs, one after the other.
    np.testing.assert_array_equal(radii[:10], 250.0 * LAWS["uniform"].draw(250.0, 3, 10))


def test_the_same_seed_gives_the_same_spheres() -> None:
    """What a machine found once, to the last grain: others must find it too."""
    digests = []
    for fraction in (0.15, 0.5):
        radii = LAWS["uniform"].draw(40.0, 1, fraction=fraction, dimension=3)
        one, other = (place_discs(radii, seed, 1e-3, 3) for seed in (1, 2))
        assert not np.any(one.centres == other.centres)
        grains = np.rint(one.centres * 1e9).astype("<i8")
        digests.append((one.method, hashlib.sha256(grains.tobytes()).hexdigest()[:16]))
    assert digests == DIGESTS


DIGESTS = [("addition", "573c643bd8d98e56"), ("relaxation", "06d3045dca8dfb7c")]


def test_a_packing_of_spheres_knows_its_measures_before_it_is_placed() -> None:
    assert SMALL.dimension == 3
    assert "placement" not in vars(SMALL)
    volumes = 4 / 3 * math.pi * SMALL.radii**3
    np.testing.assert_allclose(SMALL.measures()[1:], volumes)
    assert sum(SMALL.measures()) == pytest.approx(1.0)
    np.testing.assert_allclose(SMALL.interface_measures(), 4 * math.pi * SMALL.radii**2)
    assert SMALL.describe() == "6 random spheres"
    alone = dataclasses.replace(SMALL, count=1, fraction=None)
    assert alone.describe() == "1 random sphere"
    assert shape_from_dict(SMALL.to_dict()) == SMALL
    # Names of files of discs are what they were.
    assert "dimension" not in RandomPacking(25.0, LAWS["uniform"], count=6).to_dict()


def test_a_file_holds_spheres_that_mesh(tmp_path) -> None:
    path = tmp_path / "packing.nc"
    write_packing(path, SMALL, Provenance("test"))
    stored = read_packing(path)
    assert stored.center.shape == (6, 3)
    assert stored.balls == SMALL.balls
    assert isinstance(stored.balls, PlacedSpheres)
    assert stored.gap == pytest.approx(25.0 * narrowest(stored.center, stored.radius))
    (mesh,) = build_meshes(stored.balls, MeshOptions(0.3, 0))
    assert mesh.dimension == 3
    assert set(mesh.region.tolist()) == set(range(7))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dimension": 4}, "dimension: found 4, accepted: 2 or 3"),
        ({"count": None, "fraction": 0.6}, "fraction: found 0.6, .*at most 0.55"),
        ({"count": 60}, "60 spheres that fill .* at most 0.6 with the gaps: fewer or smaller sph"),
        ({"count": 60_000}, "count: found 60000, accepted: 1 to 50,000 spheres"),
        (
            {"count": None, "fraction": 0.01, "radius": RadiusLaw(list=(5.0,))},
            "to which 1 sphere with 0.0335 of the volume comes nearest",
        ),
    ],
)
def test_impossible_spheres_are_refused(changed: dict[str, object], message: str) -> None:
    values = {"box": 25.0, "radius": LAWS["uniform"], "count": 6, "dimension": 3, **changed}
    with pytest.raises(InputError, match=message):
        RandomPacking(**values)  # type: ignore[arg-type]
