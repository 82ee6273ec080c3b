"""What can be refused of a fit before it is made; configurations read it, and no solver with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from torrey.base.errors import InputError
from torrey.inversion.fit_settings import FitSettings
from torrey.inversion.measured import MeasuredProtocol, powder_average
from torrey.inversion.table_model import TableModel
from torrey.inversion.table_models import table_model
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


def check_compared(
    fitted: TableModel, names: Sequence[str], protocol: MeasuredProtocol, has_sigma: bool
) -> None:
    """Refuse models that cannot be compared with one that is fitted: criteria are of the same rows.

    Raises
    ------
    InputError
    """
    for i, name in enumerate(names):
        at = ("compare", i)
        if name == fitted.name:
            raise InputError(f"{name}, which is fitted itself", "other models", at=at)
        other = table_model(name)
        if other.powder != fitted.powder and not protocol.powder:
            one, two = "means over directions", "single directions"
            said = (one, two) if other.powder else (two, one)
            raise InputError(
                f"{name}, a model of {said[0]}",
                f"models of {said[1]}, as {fitted.name} is: criteria compare fits to the same rows",
                at=at,
            )
        try:
            check_fit(other, protocol, FitSettings(name), has_sigma)
        except InputError as error:
            raise InputError(f"{name} with {error.found}", error.accepted, at=at) from None


def seen_by(model: TableModel, protocol: MeasuredProtocol) -> MeasuredProtocol:
    """The rows that a model is fitted to: shells where it is one of means over directions."""
    if not model.powder or protocol.powder:
        return protocol
    return powder_average(protocol, np.ones((1, len(protocol)))).protocol
