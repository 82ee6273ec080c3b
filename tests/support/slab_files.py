"""Files of slabs, cut from tables that are known."""

from __future__ import annotations

from pathlib import Path

from torrey.base.provenance import Provenance
from torrey.gradients.slabs import slabs_of
from torrey.gradients.sweep import Sweep
from torrey.models.evaluation import ModelTable
from torrey.models.files import write_model


def write_slabs(
    directory: Path, sweep: Sweep, table: ModelTable, provenance: Provenance
) -> list[Path]:
    """Write the slabs of models over a sweep, in the order in which they are gathered."""
    files = []
    for i, model in enumerate(table.models):
        for slab in slabs_of(sweep):
            places, shape = list(slab.places), slab.sweep.shape
            signal = table.signal[i].reshape(len(table.signal[i]), -1)[:, places]
            rates = (
                values[i].ravel()[places].reshape(1, *shape)
                for values in (table.growth, table.amplification)
            )
            part = ModelTable((model,), signal.reshape(1, -1, *shape), *rates)
            files.append(directory / f"{slab.name}-{model}.nc")
            write_model(files[-1], part, slab.sweep, provenance)
    return files
