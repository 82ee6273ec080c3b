"""Signals by FreeFEM: a run of benchmarks/reference.edp, and the cheapest that is accurate enough.

Its settings are a mesh and a number of time steps. Which of them reach an accuracy is forecast from
errors of the mesh, measured with few steps, and errors of the steps, measured on a coarse mesh; the
cheapest of those are then run and compared with the truth. Settings whose two errors are large and
cancel are not looked for: they would do so for this signal alone.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

SCRIPT = Path(__file__).parent / "reference.edp"

#: Edges along a side of the cell, and how many times more there are around the disc.
SIDES = (5, 7, 10, 14, 20, 28, 40, 56)
SHARES = (3.2, 6.4, 12.8)
#: Steps of a pulse.
STEPS = (2, 3, 4, 5, 7, 10, 14, 20)
FEW_STEPS, MANY_STEPS = 3, 40
#: By which power of the number of edges the time of a run grows: more than that of the unknowns.
_GROWTH = 2.6


@dataclass(frozen=True)
class Settings:
    """A mesh and time steps; without arguments those of the script itself.

    Attributes
    ----------
    nbox, ncircle : int
        Edges along a side of the cell and around the disc.
    pulse : int
        Steps of a pulse, half as many as of half of the plateau; then all are halved once, and the
        two results extrapolated.
    arc : bool
        Whether the permeability makes good what the polygon lacks of the length of the circle.
    """

    nbox: int = 10
    ncircle: int = 64
    pulse: int = 5
    arc: bool = False

    def __str__(self) -> str:
        return f"{self.nbox} and {self.ncircle} edges, {self.pulse} and {2 * self.pulse} steps"

    def arguments(self) -> list[str]:
        """For the command line."""
        values = {
            "-nbox": self.nbox,
            "-ncircle": self.ncircle,
            "-pulse": self.pulse,
            "-plateau": 2 * self.pulse,
            "-arc": int(self.arc),
        }
        return [text for name, value in values.items() for text in (name, str(value))]


@dataclass(frozen=True)
class Run:
    """What a run gave, and its process time (s)."""

    seconds: float
    signal: float
    dofs: int


@dataclass(frozen=True)
class Attempt:
    """Runs and their weights in the signal: one of weight one, or two that are extrapolated."""

    runs: tuple[tuple[float, Settings], ...]

    @classmethod
    def on(cls, settings: Settings) -> Attempt:
        """One run."""
        return cls(((1.0, settings),))

    @classmethod
    def between(cls, coarse: Settings, fine: Settings) -> Attempt:
        """Two meshes, as straight edges miss a circle: by the square of their length."""
        square = (fine.ncircle / coarse.ncircle) ** 2
        return cls(((square / (square - 1.0), fine), (-1.0 / (square - 1.0), coarse)))

    def __str__(self) -> str:
        fine = self.runs[0][1]
        if len(self.runs) == 1:
            return str(fine)
        coarse = self.runs[1][1]
        return (
            f"{coarse.nbox}, {coarse.ncircle} edges and {fine.nbox}, {fine.ncircle}, "
            f"{fine.pulse} and {2 * fine.pulse} steps"
        )


@dataclass(frozen=True)
class Outcome:
    """What an attempt takes (s), and how far it is from the truth, relative to it."""

    attempt: Attempt
    seconds: float
    error: float


def program() -> str | None:
    """Where FreeFEM is; a word on stderr if it is not installed."""
    found = shutil.which("FreeFem++-nw") or shutil.which("FreeFem++")
    if not found:
        print("FreeFem++ is not installed: what it says is left out", file=sys.stderr)
    return found


def run(path: str, settings: Settings, limit: float | None = None) -> Run | None:
    """Run the script once; None if it takes more than the limit (s of the processor)."""
    before = os.times()
    done = subprocess.run(
        [path, "-nw", "-v", "0", str(SCRIPT), *settings.arguments()],
        capture_output=True,
        text=True,
        preexec_fn=partial(_restrict, limit) if limit else None,
    )
    after = os.times()
    if done.returncode < 0 and limit:
        return None
    done.check_returncode()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    signal, dofs = (re.search(rf"{name} = (\S+)", done.stdout) for name in ("S", "dofs"))
    assert signal is not None
    assert dofs is not None
    return Run(spent, float(signal[1]), int(dofs[1]))


def _restrict(limit: float) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 1))


def least(path: str, settings: Settings, repeats: int) -> Run:
    """The run of several that takes least."""
    runs = [run(path, settings) for _ in range(repeats)]
    return min((r for r in runs if r is not None), key=lambda r: r.seconds)


class Runs:
    """Runs by their settings, each made once, those below a second three times.

    Parameters
    ----------
    path : str
        Of the program.
    limit : float
        Seconds of the processor after which a run is ended.
    """

    def __init__(self, path: str, limit: float) -> None:
        self.path, self.limit = path, limit
        self._known: dict[Settings, Run | None] = {}

    def __call__(self, settings: Settings) -> Run | None:
        """The run, the fastest of three if it is short; None if it was ended."""
        if settings not in self._known:
            found = run(self.path, settings, self.limit)
            if found is not None and found.seconds < 1.0:
                found = min(found, least(self.path, settings, 2), key=lambda r: r.seconds)
            self._known[settings] = found
        return self._known[settings]

    def made(self) -> list[Attempt]:
        """All that came to an end, each for itself and in pairs of two meshes."""
        ended = [settings for settings, found in self._known.items() if found is not None]
        pairs = [
            Attempt.between(coarse, fine)
            for coarse in ended
            for fine in ended
            if coarse.pulse == fine.pulse and not (coarse.arc or fine.arc) and _pair(coarse, fine)
        ]
        return [*map(Attempt.on, ended), *pairs]

    def again(self, attempt: Attempt) -> None:
        """Make those runs of an attempt once more that were made once; the faster ones count."""
        for _, settings in attempt.runs:
            first = self._known[settings]
            if first is not None and first.seconds >= 1.0:
                second = run(self.path, settings, self.limit) or first
                self._known[settings] = min(first, second, key=lambda r: r.seconds)


@dataclass(frozen=True)
class Survey:
    """What the meshes and the steps miss of a signal.

    Attributes
    ----------
    meshes : mapping of Settings to Run
        With few steps.
    steps : mapping of int to float
        S minus that of many steps, on a coarse mesh.
    """

    meshes: Mapping[Settings, Run]
    steps: Mapping[int, float]

    @classmethod
    def make(cls, runs: Callable[[Settings], Run | None], most: float) -> Survey:
        """Run all meshes that take no more than `most` seconds with few steps."""
        coarse = Settings(SIDES[1], round(SIDES[1] * SHARES[1]), arc=True)
        signals = {
            pulse: found.signal
            for pulse in (*STEPS, MANY_STEPS)
            if (found := runs(replace(coarse, pulse=pulse))) is not None
        }
        steps = {pulse: signals[pulse] - signals[MANY_STEPS] for pulse in STEPS}
        meshes: dict[Settings, Run] = {}
        for arc in (False, True):
            for share in SHARES:
                before: tuple[int, float] | None = None
                for side in SIDES:
                    if before and before[1] * (side / before[0]) ** _GROWTH > most:
                        break
                    settings = Settings(side, round(side * share), FEW_STEPS, arc)
                    if (found := runs(settings)) is None:
                        break
                    meshes[settings] = found
                    before = side, found.seconds
        return cls(meshes, steps)

    def forecasts(self, attempts: Iterable[Attempt], truth: float) -> list[Outcome]:
        """What attempts should take and miss, of those whose meshes and steps are known.

        What the mesh and what the steps miss are added up whatever their signs: where they cancel,
        they do so for this signal alone.
        """
        found = []
        for attempt in attempts:
            seconds = mesh = steps = 0.0
            for weight, settings in attempt.runs:
                known = self.meshes[replace(settings, pulse=FEW_STEPS)]
                seconds += known.seconds * settings.pulse / FEW_STEPS
                mesh += weight * (known.signal - self.steps[FEW_STEPS] - truth)
                steps += weight * self.steps[settings.pulse]
            found.append(Outcome(attempt, seconds, (abs(mesh) + abs(steps)) / truth))
        return found

    def attempts(self, arc: bool, n_meshes: int) -> list[Attempt]:
        """All on one mesh, or on two of neighbouring sizes or one size between."""
        meshes = [m for m in self.meshes if m.arc == arc]
        with_steps = [[replace(m, pulse=pulse) for m in meshes] for pulse in self.steps]
        if n_meshes == 1:
            return [Attempt.on(m) for row in with_steps for m in row]
        return [
            Attempt.between(coarse, fine)
            for row in with_steps
            for coarse in row
            for fine in row
            if _pair(coarse, fine)
        ]


def limit_of(runs: Callable[[Settings], Run | None]) -> float | None:
    """The signal on ever finer meshes with ever shorter steps, extrapolated; None without runs.

    What the mesh misses is extrapolated from three meshes with few steps, by the ratio of their
    differences, what the steps miss is measured on a coarser one.
    """
    sides = SIDES[4:7]
    asked = [Settings(side, round(side * SHARES[1]), FEW_STEPS, arc=True) for side in sides]
    middle = replace(asked[1], pulse=STEPS[-2])
    coarse = Settings(SIDES[3], round(SIDES[3] * SHARES[1]), STEPS[-2], arc=True)
    asked += [middle, coarse, replace(coarse, pulse=MANY_STEPS)]
    found = [made.signal for settings in asked if (made := runs(settings)) is not None]
    if len(found) < len(asked):
        return None
    first, second, third, signal, few, many = found
    before, last = second - first, third - second
    finest = third + last**2 / (before - last)
    return signal + (finest - second) + (many - few)


def _pair(coarse: Settings, fine: Settings) -> bool:
    sizes = SIDES.index(fine.nbox) - SIDES.index(coarse.nbox)
    same = abs(fine.ncircle / fine.nbox - coarse.ncircle / coarse.nbox) < 0.5
    return same and sizes in (1, 2)


def outcome(
    attempt: Attempt, runs: Callable[[Settings], Run | None], truth: float
) -> Outcome | None:
    """Make the runs of an attempt; None if one of them was ended."""
    signal = seconds = 0.0
    for weight, settings in attempt.runs:
        if (found := runs(settings)) is None:
            return None
        signal += weight * found.signal
        seconds += found.seconds
    return Outcome(attempt, seconds, abs(signal - truth) / truth)


def cheapest(
    forecasts: Sequence[Outcome],
    measure: Callable[[Attempt], Outcome | None],
    target: float,
    limit: float,
    tries: int = 4,
) -> Outcome | None:
    """The attempt that takes least time of those whose error is within the target.

    Parameters
    ----------
    forecasts : sequence of Outcome
    measure : callable
        Makes an attempt; None if it had to be ended.
    target : float
        Largest error, relative.
    limit : float
        Attempts that should take longer are not made; nor others once so much time is spent.
    tries : int
        How many have to reach the target.
    """
    hopeful = [f for f in forecasts if f.error <= target and f.seconds <= limit]
    reached: list[Outcome] = []
    spent = 0.0
    for forecast in sorted(hopeful, key=lambda f: f.seconds):
        made = measure(forecast.attempt)
        spent += made.seconds if made else limit
        if made and made.error <= target:
            reached.append(made)
        if len(reached) == tries or spent > limit:
            break
    return min(reached, key=lambda o: o.seconds, default=None)
