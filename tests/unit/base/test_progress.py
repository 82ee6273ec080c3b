"""Steps of a part become fractions of it."""

from __future__ import annotations

from torrey.base.progress import Steps, each, untold


def test_a_part_begins_and_its_steps_are_counted():
    told: list[tuple[float, str]] = []
    step = Steps(lambda *said: told.append(said), "a part", 4)
    step()
    step(2)
    step.end()
    assert told == [(0.0, "a part"), (0.25, "a part"), (0.75, "a part"), (1.0, "a part")]


def test_a_part_that_is_done_ends_once():
    told: list[tuple[float, str]] = []
    step = Steps(lambda *said: told.append(said), "a part", 1.5)
    step(3)
    step.end()
    assert told == [(0.0, "a part"), (1.0, "a part")]


def test_a_part_without_steps_is_done():
    told: list[tuple[float, str]] = []
    Steps(lambda *said: told.append(said), "nothing", 0)(0)
    assert told[-1] == (1.0, "nothing")


def test_nobody_is_told_without_a_listener():
    Steps(untold, "a part", 2)()


def test_items_are_told_as_they_are_done():
    told: list[float] = []
    for item in each("ab", lambda fraction, part: told.append(fraction), "letters"):
        told.append(ord(item))
    assert told == [0.0, ord("a"), 0.5, ord("b"), 1.0]
