"""Marks of signals that mean nothing, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from torrey.models.validity import MEANINGS, describe, known, validity, validity_variable


def test_each_signal_has_the_last_mark_that_applies() -> None:
    signal = np.array([0.5, 1.0, 0.5, -1.2, 1.0 + 1e-9, 1.0 + 1e-9, np.inf, np.nan + 0j])
    error = np.array([1e-3, 1e-10, 1e-3, 1e-3, 1e-8, 1e-10, np.inf, np.nan])
    amplification = np.array([1.0, 1.009, 1.02, 1.0, 1.0, 5.0, 1e6, 1.0])
    assert validity(signal, error, amplification).tolist() == [0, 0, 1, 2, 0, 2, 3, 3]
    assert MEANINGS == ("sound", "amplified", "exceeds_one", "overflowed")


def test_an_error_that_is_not_known_hides_no_signal_above_one() -> None:
    assert validity([1.5, 0.5], [np.nan, np.inf], 1.0).tolist() == [2, 0]


def test_the_mark_is_a_flag_variable() -> None:
    marks = validity_variable(("b",), np.zeros(2, dtype=np.int8))
    assert np.asarray(marks.attributes["flag_values"]).tolist() == [0, 1, 2, 3]
    assert marks.attributes["flag_meanings"].split() == list(MEANINGS)
    assert np.asarray(marks.values).dtype == marks.attributes["flag_values"].dtype == np.int8


def test_what_overflowed_is_missing() -> None:
    assert np.isnan(known(np.array([np.inf, -np.inf, np.nan]))).all()
    assert known(np.array([1.0 + 2.0j])).tolist() == [1.0 + 2.0j]


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([[[0, 0, 0], [0, 0, 0]]], []),
        (
            [[[0, 1, 2], [0, 0, 3]]],
            [
                "R4: 3 of 6 signals mean nothing (1 amplified, 1 exceeds one, 1 overflowed), "
                "at period 2 to 5 um, b 1 to 2"
            ],
        ),
        ([[[0, 0, 1], [0, 0, 1]]], ["R4: 2 of 6 signals mean nothing (2 amplified), "
                                    "at period 2 to 5 um, b 2"]),
    ],
)  # fmt: skip
def test_the_log_says_how_many_of_which_model_and_where(marks, said) -> None:
    axes = {"period": [2.0, 5.0], "b": [0.0, 1.0, 2.0]}
    assert describe(np.array(marks), ["R4"], axes, {"period": "um"}) == said


def test_directions_are_named_and_single_values_are_not() -> None:
    axes = {"period": [2.0], "direction": ["1,0", "0,1", "0.707,0.707"]}
    (said,) = describe(np.array([[[3, 0, 3]]]), ["R2"], axes)
    assert said.endswith("(2 overflowed), at direction 1,0; 0.707,0.707")


def test_whole_numbers_of_an_array_are_a_range() -> None:
    (said,) = describe(np.array([[3, 0, 3]]), ["R2"], {"cycles": np.array([1, 2, 4])})
    assert said.endswith("(2 overflowed), at cycles 1 to 4")
