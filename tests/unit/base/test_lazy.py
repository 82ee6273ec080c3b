"""Items are made when they are asked for, and once."""

from __future__ import annotations

from torrey.base.lazy import Lazy


def test_items_are_made_when_they_are_asked_for_and_once():
    made = []
    squares = Lazy.of(lambda k: made.append(k) or k * k, 4)
    assert len(squares) == 4
    assert made == []
    assert squares[-1] == squares[3] == 9
    assert made == [3]
    assert list(squares[:2]) == [0, 1]
    assert list(squares) == [0, 1, 4, 9]
    assert made == [3, 0, 1, 2]


def test_one_sequence_follows_another_as_lazily():
    made = []
    numbers = Lazy.of(lambda k: made.append(k) or k, 3)
    texts = Lazy.over(numbers, str)
    assert texts[1] == "1"
    assert made == [1]
