"""Random discs: none overlaps, they are the same everywhere, and their radii follow their law."""

from __future__ import annotations

import hashlib
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from torrey.base.errors import InputError
from torrey.geometry.balls import random_discs
from torrey.geometry.balls.radius_laws import Gamma, Lognormal, RadiusLaw
from torrey.geometry.balls.random_discs import (
    ball_fraction,
    inner_voxel,
    place_discs,
    touching_pairs,
)

LAWS = {
    "uniform": RadiusLaw(uniform=(1.0, 5.0)),
    "gamma": RadiusLaw(gamma=Gamma(3.0, 1.0, 1.0, 8.0)),
    "lognormal": RadiusLaw(lognormal=Lognormal(3.0, 1.5, 1.0, 10.0)),
    "equal": RadiusLaw(list=(3.0,)),
}


def narrowest(centres, radii):
    """Least distance of two circles, from all pairs and all images."""
    shifts = [np.array([i, j]) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    widths = [
        np.linalg.norm(centres[i] - centres[j] + shift) - radii[i] - radii[j]
        for i, j in combinations(range(len(radii)), 2)
        for shift in shifts
    ]
    own = 1.0 - 2 * radii.max()
    return min([own, *widths])


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("fraction", [0.3, 0.5, 0.65])
def test_discs_keep_their_gap_at_every_fraction(law, fraction):
    radii = LAWS[law].draw(70.0, seed=2, fraction=fraction)
    placed = place_discs(radii, seed=2, gap=1e-3)
    assert np.array_equal(placed.radii, radii)
    assert placed.centres.shape == (len(radii), 2)
    assert np.all((placed.centres >= 0.0) & (placed.centres < 1.0))
    assert placed.fraction == pytest.approx(np.pi * np.sum(radii**2), rel=1e-14)
    # As many discs as come nearest: half of a disc is missing at most.
    assert abs(placed.fraction - fraction) <= np.pi * radii.max() ** 2 / 2
    # Some two are not much further apart than they must be.
    assert 1e-3 <= narrowest(placed.centres, radii) < 4e-3


@pytest.mark.parametrize("law", LAWS)
def test_dense_discs_by_thousands(law):
    radii = LAWS[law].draw(400.0, seed=1, fraction=0.65)
    placed = place_discs(radii, seed=1)
    assert len(radii) > 2900
    assert placed.fraction == pytest.approx(0.65, abs=1e-3)
    assert len(touching_pairs(placed.centres, radii, 0.0)[0]) == 0


#: Boxes of few discs, some of which reach across half of them: box, law, number, gap (um).
SMALL_BOXES = {
    "one": (20.0, RadiusLaw(list=(4.9,)), {"count": 1}, 0.05),
    "two": (20.0, RadiusLaw(list=(4.9,)), {"count": 2}, 0.05),
    "dense": (20.0, RadiusLaw(list=(4.9,)), {"fraction": 0.6}, 0.05),
    "wide-gap": (20.0, RadiusLaw(uniform=(2.0, 3.0)), {"count": 4}, 1.5),
    "21-um": (21.0, LAWS["uniform"], {"fraction": 0.29}, 0.05),
    "25-um": (25.0, LAWS["uniform"], {"fraction": 0.5}, 0.05),
    "30-um": (30.0, LAWS["uniform"], {"fraction": 0.29}, 0.05),
}


@pytest.mark.parametrize("name", SMALL_BOXES)
def test_few_large_discs_keep_their_gap_with_every_seed(name):
    box, law, wanted, gap = SMALL_BOXES[name]
    methods = set()
    for seed in range(201):
        radii = law.draw(box, seed, wanted.get("count", 40))
        if fraction := wanted.get("fraction"):
            # As near as whole discs come to it, however far that is.
            filled = np.pi * np.cumsum(radii**2)
            radii = radii[: np.argmin(np.abs(filled - fraction)) + 1]
        placed = place_discs(radii, seed, gap / box)
        methods.add(placed.method)
        assert narrowest(placed.centres, radii) >= gap / box, seed
    # Where one after the other finds no room with some seeds, both methods are tried.
    assert methods == ({"addition", "relaxation"} if name == "dense" else {"addition"})


@pytest.mark.parametrize("method", ["_add", "_relax"])
def test_places_that_break_the_gap_are_never_returned(monkeypatch, method):
    if method == "_relax":
        monkeypatch.setattr(random_discs, "_add", lambda *_: None)
    monkeypatch.setattr(random_discs, method, lambda *_: np.array([[0.1, 0.5], [0.9, 0.5]]))
    with pytest.raises(InputError, match=r"1 and 2 were placed -0\.1 of the box apart, not 0\.01"):
        place_discs(np.array([0.15, 0.15]), 1, 0.01)


def test_sparse_discs_are_added_and_dense_ones_pushed_apart():
    draw = LAWS["uniform"].draw
    assert place_discs(draw(70.0, 1, fraction=0.3), 1).method == "addition"
    assert place_discs(draw(70.0, 1, fraction=0.7), 1).method == "relaxation"


#: Of centres and radii, byte by byte, by law, fraction and seed: the same on every machine.
DIGESTS = {
    ("uniform", 0.3, 1): "cbb9f61988f6d77d",  # 70 discs
    ("uniform", 0.65, 2): "0a202e9634ea75dc",  # 164 discs
    ("gamma", 0.5, 3): "76cb79f66bbd115e",  # 135 discs
    ("lognormal", 0.65, 4): "ec191b2cfb1d9f3a",  # 142 discs
    ("equal", 0.65, 5): "eed90e80ef91349d",  # 186 discs
}


@pytest.mark.parametrize(("law", "fraction", "seed"), DIGESTS)
def test_discs_are_the_same_on_every_machine(law, fraction, seed):
    placed = place_discs(LAWS[law].draw(90.0, seed, fraction=fraction), seed, gap=5e-4)
    content = placed.centres.astype("<f8").tobytes() + placed.radii.astype("<f8").tobytes()
    assert hashlib.sha256(content).hexdigest()[:16] == DIGESTS[law, fraction, seed]


def test_a_seed_gives_the_same_discs_and_another_one_others():
    radii = LAWS["uniform"].draw(60.0, 1, fraction=0.3)
    assert np.array_equal(place_discs(radii, 1).centres, place_discs(radii, 1).centres)
    assert not np.any(place_discs(radii, 1).centres == place_discs(radii, 2).centres)


def test_more_discs_begin_with_the_same_radii():
    draw = LAWS["gamma"].draw
    assert np.array_equal(draw(500.0, 3, count=9000)[:40], draw(500.0, 3, count=40))


@pytest.mark.parametrize(
    ("law", "distribution"),
    [
        (LAWS["uniform"], stats.uniform(1.0, 4.0)),
        (LAWS["gamma"], stats.gamma(9.0, scale=1 / 3)),
        (RadiusLaw(gamma=Gamma(2.0, 2.5, 0.3, 8.0)), stats.gamma(0.64, scale=2 / 0.64)),
        (
            LAWS["lognormal"],
            stats.lognorm(np.sqrt(np.log(1.25)), scale=3.0 / np.sqrt(1.25)),
        ),
    ],
    ids=["uniform", "gamma", "gamma-with-pole", "lognormal"],
)
def test_radii_follow_their_law(law, distribution):
    # Kolmogorov and Smirnov, against the law between its ends.
    radii = law.draw(1000.0, seed=5, count=20_000) * 1000.0
    spread = law.gamma or law.lognormal
    least, most = (spread.least, spread.most) if spread else law.uniform
    assert least <= radii.min()
    assert radii.max() <= most
    ends = distribution.cdf([least, most])
    found = stats.kstest(radii, lambda x: (distribution.cdf(x) - ends[0]) / np.diff(ends))
    assert found.pvalue > 0.05


def test_a_fraction_is_reached_or_refused():
    refused = 0
    for law, box in [(LAWS["uniform"], 25.0), (LAWS["equal"], 20.0), (LAWS["gamma"], 40.0)]:
        for seed in range(60):
            drawn = law.draw(box, seed, count=200)
            filled = np.pi * np.cumsum(drawn**2)
            nearest = np.argmin(np.abs(filled - 0.29)) + 1
            off, mean = abs(filled[nearest - 1] - 0.29), filled[nearest - 1] / nearest
            if off <= max(0.029, (1 + 1e-8) * mean / 2):
                assert np.array_equal(law.draw(box, seed, fraction=0.29), drawn[:nearest])
            else:
                refused += 1
                with pytest.raises(
                    InputError, match=r"fraction: found a fraction of 0\.29, to which"
                ):
                    law.draw(box, seed, fraction=0.29)
    assert 0 < refused < 30


@pytest.mark.parametrize(
    ("radii", "fraction", "message"),
    [
        # One large disc is too much, and before it there is nearly nothing.
        (
            (24.0, 1.0),
            0.01,
            r"fraction: found a fraction of 0\.01, to which 1 disc with 0\.181 of ",
        ),
        (
            (1.0, 24.0),
            0.01,
            r"a fraction of 0\.01, to which 1 disc with 0\.000314 of the area comes",
        ),
        ((24.0, 1.0), 0.27, r"2 discs with 0\.181 of the area come nearest"),
    ],
)
def test_a_fraction_that_no_discs_come_near_to_is_refused(radii, fraction, message):
    with pytest.raises(InputError, match=message):
        RadiusLaw(list=radii).draw(100.0, 1, fraction=fraction)


def test_radii_of_a_list_are_taken_in_turn():
    law = RadiusLaw(list=(1.0, 3.0, 2.0))
    assert (law.draw(10.0, 1) * 10).tolist() == [1.0, 3.0, 2.0]
    assert (law.draw(10.0, 1, count=5) * 10).tolist() == [1.0, 3.0, 2.0, 1.0, 3.0]


def test_pairs_are_those_of_all_pairs():
    random = np.random.default_rng(0)
    centres, radii = random.random((60, 2)), 0.3 * random.random(60)
    first, second, width = touching_pairs(centres, radii, 0.05)
    apart = centres[:, None] - centres
    distance = np.linalg.norm(apart - np.round(apart), axis=-1) - radii[:, None] - radii
    near = np.triu(distance < 0.05, 1)
    assert np.array_equal(np.array([first, second]), np.array(np.nonzero(near)))
    assert np.allclose(width, distance[near], rtol=0, atol=1e-15)


def test_the_voxel_keeps_what_fits_and_says_what_it_drops():
    radii = LAWS["uniform"].draw(150.0, 4, fraction=0.4)
    placed = place_discs(radii, 4, gap=1e-4)
    centres, own, dropped = inner_voxel(placed.centres, radii, 150.0, 100.0, gap=1e-4)
    inside = np.all(np.abs(placed.centres - 0.5) <= 1 / 3, axis=1)
    assert 0 < dropped < 0.1 * inside.sum()
    assert len(own) + dropped == inside.sum()
    assert set(np.round(own / 1.5, 12)) <= set(np.round(radii[inside], 12))
    assert narrowest(centres, own) >= 1.5e-4 * (1 - 1e-9)
    assert ball_fraction(own, 2) == pytest.approx(0.4, abs=0.05)


def test_of_two_discs_that_meet_in_the_voxel_the_smaller_is_dropped():
    centres = np.array([[0.27, 0.5], [0.73, 0.5], [0.5, 0.5]])
    kept, own, dropped = inner_voxel(centres, np.array([0.05, 0.06, 0.02]), 2.0, 1.0)
    assert dropped == 1
    assert kept.tolist() == [[0.96, 0.5], [0.5, 0.5]]
    assert own.tolist() == [0.12, 0.04]
    with pytest.raises(InputError, match="side: found 3, accepted: a side above 0 and at most 2"):
        inner_voxel(centres, np.array([0.05, 0.06, 0.02]), 2.0, 3.0)


def test_a_disc_wider_than_the_voxel_drops_no_other():
    centres = np.array([[0.5, 0.5], [0.74, 0.74], [0.3, 0.7]])
    kept, own, dropped = inner_voxel(centres, np.array([0.27, 0.03, 0.04]), 2.0, 1.0)
    assert dropped == 1
    assert np.allclose(kept, [[0.98, 0.98], [0.1, 0.9]])
    assert own.tolist() == [0.06, 0.08]


def test_no_discs_are_a_packing_too():
    assert place_discs(np.empty(0), 1).fraction == 0.0


@pytest.mark.parametrize(
    ("radii", "gap", "message"),
    [
        ([0.3, 0.1], 0.0, r"radius: found a radius of 0\.3 of the box, accepted: radii of at most"),
        ([0.1] * 25, 0.0, r"fill 0\.7854 of the box, and 0\.7854 of it with half .* at most 0\.75"),
        ([0.1] * 20, 0.03, r"fill 0\.6283 of the box, and 0\.831 of it with half of the gap"),
        ([0.1845] * 7, 0.0, r"7 discs that fill 0\.7486 .* smaller ones fill 0\.7\d+"),
    ],
)
def test_what_finds_no_room_is_refused(radii, gap, message):
    with pytest.raises(InputError, match=message):
        place_discs(np.array(radii), 1, gap)
