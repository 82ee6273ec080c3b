"""Reference signals in full as NetCDF files."""

from __future__ import annotations

from pathlib import Path

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable, group_of
from torrey.gradients.protocol import Point
from torrey.reference.full import ReferenceSignal


def write_reference(
    path: str | Path, reference: ReferenceSignal, point: Point, provenance: Provenance
) -> None:
    """Write one reference signal."""
    b_value = Variable((), point.b, "ms um-2", "b-value")
    variables = {**group_of(reference), "b_value": b_value}
    artifacts.write(path, variables, provenance, compress=False)
