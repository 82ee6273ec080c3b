"""Fisher information and the choice of measurements, beside all choices there are."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

from torrey.base.errors import InputError
from torrey.inversion import design


def candidates(seed: int, count: int = 10, width: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, width)) * np.array([1.0, 5.0, 0.2])[:width]


def test_information_is_the_inverse_covariance_of_a_linear_fit() -> None:
    dS, sigma = candidates(1), np.linspace(0.5, 2.0, 10)
    generator = np.random.default_rng(2)
    noise = generator.normal(size=(20000, 10)) * sigma
    weighted = dS / sigma[:, None]
    estimates = np.linalg.lstsq(weighted, (noise / sigma).T, rcond=None)[0]
    expected = np.linalg.inv(design.information(dS, sigma))
    np.testing.assert_allclose(np.cov(estimates), expected, atol=0.05 * np.abs(expected).max())
    np.testing.assert_allclose(estimates.std(axis=1), design.cramer_rao(dS, sigma), rtol=0.03)


def test_what_is_not_told_apart_has_no_bound() -> None:
    dS = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 1.0], [3.0, 3.0, 5.0]])
    found = design.cramer_rao(dS, 1.0)
    assert np.isinf(found[:2]).all()
    assert np.isfinite(found[2])
    assert np.isinf(design.cramer_rao(np.array([[1.0, 0.0], [2.0, 0.0]]), 1.0)[1])
    assert design.bound(dS, 1.0) == np.inf


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("criterion", ["D", "A"])
@pytest.mark.parametrize("of", [None, 0, (0, 2)])
def test_choices_are_the_best_of_all(seed: int, criterion: str, of: object) -> None:
    dS = candidates(seed)
    chosen = design.choose(dS, 4, criterion, of)
    assert len(set(chosen.tolist())) == 4
    found = design.bound(dS[chosen], 1.0, criterion, of)
    every = [
        design.bound(dS[list(rows)], 1.0, criterion, of) for rows in combinations(range(10), 4)
    ]
    best = min(every)
    # An exchange of one at a time may miss the best of all, but not by much.
    assert found >= best - 1e-9 * abs(best)
    assert found <= (best + 0.35 if criterion == "D" else 1.4 * best)
    assert found <= np.quantile(every, 0.03)


def test_most_choices_are_the_best_itself() -> None:
    hits = 0
    for seed in range(6):
        dS = candidates(seed, 8, 2)
        found = design.bound(dS[design.choose(dS, 3)], 1.0)
        best = min(design.bound(dS[list(rows)], 1.0) for rows in combinations(range(8), 3))
        hits += found <= best + 1e-9
    assert hits >= 5


def test_measurements_may_be_repeated() -> None:
    dS = candidates(5, 6, 2)
    chosen = design.choose(dS, 4, "A", repeated=True)
    found = design.bound(dS[chosen], 1.0, "A")
    choices = combinations_with_replacement(range(6), 4)
    best = min(design.bound(dS[list(rows)], 1.0, "A") for rows in choices)
    assert found <= 1.05 * best


def test_noise_counts() -> None:
    dS, sigma = candidates(7, 8, 2), np.ones(8)
    free = design.choose(dS, 2)
    sigma[free[0]] = 100.0
    assert free[0] not in design.choose(dS, 2, sigma=sigma)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 1}, "at least 3"),
        ({"n": 11}, "at most 10"),
        ({"criterion": "E"}, "D or A"),
        ({"of": 3}, "from 0 to 2"),
        ({"sigma": 0.0}, "above zero"),
        ({"candidates": np.full((4, 3), np.nan)}, "not known"),
        ({"candidates": np.ones((4, 3))}, "tell the parameters apart"),
    ],
)
def test_what_cannot_be_used_is_refused(change: dict, message: str) -> None:
    given = {"candidates": candidates(1), "n": 4, **change}
    with pytest.raises(InputError, match=message):
        design.choose(**given)


def test_candidates_may_have_several_signals_each() -> None:
    pairs = candidates(3, 16, 3).reshape(8, 2, 3)
    found = design.choose(pairs, 3, "A")
    every = {
        rows: design.bound(pairs[list(rows)].reshape(-1, 3), 1.0, "A")
        for rows in combinations(range(8), 3)
    }
    assert design.bound(pairs[found].reshape(-1, 3), 1.0, "A") <= 1.05 * min(every.values())
    noise = np.linspace(0.5, 2.0, 8)
    alone = design.choose(pairs / noise[:, None, None], 3)
    np.testing.assert_array_equal(design.choose(pairs, 3, sigma=noise), alone)
    with pytest.raises(InputError, match="at least 2, for 3 parameters"):
        design.choose(pairs, 1)


def test_the_first_of_a_ranked_choice_tells_most_alone() -> None:
    dS = candidates(4, 12, 1)
    chosen = design.choose(dS, 4)
    found = design.ranked(dS, chosen)
    np.testing.assert_array_equal(found, chosen[np.argsort(-np.abs(dS[chosen, 0]))])
    several = candidates(4, 12, 2)
    chosen = design.choose(several, 5, "A")
    order = design.ranked(several, chosen, "A")
    assert sorted(order.tolist()) == chosen.tolist()
    pairs = {rows: design.bound(several[list(rows)], 1.0, "A") for rows in combinations(chosen, 2)}
    # The second is the best beside the first.
    first = {rows: value for rows, value in pairs.items() if order[0] in rows}
    assert set(min(first, key=first.__getitem__)) == set(order[:2].tolist())


def test_errors_of_derivatives_move_bounds_no_further_than_is_said() -> None:
    dS = candidates(6)
    error = 1e-4 * np.abs(candidates(7))
    said = design.bound_error(dS, error, 0.1)
    bounds = design.cramer_rao(dS, 0.1)
    generator = np.random.default_rng(8)
    moved = np.array(
        [
            design.cramer_rao(dS + generator.choice([-1.0, 1.0], error.shape) * error, 0.1)
            for _ in range(200)
        ]
    )
    change = np.abs(moved - bounds).max(axis=0)
    assert np.all(change <= 1.01 * said)
    assert np.all(change >= 0.1 * said)
    blind = np.array([[1.0, 0.0], [2.0, 0.0]])
    assert np.isinf(design.bound_error(blind, 0.01 * blind, 1.0)).tolist() == [False, True]
