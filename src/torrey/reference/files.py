"""Reference signals in full as NetCDF files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torrey.base import artifacts
from torrey.base.provenance import Provenance
from torrey.base.stored import Variable, group_of
from torrey.gradients.protocol import Point
from torrey.reference.full import ReferenceSignal


def write_reference(
    path: str | Path,
    reference: ReferenceSignal,
    point: Point,
    provenance: Provenance,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Write one reference signal, with further attributes of the file."""
    b_value = Variable((), point.b, "ms um-2", "b-value")
    variables = {**group_of(reference), "b_value": b_value}
    artifacts.write(path, variables, provenance, attributes=attributes, compress=False)
