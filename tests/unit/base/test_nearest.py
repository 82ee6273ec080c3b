"""A misspelt name gets the one that was meant, or none."""

from __future__ import annotations

import pytest

from torrey.base.budgets import MOST_CANDIDATES
from torrey.base.nearest import did_you_mean, nearest

NAMES = ("reference", "R0", "R1", "R2", "Pade")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("refrence", "reference"),
        ("pade", "Pade"),
        ("r2", "R2"),
        # Of several that are as near, the first.
        ("R", "R0"),
        ("nothing", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_meant(name, meant):
    assert nearest(name, NAMES) == meant
    assert did_you_mean(name, NAMES) == (f' (did you mean "{meant}"?)' if meant else "")


def test_of_none_or_of_very_many_none_is_meant_and_by_a_very_long_name():
    assert nearest("one", ()) is None
    assert nearest("R0" * 1_000_000, NAMES) is None
    assert nearest("n1", [f"n{i}" for i in range(MOST_CANDIDATES + 1)]) is None
