"""Dictionaries: tables of very many signals, whose memory does not depend on how many they are.

A dictionary is computed in blocks (`torrey.gradients.blocks`), each of one model in one material,
and its file is written block by block.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Group, Variable
from torrey.base.units import UNITS
from torrey.gradients.axes import MAY_OVERFLOW, coordinates, measurement_variables
from torrey.gradients.blocks import block_shape, blocks_of
from torrey.gradients.sweep import Sweep
from torrey.models.validity import describe, known, validity, validity_variable

PathLike = str | Path
Say = Callable[[str], None]
Places = tuple[tuple[str, tuple[float, ...]], ...]
"""Parts of a cell whose diffusivities are swept, with their values (um^2/ms)."""

#: Points that are computed at once: enough for large arrays, and few enough to tell how it goes on.
AT_ONCE: Final = 2_000
#: Seconds between two lines of a log.
_INTERVAL: Final = 2.0


@dataclass
class Progress:
    """Tells how many of some signals are done, and how long the others will take.

    Parameters
    ----------
    total : int
        All signals.
    say : callable
        Takes each line.
    """

    total: int
    say: Say
    done: int = 0
    start: float = field(default_factory=time.perf_counter)
    said: float = 0.0

    def add(self, count: int) -> None:
        """Note that some more signals are done."""
        self.done += count
        seconds = time.perf_counter() - self.start
        if seconds - self.said < _INTERVAL and self.done < self.total:
            return
        self.said = seconds
        left = seconds * (self.total - self.done) / self.done
        self.say(f"{self.done:,} of {self.total:,} signals in {seconds:.0f} s, {left:.0f} s left")


@dataclass(frozen=True)
class BlockSignals:
    """Signals of one model over a block.

    Attributes
    ----------
    sweep : Sweep
    signal : (points,) complex
    error : (points,) float
        Absolute estimate of the numerical error.
    amplification : (points,) float
        See `torrey.models.model.Stability`; ones for the reference.
    """

    sweep: Sweep
    signal: NDArray[np.complex128]
    error: NDArray[np.float64]
    amplification: NDArray[np.float64]

    def values(self) -> dict[str, NDArray[Any]]:
        """Values of the tables, in the shape of the sweep."""
        marks = validity(self.signal, self.error, self.amplification)
        signal, error = known(self.signal), known(self.error)
        flat = {
            "signal_real": signal.real,
            "signal_imag": signal.imag,
            "numerical_error": error,
            "validity": marks,
        }
        return {name: values.reshape(self.sweep.shape) for name, values in flat.items()}

    def meaningless(self, model: str) -> list[str]:
        """What a log says of signals of a model that mean nothing."""
        marks = validity(self.signal, self.error, self.amplification)
        labels = {dim: coordinates(self.sweep)[dim] for dim in self.sweep.axes()}
        axes = {dim: np.asarray(label.values).tolist() for dim, label in labels.items()}
        units = {dim: label.units for dim, label in labels.items()}
        return describe(marks.reshape(1, *self.sweep.shape), [model], axes, units)

    def variables(self) -> Group:
        """Variables of the file of the block."""
        dims, values = tuple(self.sweep.axes()), self.values()
        return {**_tables(dims, values), **coordinates(self.sweep)}


def joined(
    sweep: Sweep,
    solve: Callable[[Sweep], BlockSignals],
    progress: Progress,
    at_once: int = AT_ONCE,
) -> BlockSignals:
    """Signals of a block, some points at once, telling how it goes on.

    Parameters
    ----------
    sweep : Sweep
    solve : callable
        Returns the signals of a part.
    progress : Progress
        Is told of each part.
    at_once : int
        Points of a part.
    """
    shape = sweep.shape
    signal, error = np.empty(shape, dtype=complex), np.empty(shape)
    amplification = np.empty(shape)
    for part in blocks_of(sweep, at_once):
        found = solve(part.sweep)
        for whole, values in (
            (signal, found.signal),
            (error, found.error),
            (amplification, found.amplification),
        ):
            whole[part.place] = values.reshape(part.sweep.shape)
        progress.add(found.signal.size)
    return BlockSignals(sweep, signal.ravel(), error.ravel(), amplification.ravel())


def _tables(dims: tuple[str, ...], values: Mapping[str, NDArray[Any]]) -> dict[str, Variable]:
    """Signals, errors and marks as variables."""
    error = "estimated error of the discretisation, absolute; not the error of the model"
    names = {
        "signal_real": "signal, real part",
        "signal_imag": "signal, imaginary part",
        "numerical_error": error,
    }
    return {
        **{
            name: Variable(dims, values[name], "1", text, MAY_OVERFLOW)
            for name, text in names.items()
        },
        "validity": validity_variable(dims, values["validity"]),
    }


def write_dictionary(
    path: PathLike,
    places: Places,
    sweep: Sweep,
    models: Sequence[str],
    blocks: Iterator[Mapping[str, NDArray[Any]]],
    provenance: Provenance,
) -> None:
    """Write the file of a dictionary from its blocks, one after the other.

    Parameters
    ----------
    path : path
    places : tuple of (str, tuple of float)
        Parts of the cell whose diffusivities are swept: axes of their own, after that of models.
    sweep : Sweep
        Of each material.
    models : sequence of str
    blocks : iterator of mappings
        Values of each block by name: by model, then material (the last part fastest), then in the
        order of `blocks_of`.
    provenance : Provenance
    """
    lengths = [len(values) for _, values in places]
    names = [f"diffusivity_{part}" for part, _ in places]
    dims = ("model", *names, *sweep.axes())
    shape = (len(models), *lengths, *sweep.shape)
    empty = {
        name: np.broadcast_to(np.float64(0.0), shape)
        for name in ("signal_real", "signal_imag", "numerical_error")
    }
    empty["validity"] = np.broadcast_to(np.int8(0), shape)
    ones = (1,) * (1 + len(lengths))
    chunks = (*ones, *block_shape(sweep), *sweep.shape[2:])
    cuts = [block.place for block in blocks_of(sweep)]

    def parts() -> Iterator[artifacts.Part]:
        for index in np.ndindex(len(models), *lengths):
            first = tuple(slice(i, i + 1) for i in index)
            for place in cuts:
                values = next(blocks)
                yield (
                    (*first, *place),
                    {name: values[name].reshape(*ones, *values[name].shape) for name in empty},
                )

    variables = {
        "model": Variable(("model",), np.array(models), "", "reference or model"),
        **{
            name: Variable(
                (name,), np.array(values), UNITS["diffusivity"].cf, f"diffusivity, {part}"
            )
            for name, (part, values) in zip(names, places, strict=True)
        },
        **measurement_variables(sweep),
        **coordinates(sweep),
    }
    artifacts.write_in_parts(path, variables, _tables(dims, empty), chunks, parts(), provenance)


def read_blocks(files: Sequence[PathLike]) -> Iterator[Mapping[str, NDArray[Any]]]:
    """Values of the blocks of a dictionary from their files, one held at a time."""
    for file in files:
        yield artifacts.read(file)
