"""A job says how far it is, with the time left from what is done, and not too often."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from torrey.workflow.progress import Teller


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "job.log"


def lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8").splitlines()


def test_the_time_left_follows_from_what_is_done(log, clock):
    tell = Teller(log, clock=clock)
    tell(0.0, "mesh 2")
    clock.now += 10.0
    tell(0.25, "mesh 2")
    clock.now += 30.0
    tell(0.8, "mesh 2")
    clock.now += 5.0
    tell(1.0, "mesh 2")
    assert lines(log) == [
        "mesh 2: begins",
        "mesh 2: 25% in 10 s, about 30 s left",
        "mesh 2: 80% in 40 s, about 10 s left",
        "mesh 2: done in 45 s",
    ]


def test_lines_come_no_faster_than_they_can_be_read(log, clock):
    tell = Teller(log, clock=clock)
    for step in range(1001):
        tell(step / 1000, "signals")
        clock.now += 0.01
    assert lines(log) == [
        "signals: begins",
        "signals: 30% in 3 s, about 7 s left",
        "signals: 60% in 6 s, about 4 s left",
        "signals: 90% in 9 s, about 1 s left",
    ]


def test_what_begins_is_told_at_once_but_not_for_ever(log, clock):
    tell = Teller(log, clock=clock)
    for part in range(20):
        tell(0.0, f"mesh {part}")
        tell(1.0, f"mesh {part}")
    assert lines(log) == [f"mesh {part}: begins" for part in range(4)]
    clock.now += 4.0
    tell(0.0, "mesh 20")
    assert lines(log)[4:] == ["mesh 20: begins"]


def test_each_part_has_a_time_of_its_own(log, clock):
    tell = Teller(log, clock=clock)
    tell(0.0, "slabs")
    clock.now += 6.0
    tell(0.0, "basis")
    clock.now += 4.0
    tell(0.5, "basis")
    clock.now += 10.0
    tell(0.5, "slabs")
    assert lines(log) == [
        "slabs: begins",
        "basis: begins",
        "basis: 50% in 4 s, about 4 s left",
        "slabs: 50% in 20 s, about 20 s left",
    ]


def test_a_part_that_begins_once_more_is_timed_anew(log, clock):
    tell = Teller(log, clock=clock)
    for _ in range(2):
        tell(0.0, "full system")
        clock.now += 8.0
        tell(0.5, "full system")
        clock.now += 100.0
    assert lines(log) == ["full system: begins", "full system: 50% in 8 s, about 8 s left"] * 2


def test_the_terminal_hears_of_long_jobs_with_their_names(log, clock, capsys):
    tell = Teller(log, "build_basis (geometry cell)", clock=clock)
    tell(0.0, "basis")
    clock.now += 10.0
    tell(0.1, "basis")
    assert capsys.readouterr().err == ""
    clock.now += 10.0
    tell(0.2, "basis")
    clock.now += 10.0
    tell(0.3, "basis")
    expected = "build_basis (geometry cell): basis: 20% in 20 s, about 80 s left\n"
    assert capsys.readouterr().err == expected
    assert len(lines(log)) == 4


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, clock):
    tell = Teller(tmp_path / "nowhere" / "job.log", clock=clock)
    tell(0.0, "mesh 1")
    tell.say("anything")
    assert not (tmp_path / "nowhere").exists()
