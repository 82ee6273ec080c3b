"""What can be refused of a fit before it is made; configurations read it, and no solver with it."""

from __future__ import annotations

import numpy as np

from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.measured import MeasuredProtocol, powder_average
from torrey.inversion.table_model import TableModel
from torrey.inversion.voxel_fit import check_count
from torrey.inversion.voxel_problem import Ranges


def check_fit(
    model: TableModel, protocol: MeasuredProtocol, settings: FitSettings, has_sigma: bool
) -> None:
    """Refuse a fit that cannot be made of any signals of a protocol.

    Raises
    ------
    InputError
        If the model needs what the rows do not say, or they are too few, or settings are wrong.
    """
    rows = seen_by(model, protocol)
    ranges = Ranges.of(model, settings.fixed, settings.bounds)
    model.prepare(rows)
    check_count(
        model,
        len(rows),
        len(ranges.free) + int(model.amplitude_groups(rows).max()) + 1,
        noise_too=not has_sigma,
    )


def seen_by(model: TableModel, protocol: MeasuredProtocol) -> MeasuredProtocol:
    """The rows that a model is fitted to: shells where it is one of means over directions."""
    if not model.powder or protocol.powder:
        return protocol
    return powder_average(protocol, np.ones((1, len(protocol)))).protocol
