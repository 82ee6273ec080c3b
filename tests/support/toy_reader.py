"""A reader of files of acquisitions that the library does not know: all that a new one takes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torrey.gradients.acquisition import AcquisitionReader, Row, Scan
from torrey.gradients.acquisition.text import place_of, read_numbers
from torrey.gradients.waveforms import Pgse


def read_notebook(notes: Path, pulses: Path) -> Scan:
    """Lines of b and a direction in one file, delta and Delta of all of them in the other."""
    ((_, (delta, Delta)),) = read_numbers(pulses)
    rows = tuple(
        Row(b, (x, y, z), place_of(line, notes)) for line, (b, x, y, z) in read_numbers(notes)
    )
    waveform = partial(Pgse, delta, Delta)
    return Scan("b", rows, f"{len(rows)} lines of a notebook", (waveform,), segments=3)


NOTEBOOK = AcquisitionReader(
    name="notebook",
    noun="a notebook",
    keys={"notes": "a notebook of b-values", "pulses": "the times of the pulses"},
    about="lines of b and directions, as somebody wrote them down",
    read=read_notebook,
    has_waveforms=True,
)
