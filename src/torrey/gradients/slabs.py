"""Slabs of a sweep: one period, permeability and waveform, with all strengths and directions.

A slab is what a table of signals is computed and kept by: within it, signals share a cell and their
time steps. It knows nothing of the sweep that it was cut from, so that two studies share the slabs
that they have in common.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from torrey.base.keys import shorten, slug
from torrey.gradients.sweep import Acquisition, Product, Samples, Sweep, WaveformGrid
from torrey.gradients.waveforms import Waveform

#: Digits of the digest of strengths and directions in the name of a slab.
_DIGITS = 8

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class Slab:
    """A part of a sweep that is computed and kept as one.

    Parameters
    ----------
    sweep : Sweep
        With one period, one permeability and one waveform.
    places : tuple of int
        Numbers of its points among those of the sweep that it was cut from, in the order of its
        own.
    """

    sweep: Sweep
    places: tuple[int, ...]

    @cached_property
    def name(self) -> str:
        """Canonical name: what is the same for all of it, and a digest of the rest."""
        protocol = self.sweep.protocol
        if isinstance(protocol, Product):
            (waveform,) = protocol.shapes.waveforms
        else:
            waveform = protocol.rows[0].waveform
        readable = slug(
            {
                "L": self.sweep.periods[0],
                "kappa": self.sweep.permeabilities[0],
                "": waveform.label,
            }
        )
        return shorten(f"{readable}_{_digest(protocol)}")

    @property
    def size(self) -> int:
        """Number of points."""
        return len(self.places)


def slabs_of(sweep: Sweep) -> list[Slab]:
    """Cut a sweep into slabs, in the order of its periods, permeabilities and waveforms."""
    rows = len(sweep.protocol.measurements)
    parts = list(_by_waveform(sweep.protocol))
    return [
        Slab(
            Sweep((period,), "permeability", (kappa,), protocol),
            tuple(cell * rows + row for row in members),
        )
        for cell, (period, kappa) in enumerate(sweep.cells())
        for protocol, members in parts
    ]


def join(sweep: Sweep, slabs: Sequence[Slab], values: Sequence[NDArray[T]]) -> NDArray[T]:
    """Arrays of slabs as one array of the shape of the sweep.

    Parameters
    ----------
    sweep : Sweep
    slabs : sequence of Slab
        All slabs of the sweep.
    values : sequence of array
        For each slab one value per point, of any shape.
    """
    count = int(np.prod(sweep.shape))
    result = np.empty(count, dtype=np.result_type(*values))
    for slab, part in zip(slabs, values, strict=True):
        result[list(slab.places)] = np.ravel(part)
    return result.reshape(sweep.shape)


Part = tuple[Product | Acquisition, list[int]]
"""A protocol of one waveform, and the numbers of its measurements in the whole."""


def _by_waveform(protocol: Product | Acquisition) -> Iterator[Part]:
    """Protocols of one waveform each, and the numbers of their measurements.

    Strengths and directions are sorted: their order in a configuration changes no slab.
    """
    if isinstance(protocol, Acquisition):
        yield from _by_rows(protocol)
        return
    strengths, directions = _order(protocol.encodings), _order(protocol.directions)
    count = len(strengths) * len(directions)
    for number, shapes in enumerate(_single(protocol.shapes)):
        part = Product(
            shapes,
            protocol.encoding_kind,
            tuple(protocol.encodings[i] for i in strengths),
            tuple(protocol.directions[j] for j in directions),
        )
        yield (
            part,
            [number * count + i * len(directions) + j for i in strengths for j in directions],
        )


def _order(values: Sequence[Any]) -> list[int]:
    """Numbers of values from the smallest on."""
    return sorted(range(len(values)), key=values.__getitem__)


def _single(shapes: WaveformGrid | Samples) -> Iterator[WaveformGrid | Samples]:
    if isinstance(shapes, Samples):
        yield from (Samples((one,), shapes.echo_time) for one in shapes.given)
        return
    names = [name for name, _ in shapes.parameters]
    for values in product(*(values for _, values in shapes.parameters)):
        parameters = tuple((name, (value,)) for name, value in zip(names, values, strict=True))
        yield WaveformGrid(shapes.kind, parameters, shapes.echo_time)


def _by_rows(protocol: Acquisition) -> Iterator[Part]:
    members: dict[Waveform, list[int]] = {}
    for number, row in enumerate(protocol.rows):
        members.setdefault(row.waveform, []).append(number)
    for numbers in members.values():
        numbers.sort(key=lambda number: (protocol.rows[number].q, protocol.rows[number].direction))
        rows = tuple(protocol.rows[number] for number in numbers)
        yield Acquisition(protocol.encoding_kind, rows), numbers


def _digest(protocol: Product | Acquisition) -> str:
    """Digest of strengths and directions."""
    plain: Mapping[str, Any] = (
        {"rows": [(row.q, row.direction) for row in protocol.rows]}
        if isinstance(protocol, Acquisition)
        else {
            "kind": protocol.encoding_kind,
            "encodings": protocol.encodings,
            "directions": protocol.directions,
        }
    )
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:_DIGITS]
