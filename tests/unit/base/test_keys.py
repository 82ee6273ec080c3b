"""Numbers have one name, and names fit a file system."""

from __future__ import annotations

import math
import random
import re

import pytest

from torrey.base.keys import LONGEST_NAME, format_number, parse_number, round_significant, slug


def random_numbers(count: int) -> list[float]:
    rng = random.Random(20)
    return [rng.choice((-1, 1)) * rng.random() * 10.0 ** rng.randint(-30, 30) for _ in range(count)]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e-5, "1e-5"),
        (0.05, "0.05"),
        (850, "850"),
        (850.0, "850"),
        (1 / 3, "0.333333333333"),
        (-1 / 3, "-0.333333333333"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (1e20, "1e20"),
        (-2.5e-7, "-2.5e-7"),
    ],
)
def test_canonical_forms(number, text):
    assert format_number(number) == text
    assert parse_number(text) == round_significant(number)


def test_round_trip_from_numbers_keeps_twelve_digits():
    for number in random_numbers(2000):
        again = parse_number(format_number(number))
        assert again == round_significant(number)
        assert math.isclose(again, number, rel_tol=6e-12)


def test_round_trip_from_text_is_exact():
    for number in random_numbers(2000):
        text = format_number(number)
        assert format_number(parse_number(text)) == text
        assert re.fullmatch(r"[0-9.e-]+", text)


@pytest.mark.parametrize(
    "text", ["", "five", "0.050", "1e-05", "1E-5", "+1", " 1", "-0", "nan", "inf", "1_000"]
)
def test_only_canonical_text_is_parsed(text):
    with pytest.raises(ValueError, match="accepted"):
        parse_number(text)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_only_finite_numbers_have_names(number):
    with pytest.raises(ValueError, match="finite"):
        format_number(number)


def test_slug_is_readable():
    assert slug({"L": 10, "kappa": 0.05, "": "pgse-5-25", "n": (0.0, -1.0)}) == (
        "L10_kappa0.05_pgse-5-25_n0_-1"
    )


def test_long_names_end_in_a_digest_of_the_whole():
    one = slug({"D": [1 / 3] * 20 + [1.0]})
    other = slug({"D": [1 / 3] * 20 + [2.0]})
    assert one != other
    assert len(one) == len(other) == LONGEST_NAME
    assert one.startswith("D0.333333333333_")
    assert one == slug({"D": [1 / 3] * 20 + [1.0]})
