"""The signal of a voxel, its error, and the runs that give both.

A run integrates the Bloch-Torrey equation on one mesh. Three of them make a signal: on the finest
mesh; on the next coarser one with the same steps; and on that one with steps so fine that they tell
what the longer ones miss, by which the signal is corrected. The difference of the two meshes tells
the error in space.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from torrey.gradients.protocol import Point
from torrey.gradients.waveforms import Segment, Waveform
from torrey.reference.estimates import space_error
from torrey.voxel.assembly import Properties
from torrey.voxel.blocks import Crew, crew
from torrey.voxel.checkpoints import Checkpoint, Progress
from torrey.voxel.layers import Layers, layers_of
from torrey.voxel.medium import DiscMedium
from torrey.voxel.multigrid import Multigrid
from torrey.voxel.quadratic import refine
from torrey.voxel.results import VoxelError, VoxelSignal
from torrey.voxel.spaces import Spaces, nested_spaces
from torrey.voxel.steps import History, Stepper
from torrey.voxel.triangulation import Triangles
from torrey.voxel.window import window_weights

#: Tolerance of steps, relative to that of the signal; and how much finer those are that check them.
_STEPS, _FINER = 0.4, 0.05
#: Errors in time on two meshes that take the same steps differ by 1 to 21 % of what was missed, in
#: tests, and by what the short steps leave: how much of the correction to distrust.
_TRANSFER: Final = 0.3
#: Seconds between two lines about the progress.
_SAYING: Final = 5.0


@dataclass(frozen=True)
class Task:
    """What is to be computed.

    Attributes
    ----------
    medium : DiscMedium
        In which the equation is solved, periodic.
    window : float
        Side of the square in its middle over which the signal is integrated (um); all of it if it
        is the side of the medium.
    properties : Properties
    waveform : Waveform
        Of one component.
    q : float
        Largest wave number (rad/um).
    tolerance : float
        Largest error of the signal, whose value without gradient is 1.
    """

    medium: DiscMedium
    window: float
    properties: Properties
    waveform: Waveform
    q: float
    tolerance: float


def task_of(
    medium: DiscMedium,
    point: Point,
    diffusivities: tuple[float, float],
    window: float,
    tolerance: float,
) -> Task:
    """The task of a point of measurement; diffusivities are those outside and inside."""
    properties = Properties(*diffusivities, point.permeability, point.direction)
    return Task(medium, window, properties, point.waveform, point.q, tolerance)


@dataclass(frozen=True)
class _Run:
    """One integration: on the last of some meshes, with steps to a tolerance."""

    name: str
    meshes: tuple[Triangles, ...]
    tolerance: float
    cost: float
    """Relative to the others, roughly."""
    like: str = ""
    """Name of an earlier run, whose steps this one takes."""


def voxel_signal(
    coarsest: Triangles,
    task: Task,
    refinements: int = 1,
    threads: int = 1,
    checkpoint: Checkpoint | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> VoxelSignal:
    """Signal of a voxel to a tolerance, with an estimate of its error.

    Parameters
    ----------
    coarsest : Triangles
        Of the medium.
    task : Task
    refinements : int
        Of the coarsest mesh, at least 1: the last two meshes tell the error in space.
    threads : int
        The result does not depend on them.
    checkpoint : Checkpoint, optional
        Where the job notes how far it is, and goes on if it was killed.
    say : callable
        Is told about the progress.

    Raises
    ------
    VoxelError
        If the estimated error exceeds the tolerance, the signal exceeds 1, or a step is not solved.
    """
    if task.q == 0.0:
        return VoxelSignal(1.0, 0.0, 0.0, unknowns=0, steps=0, iterations=0)
    meshes = [coarsest]
    for _ in range(max(refinements, 1)):
        meshes.append(refine(meshes[-1], task.medium))
    steps = _STEPS * task.tolerance
    runs = _runs(tuple(meshes), steps)
    with crew(threads) as workers:
        job = _Job(task, runs, workers, checkpoint, say)
        coarse, exact, fine = (job.result(run) for run in runs)
        job.end()
    missed = exact["signal"] - coarse["signal"]
    signal = fine["signal"] + missed
    layers = layers_of(meshes[-1], task.medium, task.properties, task.waveform.echo_time)
    error = float(space_error(np.array([exact["signal"], signal]), layers.resolved))
    found = VoxelSignal(
        signal=signal,
        space_error=max(error, layers.missed),
        time_error=_TRANSFER * abs(missed) + steps * _FINER,
        unknowns=fine["unknowns"],
        steps=len(fine["trace"]),
        iterations=fine["iterations"],
    )
    _check(found, task, layers)
    if checkpoint is not None:
        checkpoint.remove()
    return found


def _runs(meshes: tuple[Triangles, ...], steps: float) -> tuple[_Run, ...]:
    coarse = meshes[:-1]
    return (
        _Run("coarse", coarse, steps, 1.0),
        _Run("coarse, short steps", coarse, _FINER * steps, 2.0),
        _Run("fine", meshes, steps, 4.0, like="coarse"),
    )


def _check(found: VoxelSignal, task: Task, layers: Layers) -> None:
    if not np.isfinite(found.signal) or abs(found.signal) > 1.0 + found.error:
        raise VoxelError(f"the signal {found.signal:.6g} exceeds 1")
    if found.error > task.tolerance:
        thin = (
            f". Water comes within {layers.depth:.2g} um of membranes until the echo, elements "
            f"there measure up to {layers.element:.2g} um: a larger diffusivity may be meant"
        )
        raise VoxelError(
            f"S = {found.signal.real:.5g} at q = {task.q:.4g} rad/um has an estimated error of "
            f"{found.error:.1e} ({found.space_error:.1e} in space, {found.time_error:.1e} in "
            f"time), the tolerance is {task.tolerance:.1e}: allow more segments or refinements, "
            f"or a larger tolerance{thin if layers.missed > task.tolerance else ''}"
        )


class _Job:
    """The runs of one signal, which may have been interrupted."""

    def __init__(
        self,
        task: Task,
        runs: Sequence[_Run],
        workers: Crew,
        checkpoint: Checkpoint | None,
        say: Callable[[str], None],
    ) -> None:
        self._task = task
        self._runs = runs
        self._crew = workers
        self._checkpoint = checkpoint
        self._say = say
        before = checkpoint.load() if checkpoint is not None else None
        self._before = before or Progress({})
        self._start = time.perf_counter() - self._before.seconds
        self._saved = self._said = time.perf_counter()
        if before is not None:
            say(f"goes on after {before.seconds:.0f} s of an earlier job")
        self._solver: tuple[tuple[Triangles, ...], Spaces, Multigrid] | None = None

    def result(self, run: _Run) -> dict:
        """Signal, unknowns, steps and iterations of a run."""
        done = self._before.done
        if run.name not in done:
            history, weights = self._integrate(run)
            value = complex(history.state @ weights / weights.sum())
            done[run.name] = {
                "real": value.real,
                "imag": value.imag,
                "unknowns": len(weights),
                "trace": history.trace,
                "iterations": history.iterations,
            }
            self._save(Progress(done))
            self._say(
                f"{run.name}: S = {value.real:.6f}, {history.taken} steps, "
                f"{history.iterations} iterations, {self._seconds:.0f} s so far"
            )
        found = done[run.name]
        return {**found, "signal": complex(found["real"], found["imag"])}

    def end(self) -> None:
        """Say how long all of it took."""
        earlier = self._before.seconds
        parts = f", {earlier:.0f} s of them in earlier jobs" if earlier else ""
        self._say(f"all runs: {self._seconds:.0f} s{parts}")

    @property
    def _seconds(self) -> float:
        """Wall time of this job, and of earlier ones that it goes on from."""
        return time.perf_counter() - self._start

    def _integrate(self, run: _Run) -> tuple[History, NDArray[np.float64]]:
        task = self._task
        spaces, solver = self._prepared(run.meshes)
        plan = self._before.done[run.like]["trace"] if run.like else ()
        stepper = Stepper(solver, run.tolerance, plan)
        waveform = task.waveform
        begin, at = 0, self._before
        history: History | None = None
        if at.run == run.name and at.history is not None:
            begin, history = at.segment, at.history
        elapsed = sum(segment.duration for segment in waveform.segments[:begin])
        self._began = time.perf_counter(), elapsed + (history.time if history else 0.0)
        resumed = history is not None
        for number, segment in enumerate(waveform.segments):
            if number < begin:
                continue
            if not resumed:
                history = stepper.begin(history, segment.duration)
            resumed = False
            assert history is not None
            g = partial(_wave_number, segment, task.q)
            while history.time < segment.duration:
                stepper.advance(history, g, segment.duration)
                self._note(run, number, history, elapsed + history.time)
            elapsed += segment.duration
        assert history is not None
        return history, self._weights(spaces)

    def _prepared(self, meshes: tuple[Triangles, ...]) -> tuple[Spaces, Multigrid]:
        """Spaces and solver of some meshes, kept for the next run on the same."""
        if self._solver is None or self._solver[0] is not meshes:
            self._solver = None
            spaces = nested_spaces(meshes, self._task.medium, self._task.properties)
            self._say(f"{spaces.operators[0].size:,} unknowns, {self._seconds:.0f} s so far")
            solver = Multigrid.of(self._crew, spaces.operators, spaces.interpolations, self._task.q)
            self._solver = meshes, spaces, solver
        return self._solver[1], self._solver[2]

    def _weights(self, spaces: Spaces) -> NDArray[np.float64]:
        """Integral of each basis function over the window."""
        side, window = self._task.medium.side, self._task.window
        if window >= side:
            return spaces.operators[0].weights
        low = (side - window) / 2
        return window_weights(spaces.elements, spaces.numbering, side, low, low + window)

    def _note(self, run: _Run, segment: int, history: History, elapsed: float) -> None:
        """Write down and say how far the run is, now and then."""
        now = time.perf_counter()
        if now - self._said > _SAYING:
            self._said = now
            self._say(
                f"{run.name}: {elapsed:.1f} of {self._task.waveform.echo_time:g} ms, "
                f"{history.taken} steps, {history.iterations} iterations, {self._seconds:.0f} s so "
                f"far, {self._left(run, elapsed):.0f} s left"
            )
        if self._checkpoint is not None and now - self._saved >= self._checkpoint.interval:
            self._save(Progress(self._before.done, run.name, segment, history))

    def _left(self, run: _Run, elapsed: float) -> float:
        """Seconds until the job is done, at the pace of this run."""
        began, at = self._began
        whole = self._task.waveform.echo_time
        pace = (time.perf_counter() - began) / max(elapsed - at, 1e-9)
        later = sum(
            other.cost
            for other in self._runs[[other.name for other in self._runs].index(run.name) + 1 :]
        )
        return pace * (whole - elapsed + whole * later / run.cost)

    def _save(self, progress: Progress) -> None:
        if self._checkpoint is not None:
            done = Progress(
                progress.done, progress.run, progress.segment, progress.history, self._seconds
            )
            self._checkpoint.save(done)
            self._saved = time.perf_counter()


def _wave_number(segment: Segment, q: float, time: float) -> float:
    """g at a time of a segment (rad/um)."""
    return q * float(segment.jet(time, 0)[0, 0])
